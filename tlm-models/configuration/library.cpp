// SPDX-License-Identifier: Apache-2.0
#include "tandem/library.h"

#include "named_registry.h"

#include <dlfcn.h>
#include <set>
#include <systemc>

namespace tandem
{
namespace
{

[[noreturn]] void fail_to_load(const std::string &path, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/library", ("library '" + path + "' " + cause).c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
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

registrations &registrations::all()
{
  static registrations state;
  return state;
}

void load_library(const std::string &path)
{
  static std::set<void *> loaded;
  registrations &made = registrations::all();
  // Without a slash the loader would search its own folders only.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  const std::uint64_t before = made.attempts;
  made.last_conflict.clear();
  void *const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    fail_to_load(path, "cannot be loaded: " + explained(dlerror()));
  if (!loaded.insert(handle).second)
    return;
  if (!made.last_conflict.empty())
    fail_to_load(path, "registers '" + made.last_conflict + "', which exists already");
  if (made.attempts == before)
    fail_to_load(path, "registers no interconnect and no part");
}

} // namespace tandem
