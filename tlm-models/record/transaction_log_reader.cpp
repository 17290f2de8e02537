// SPDX-License-Identifier: Apache-2.0
#include "log_format.h"
#include "sqlite.h"
#include "tandem/transaction_log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

namespace tandem
{

using namespace log_format;

namespace
{

constexpr std::int64_t most_numbers = INT16_MAX;

const std::string &name_at(const std::vector<std::string> &names, std::int16_t index)
{
  static const std::string nobody;
  return index < 0 ? nobody : names.at(static_cast<std::size_t>(index));
}

} // namespace

transaction_log_reader::transaction_log_reader(const std::string &path) : path_(path)
{
  errno = 0;
  if (!std::ifstream(path) || std::filesystem::is_directory(path))
    fail("cannot read the log '" + path + "': " + std::strerror(errno ? errno : EISDIR));
  try {
    sqlite::reader from(path);
    sqlite::statement rows(from, "SELECT key, value FROM run");
    while (rows.step())
      run_[rows.text(0)] = rows.text(1);
    if (run_.find(format_key) == run_.end())
      throw sqlite::error("its run has not ended, or was killed; 'tandem-log recover' takes from "
                          "it what it has");
    if (run_[format_key] != version && run_[format_key] != version_of_several)
      throw sqlite::error("it is of the format '" + run_[format_key] + "'");
    sqlite::statement table(from, "SELECT 1 FROM sqlite_master WHERE name = 'interconnects'");
    old_ = !table.step();
    if (old_)
      read_system_of_old();
    else
      read_interconnects(from);
    read_names(from);
    read_ranges(from);
  } catch (const sqlite::error &error) {
    fail("'" + path + "' is no complete transaction log: " + error.what());
  }
}

void transaction_log_reader::read_system_of_old()
{
  systems_.resize(1);
  systems_[0].interconnect = run_[kind_key];
  systems_[0].default_target = run_[default_target_key];
  for (const auto &[key, value] : run_)
    if (key.rfind(parameter_prefix, 0) == 0)
      systems_[0].parameters[key.substr(std::strlen(parameter_prefix))] = value;
}

void transaction_log_reader::read_interconnects(sqlite::connection &from)
{
  for (sqlite::statement rows(from, "SELECT id, name, kind, default_target FROM interconnects "
                                    "ORDER BY id");
       rows.step();) {
    if (rows.number(0) != static_cast<std::int64_t>(systems_.size()) ||
        rows.number(0) == most_numbers)
      throw sqlite::error("its interconnects are not numbered from 0 on");
    logged_system &added = systems_.emplace_back();
    added.name = rows.text(1);
    added.interconnect = rows.text(2);
    added.default_target = rows.text(3);
  }
  if (systems_.empty())
    systems_.resize(1); // of a log that nobody has described
  sqlite::statement rows(from, "SELECT interconnect, name, value FROM parameters");
  while (rows.step()) {
    const auto of = static_cast<std::size_t>(rows.number(0));
    if (of >= systems_.size())
      throw sqlite::error("a parameter is of an interconnect that does not exist");
    systems_[of].parameters[rows.text(1)] = rows.text(2);
  }
}

/// Where the next name of a table belongs. interconnect: as the file has it.
transaction_log_reader::place
transaction_log_reader::next_place(std::int64_t interconnect,
                                   std::vector<std::string> logged_system::*names) const
{
  const auto of = static_cast<std::size_t>(interconnect);
  if (of >= systems_.size())
    throw sqlite::error("an initiator or a target is of an interconnect that does not exist");
  const std::size_t index = (systems_[of].*names).size();
  if (index > most_numbers)
    throw sqlite::error("it has too many initiators or targets");
  return {static_cast<std::int16_t>(of), static_cast<std::int16_t>(index)};
}

void transaction_log_reader::read_initiators(sqlite::connection &from)
{
  transactions_.resize(systems_.size());
  sqlite::statement rows(
      from, old_ ? "SELECT name, transactions, 0, id FROM initiators ORDER BY id"
                 : "SELECT name, transactions, interconnect, origin FROM initiators ORDER BY id");
  while (rows.step()) {
    const std::string name = rows.text(0);
    guests_.push_back(name);
    if (old_) // who wrote it knew no more of an access than its initiator
      origins_.push_back(name);
    initiators_.emplace_back();
    if (rows.is_null(2))
      continue;
    place &here = initiators_.back();
    here = next_place(rows.number(2), &logged_system::initiators);
    if (old_)
      here.origin = static_cast<std::int16_t>(origins_.size() - 1);
    else if (!rows.is_null(3))
      here.origin = checked_origin(rows.number(3));
    const auto of = static_cast<std::size_t>(here.interconnect);
    systems_[of].initiators.push_back(name);
    transactions_[of].push_back(static_cast<std::uint64_t>(rows.number(1)));
  }
}

std::int16_t transaction_log_reader::checked_origin(std::int64_t number) const
{
  if (number < several_origins || number >= static_cast<std::int64_t>(origins_.size()))
    throw sqlite::error("an initiator has an origin that does not exist");
  return static_cast<std::int16_t>(number);
}

void transaction_log_reader::read_names(sqlite::connection &from)
{
  if (!old_)
    for (sqlite::statement rows(from, "SELECT name FROM origins ORDER BY id"); rows.step();)
      origins_.push_back(rows.text(0));
  read_initiators(from);
  sqlite::statement rows(from, old_ ? "SELECT name, 0 FROM targets ORDER BY id"
                                    : "SELECT name, interconnect FROM targets ORDER BY id");
  while (rows.step()) {
    targets_.push_back(next_place(rows.number(1), &logged_system::targets));
    systems_[static_cast<std::size_t>(targets_.back().interconnect)].targets.push_back(
        rows.text(0));
  }
}

void transaction_log_reader::read_ranges(sqlite::connection &from)
{
  sqlite::statement rows(from, "SELECT name, address, size, target, target_address, "
                               "initiator, granule, more_targets FROM ranges ORDER BY id");
  while (rows.step()) {
    const auto target = static_cast<std::size_t>(rows.number(3));
    if (target >= targets_.size())
      throw sqlite::error("a range leads to a target that does not exist");
    logged_system &of = systems_[static_cast<std::size_t>(targets_[target].interconnect)];
    address_range range = {rows.text(0),
                           static_cast<std::uint64_t>(rows.number(1)),
                           static_cast<std::uint64_t>(rows.number(2)),
                           of.targets[static_cast<std::size_t>(targets_[target].index)],
                           static_cast<std::uint64_t>(rows.number(4)),
                           {},
                           {},
                           0};
    if (!rows.is_null(5))
      range.initiator = seen_by(rows.number(5), targets_[target].interconnect);
    range.granule = static_cast<std::uint64_t>(rows.number(6));
    for (const std::string &name : split(rows.text(7), ","))
      range.more_targets.push_back(name.substr(name.find_first_not_of(' ')));
    of.map.push_back(range);
  }
}

/// The initiator of a range, at the interconnect that has it. One that does not exist is for the
/// interconnect to refuse.
unsigned transaction_log_reader::seen_by(std::int64_t initiator, std::int16_t interconnect) const
{
  const auto number = static_cast<std::size_t>(initiator);
  if (number >= initiators_.size())
    return static_cast<unsigned>(initiator);
  if (initiators_[number].interconnect != interconnect)
    throw sqlite::error("a range is for an initiator of another interconnect");
  return static_cast<unsigned>(initiators_[number].index);
}

std::size_t transaction_log_reader::find(const std::string &interconnect) const
{
  if (interconnect.empty() && systems_.size() == 1)
    return 0;
  std::vector<std::string> names;
  for (const logged_system &one : systems_) {
    if (!interconnect.empty() && one.name == interconnect)
      return names.size();
    names.push_back(one.name);
  }
  if (interconnect.empty())
    fail("the log '" + path_ +
         "' is of several interconnects, of which one is to be named: " + join(names));
  fail("the log '" + path_ + "' has no interconnect '" + interconnect + "'" +
       (names.front().empty() ? "" : "; known are " + join(names)));
}

const std::string &transaction_log_reader::initiator(const logged_transaction &t) const
{
  return name_at(system(static_cast<std::size_t>(t.interconnect)).initiators, t.initiator);
}

const std::string &transaction_log_reader::target(const logged_transaction &t) const
{
  return name_at(system(static_cast<std::size_t>(t.interconnect)).targets, t.target);
}

const std::string &transaction_log_reader::origin(const logged_transaction &t) const
{
  return name_at(origins_, t.origin);
}

/// Whether transactions of an interconnect (-1: of any) have to say themselves whose they are.
bool transaction_log_reader::says_origin(int interconnect) const
{
  return std::any_of(initiators_.begin(), initiators_.end(), [&](const place &from) {
    return from.origin == several_origins && from.interconnect >= 0 &&
           (interconnect < 0 || from.interconnect == interconnect) &&
           size(static_cast<std::size_t>(from.index),
                static_cast<std::size_t>(from.interconnect)) != 0;
  });
}

std::uint64_t transaction_log_reader::size_of(std::size_t interconnect) const
{
  const std::vector<std::uint64_t> &counts = transactions_.at(interconnect);
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t transaction_log_reader::size() const
{
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < systems_.size(); ++i)
    sum += size_of(i);
  return sum;
}

void transaction_log_reader::for_each(
    const std::function<void(const logged_transaction &)> &visit) const
{
  transaction_stream rows(*this);
  while (const logged_transaction *const next = rows.next())
    visit(*next);
}

} // namespace tandem
