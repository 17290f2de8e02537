// SPDX-License-Identifier: Apache-2.0
// Kinds of models by name, entered before main or when a library is loaded.
#pragma once

#include "tandem/parameters.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

namespace tandem
{

/// Of all registries, for load_library().
struct registrations {
  std::uint64_t attempts = 0; // also those that failed
  std::string last_conflict;
  static registrations &all();
};

/// To be made at first use, as entries are made before main in any order.
template <typename Factory, typename Info> class named_registry
{
public:
  struct entry {
    Factory factory;
    Info info;
    bool twice = false; // registered under a name that was taken
  };

  /// what: "interconnect"; report_type: "/tandem/interconnect"
  named_registry(std::string what, const char *report_type)
      : what_(std::move(what)), report_type_(report_type)
  {
  }

  bool enter(const std::string &kind, Factory factory, Info info)
  {
    ++registrations::all().attempts;
    const bool fresh = entries_.insert({kind, {std::move(factory), std::move(info), false}}).second;
    if (!fresh) {
      entries_[kind].twice = true;
      registrations::all().last_conflict = kind;
    }
    return fresh;
  }

  bool has(const std::string &kind) const { return entries_.count(kind) != 0; }

  const entry &find(const std::string &kind) const
  {
    const auto found = entries_.find(kind);
    if (found == entries_.end())
      fail("unknown " + what_ + " '" + kind + "'; known are " + join(names()));
    if (found->second.twice)
      fail(what_ + " '" + kind + "' is registered twice");
    return found->second;
  }

  std::vector<std::string> names() const
  {
    std::vector<std::string> result;
    for (const auto &item : entries_)
      result.push_back(item.first);
    return result;
  }

private:
  [[noreturn]] void fail(const std::string &cause) const
  {
    SC_REPORT_ERROR(report_type_, cause.c_str());
    std::abort(); // only reached when a user has taken the throw from SC_ERROR
  }

  std::string what_;
  const char *report_type_;
  std::map<std::string, entry> entries_;
};

} // namespace tandem
