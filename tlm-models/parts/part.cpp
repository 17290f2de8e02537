// SPDX-License-Identifier: Apache-2.0
#include "tandem/part.h"

#include "named_registry.h"

#include <dlfcn.h>
#include <sstream>

namespace tandem
{
namespace
{

named_registry<part_factory, part_info> &registry()
{
  static named_registry<part_factory, part_info> state("kind of part", "/tandem/parts");
  return state;
}

} // namespace

bool register_part(const std::string &kind, part_factory factory, part_info info)
{
  Dl_info own = {}, caller = {};
  if (dladdr(reinterpret_cast<void *>(&register_part), &own) &&
      dladdr(__builtin_return_address(0), &caller) && caller.dli_fbase != own.dli_fbase)
    info.library = caller.dli_fname;
  return registry().enter(kind, std::move(factory), std::move(info));
}

std::unique_ptr<sc_core::sc_module>
make_part(const std::string &kind, const std::string &module_name, const parameter_values &values)
{
  const auto &entry = registry().find(kind);
  const parameters checked(kind + " " + module_name, entry.info.parameters, values);
  return entry.factory(module_name.c_str(), checked);
}

std::vector<std::string> part_names()
{
  return registry().names();
}

bool is_part(const std::string &kind)
{
  return registry().has(kind);
}

const part_info &part_description(const std::string &kind)
{
  return registry().find(kind).info;
}

std::uint64_t target_size(const std::string &owner, const part_info &info,
                          const part_target &target, const parameter_values &values)
{
  const parameters checked(owner, info.parameters, values);
  return target.size_of.empty() ? target.size : checked.size(target.size_of);
}

std::string part_help()
{
  std::ostringstream out;
  for (const std::string &kind : part_names()) {
    const part_info &info = part_description(kind);
    out << kind << ": " << info.help << "\n" << parameter_help(info.parameters);
  }
  return out.str();
}

} // namespace tandem
