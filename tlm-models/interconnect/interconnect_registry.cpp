// SPDX-License-Identifier: Apache-2.0
#include "tandem/interconnect_registry.h"

#include <dlfcn.h>
#include <map>
#include <set>
#include <sstream>

namespace tandem
{

namespace
{

struct entry {
  interconnect_factory factory;
  interconnect_info info;
  bool twice = false; // registered under a name that was taken
};

struct registry_state {
  std::map<std::string, entry> entries;
  std::uint64_t attempts = 0; // all registrations, also those that failed
  std::string last_conflict;
};

/// Made at first use, as entries are made before main in any order.
registry_state &registry()
{
  static registry_state state;
  return state;
}

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/interconnect", cause.c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

const entry &find(const std::string &kind)
{
  const auto found = registry().entries.find(kind);
  if (found == registry().entries.end())
    fail("unknown interconnect '" + kind + "'; known are " + join(interconnect_names()));
  if (found->second.twice)
    fail("interconnect '" + kind + "' is registered twice");
  return found->second;
}

/// What the loader says. That SystemC's check of versions has failed is only to be seen from the
/// name of a symbol.
std::string explained(const std::string &cause)
{
  if (cause.find("sc_api_version") == std::string::npos)
    return cause;
  return std::string("it was compiled for another SystemC or another C++ than this program, which "
                     "has SystemC ") +
         sc_core::sc_release() + " for C++17: compile it with -DSC_CPLUSPLUS=201703L (" + cause +
         ")";
}

} // namespace

bool register_interconnect(const std::string &kind, interconnect_factory factory,
                           interconnect_info info)
{
  registry_state &state = registry();
  ++state.attempts;
  const bool fresh = state.entries.insert({kind, {std::move(factory), std::move(info)}}).second;
  if (!fresh) {
    state.entries[kind].twice = true;
    state.last_conflict = kind;
  }
  return fresh;
}

std::unique_ptr<interconnect> make_interconnect(const std::string &kind,
                                                const std::string &module_name,
                                                const interconnect_config &config)
{
  return find(kind).factory(module_name.c_str(), config);
}

std::vector<std::string> interconnect_names()
{
  std::vector<std::string> names;
  for (const auto &item : registry().entries)
    names.push_back(item.first);
  return names;
}

interconnect_info interconnect_description(const std::string &kind)
{
  interconnect_info info = find(kind).info;
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

void load_interconnect_library(const std::string &path)
{
  static std::set<void *> loaded;
  // Without a slash the loader would search its own folders only.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  const std::uint64_t before = registry().attempts;
  registry().last_conflict.clear();
  void *const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    fail("cannot load interconnect library '" + path + "': " + explained(dlerror()));
  if (!loaded.insert(handle).second)
    return;
  if (!registry().last_conflict.empty())
    fail("interconnect library '" + path + "' registers '" + registry().last_conflict +
         "', which exists already");
  if (registry().attempts == before)
    fail("interconnect library '" + path + "' registers no interconnect");
}

} // namespace tandem
