// SPDX-License-Identifier: Apache-2.0
// Interconnects by name. A class enters itself with TANDEM_REGISTER_INTERCONNECT,
// be it linked into the program or into a shared object loaded at run time.
#pragma once

#include "tandem/interconnect.h"

namespace tandem
{

using interconnect_factory =
    std::function<std::unique_ptr<interconnect>(const char *, const interconnect_config &)>;

/// Enters a kind of interconnect. Never fails, as it runs before main; a name
/// entered twice is an error when it is made or when its library is loaded.
bool register_interconnect(const std::string &kind, interconnect_factory factory,
                           interconnect_info info);

/// Makes an interconnect. Reports SC_ERROR "/tandem/interconnect" for an unknown kind:
///   unknown interconnect 'x'; known are bus, router
std::unique_ptr<interconnect> make_interconnect(const std::string &kind,
                                                const std::string &module_name,
                                                const interconnect_config &config);

/// Names of all kinds, sorted.
std::vector<std::string> interconnect_names();
/// What a kind says about itself, with the parameters that all kinds have.
/// Reports SC_ERROR "/tandem/interconnect" for an unknown kind.
interconnect_info interconnect_description(const std::string &kind);
/// Text for people: all kinds with their parameters and defaults.
std::string interconnect_help();

} // namespace tandem

/// Enters class TYPE as kind NAME. TYPE is constructed from (sc_module_name, const
/// interconnect_config &) and has `static interconnect_info describe()`. To be written
/// at namespace scope of a source file.
#define TANDEM_REGISTER_INTERCONNECT(NAME, TYPE)                                                   \
  [[maybe_unused]] static const bool tandem_registered_##TYPE = ::tandem::register_interconnect(   \
      NAME,                                                                                        \
      [](const char *module_name, const ::tandem::interconnect_config &config) {                   \
        return std::unique_ptr<::tandem::interconnect>(new TYPE(module_name, config));             \
      },                                                                                           \
      TYPE::describe());
