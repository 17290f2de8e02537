// SPDX-License-Identifier: Apache-2.0
// A switch with a path of its own to each target.
#pragma once

#include "tandem/arbitrated_interconnect.h"

namespace tandem
{

/// Kind "crossbar". Each target has an output, which carries one access at a time; accesses
/// to different targets do not disturb each other. Times and parameters: see
/// arbitrated_interconnect. An output under full load carries
///
///   bytes / (clock * (overhead + ceil(bytes / width)))
class crossbar : public arbitrated_interconnect
{
public:
  static interconnect_info describe();
  crossbar(sc_core::sc_module_name name, const interconnect_config &config);

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

private:
  shared_resource &resource_for(unsigned target) override { return *outputs_[target]; }

  std::vector<std::unique_ptr<shared_resource>> outputs_; // by target
};

} // namespace tandem
