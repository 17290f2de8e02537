// SPDX-License-Identifier: Apache-2.0
#include "tandem/interconnect_registry.h"

#include "named_registry.h"

#include <sstream>

namespace tandem
{

namespace
{

named_registry<interconnect_factory, interconnect_info> &registry()
{
  static named_registry<interconnect_factory, interconnect_info> state("interconnect",
                                                                       "/tandem/interconnect");
  return state;
}

} // namespace

bool register_interconnect(const std::string &kind, interconnect_factory factory,
                           interconnect_info info)
{
  return registry().enter(kind, std::move(factory), std::move(info));
}

std::unique_ptr<interconnect> make_interconnect(const std::string &kind,
                                                const std::string &module_name,
                                                const interconnect_config &config)
{
  return registry().find(kind).factory(module_name.c_str(), config);
}

std::vector<std::string> interconnect_names()
{
  return registry().names();
}

interconnect_info interconnect_description(const std::string &kind)
{
  interconnect_info info = registry().find(kind).info;
  info.parameters = interconnect::with_common_parameters(std::move(info.parameters));
  return info;
}

std::string interconnect_help()
{
  std::ostringstream out;
  for (const std::string &kind : interconnect_names()) {
    const interconnect_info info = interconnect_description(kind);
    out << kind << ": " << info.help << "\n" << parameter_help(info.parameters);
  }
  return out.str();
}

} // namespace tandem
