// SPDX-License-Identifier: Apache-2.0
// How error sentences begin.
#pragma once

#include <string>

namespace tandem
{

/// "interconnect bus"; or "interconnect", for one that is named after what it is.
inline std::string report_name(const std::string &what, const std::string &name)
{
  return name == what ? what : what + " " + name;
}

} // namespace tandem
