// SPDX-License-Identifier: Apache-2.0
// What an interconnect says of the accesses that it has carried, and of those that it has not.
#include "report_name.h"

#include "tandem/interconnect.h"

#include <sstream>

namespace tandem
{

namespace
{

nlohmann::ordered_json report_of(const path_statistics &path)
{
  nlohmann::ordered_json histogram = nlohmann::ordered_json::array();
  std::size_t used = path.histogram.size();
  while (used > 0 && path.histogram[used - 1] == 0)
    --used;
  for (std::size_t i = 0; i < used; ++i)
    histogram.push_back({{"below_ns", statistic::label(std::uint64_t{1} << i)},
                         {"transactions", path.histogram[i]}});
  nlohmann::ordered_json report = {{"transactions", path.transactions},
                                   {"bytes", path.bytes},
                                   {"errors", path.errors},
                                   {"total_delay_ns", statistic::nanoseconds(path.total_delay)},
                                   {"waiting_ns", statistic::nanoseconds(path.waiting)},
                                   {"target_ns", statistic::nanoseconds(path.target)}};
  report.update(path.latency.report());
  report["latency"] = std::move(histogram);
  report["load"] = path.load.report("bytes");
  return report;
}

} // namespace

const path_statistics &interconnect::path(unsigned initiator, unsigned target) const
{
  return paths_.at(initiator * config_.targets.size() + target);
}

void path_statistics::merge(const path_statistics &other)
{
  transactions += other.transactions;
  bytes += other.bytes;
  errors += other.errors;
  total_delay += other.total_delay;
  waiting += other.waiting;
  target += other.target;
  for (std::size_t i = 0; i < histogram.size(); ++i)
    histogram[i] += other.histogram[i];
  latency.merge(other.latency);
  load.merge(other.load);
}

nlohmann::ordered_json interconnect::statistics() const
{
  nlohmann::ordered_json report;
  report["decode_errors"] = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < config_.initiators.size(); ++i)
    report["decode_errors"][config_.initiators[i]] = decode_errors_[i];
  report["paths"] = nlohmann::ordered_json::array();
  path_statistics total(load_interval_);
  std::vector<path_statistics> initiators(config_.initiators.size(), total);
  std::vector<path_statistics> targets(config_.targets.size(), total);
  for (unsigned i = 0; i < initiators.size(); ++i) {
    for (unsigned t = 0; t < targets.size(); ++t) {
      nlohmann::ordered_json entry = {{"initiator", config_.initiators[i]},
                                      {"target", config_.targets[t]}};
      entry.update(report_of(path(i, t)));
      report["paths"].push_back(std::move(entry));
      initiators[i].merge(path(i, t));
      targets[t].merge(path(i, t));
    }
    total.merge(initiators[i]);
  }
  for (unsigned i = 0; i < initiators.size(); ++i)
    report["initiators"][config_.initiators[i]] = report_of(initiators[i]);
  for (unsigned t = 0; t < targets.size(); ++t)
    report["targets"][config_.targets[t]] = report_of(targets[t]);
  report["total"] = report_of(total);
  for (std::size_t t = 0; t < lock_of_.size(); ++t)
    if (lock_of_[t]->lock.used())
      report["locks"][config_.targets[t]] = lock_of_[t]->lock.report();
  return report;
}

void interconnect::warn_of_refused() const
{
  for (std::size_t i = 0; i < decode_errors_.size(); ++i) {
    if (decode_errors_[i] == 0)
      continue;
    std::ostringstream text;
    text << report_name("interconnect", name()) << ": " << decode_errors_[i] << " accesses of '"
         << config_.initiators[i] << "' lead to no range, the first one to address 0x" << std::hex
         << first_refused_[i] << "; they are in decode_errors, and in no other figure";
    SC_REPORT_WARNING("/tandem/interconnect", text.str().c_str());
  }
}

} // namespace tandem
