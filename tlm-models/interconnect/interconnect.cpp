// SPDX-License-Identifier: Apache-2.0
#include "tandem/interconnect.h"

#include "interconnect_journey.h"
#include "report_name.h"

#include "tandem/transaction_log.h"

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <sstream>
#include <typeinfo>

namespace tandem
{

namespace
{

/// Bytes from the address on that an access touches.
std::uint64_t extent(const tlm::tlm_generic_payload &payload)
{
  return std::max(1u, std::min(payload.get_data_length(), payload.get_streaming_width()));
}

std::size_t bucket(const sc_core::sc_time &time, std::size_t buckets)
{
  static const std::uint64_t nanosecond = sc_core::sc_time(1, sc_core::SC_NS).value();
  std::size_t index = 0;
  for (std::uint64_t rest = time.value() / nanosecond; rest != 0; rest >>= 1)
    ++index;
  return std::min(index, buckets - 1);
}

void check_names(const std::string &owner, const char *what, std::vector<std::string> names)
{
  std::string cause;
  if (names.empty())
    cause = std::string("has no ") + what;
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    cause = std::string("has two ") + what + " named '" + *twice + "'";
  if (!cause.empty())
    SC_REPORT_ERROR("/tandem/interconnect", (owner + " " + cause).c_str());
}

} // namespace

interconnect::interconnect(sc_core::sc_module_name, const interconnect_config &config,
                           const interconnect_info &info)
    : from("from"), to("to"), config_(config),
      parameters_(report_name("interconnect", name()), with_common_parameters(info.parameters),
                  config.parameters),
      map_(report_name("interconnect", name()), config.map, config.targets,
           static_cast<unsigned>(config.initiators.size()), config.default_target),
      dmi_(parameters_.flag("dmi")), load_interval_(parameters_.time("load_interval")),
      onward_(config.targets.size()),
      paths_(config.initiators.size() * config.targets.size(), path_statistics(load_interval_)),
      decode_errors_(config.initiators.size()), first_refused_(config.initiators.size())
{
  const std::string owner = report_name("interconnect", name());
  if (sc_core::sc_get_time_resolution() > sc_core::sc_time(1, sc_core::SC_NS))
    SC_REPORT_ERROR("/tandem/interconnect",
                    (owner + ": the time resolution is " +
                     sc_core::sc_get_time_resolution().to_string() + " but must be 1 ns or finer")
                        .c_str());
  check_names(owner, "initiators", config.initiators);
  check_names(owner, "targets", config.targets);
  make_locks();
  from.init(config.initiators.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const int tag = static_cast<int>(i);
    from[i].register_b_transport(this, &interconnect::b_transport, tag);
    from[i].register_begin_transport(this, &interconnect::begin_transport, tag);
    from[i].register_transport_dbg(this, &interconnect::transport_dbg, tag);
    from[i].register_get_direct_mem_ptr(this, &interconnect::get_direct_mem_ptr, tag);
    orders_.emplace_back(from[i], arrival_order::any); // b_transport sees to it
    ports_.push_back(&enter_initiator(config.initiators[i]));
  }
  to.init(config.targets.size());
  for (std::size_t t = 0; t < to.size(); ++t)
    to[t].register_invalidate_direct_mem_ptr(this, &interconnect::invalidate, static_cast<int>(t));
}

interconnect::~interconnect() = default;

std::vector<parameter_info>
interconnect::with_common_parameters(std::vector<parameter_info> declared)
{
  declared.push_back({"dmi", "true", "false: every access is a transaction"});
  declared.push_back(
      {"load_interval", "0",
       "of loads over time in the statistics; 0: at most 64 intervals, 1us or more"});
  return declared;
}

void interconnect::transport(const route &way, tlm::tlm_generic_payload &payload,
                             sc_core::sc_time &delay)
{
  forward(way, payload, delay);
}

void interconnect::adjust_dmi(const route &, tlm::tlm_dmi &) {}

void interconnect::forward(const route &way, tlm::tlm_generic_payload &payload,
                           sc_core::sc_time &delay)
{
  const sc_core::sc_time before = sc_core::sc_time_stamp() + delay;
  onward_[way.target].keep(to[way.target], delay);
  to[way.target]->b_transport(payload, delay);
  if (!way.spent)
    return;
  way.spent->forwarded = true;
  way.spent->target += sc_core::sc_time_stamp() + delay - before;
}

void interconnect::count_waiting(const route &way, const sc_core::sc_time &time)
{
  if (way.spent)
    way.spent->waiting += time;
}

/// The range that an access goes to; nullptr for one that is refused.
const address_map::mapping *interconnect::decode(unsigned initiator,
                                                 tlm::tlm_generic_payload &payload,
                                                 const sc_core::sc_time &delay)
{
  const std::uint64_t address = payload.get_address();
  const address_map::mapping *const range = map_.find(initiator, address);
  if (range && extent(payload) - 1 <= range->last - address)
    return range;
  if (decode_errors_[initiator]++ == 0)
    first_refused_[initiator] = address;
  payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  const sc_core::sc_time start = sc_core::sc_time_stamp() + delay;
  if (log_)
    log(log_->next_id(), nullptr, initiator, payload, start, start);
  return nullptr;
}

void interconnect::b_transport(int tag, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  if (delay != sc_core::SC_ZERO_TIME)
    arrive(delay);
  const unsigned initiator = static_cast<unsigned>(tag);
  const access_extension *const access = payload.get_extension<access_extension>();
  if (!says_whose(payload, access)) {
    const named_access named(payload, *ports_[initiator]);
    return b_transport(tag, payload, delay);
  }
  const address_map::mapping *const range = decode(initiator, payload, delay);
  if (!range)
    return;
  const std::uint64_t address = payload.get_address();
  const std::uint64_t id = log_ ? log_->next_id() : 0;
  const sc_core::sc_time start = sc_core::sc_time_stamp() + delay;
  lock_group &group = *lock_of_[range->target];
  access_lock::pass pass(group.lock, initiator, access, delay);
  if (access && !access->is(lock_step::end) && group.lock.held_by(initiator, *access)) {
    group.target = range->target;
    group.address = range->translate(address);
  }
  account spent;
  spent.waiting = pass.waited();
  const route way = {initiator, range->target, &spent};
  payload.set_address(range->translate(address));
  const bool order_only = access && payload.get_command() == tlm::TLM_IGNORE_COMMAND;
  if (order_only)
    send_order_on(way, payload);
  else
    transport(way, payload, delay);
  payload.set_address(address);
  pass.done(delay);
  if (access && access->is(lock_step::end))
    release_others(initiator, *access, group);
  if (!order_only)
    leave(way, payload, id, start, delay);
}

/// The access has ended: the payload has the initiator's address again.
void interconnect::leave(const route &way, tlm::tlm_generic_payload &payload, std::uint64_t id,
                         const sc_core::sc_time &start, const sc_core::sc_time &delay)
{
  if (payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE)
    fail_about(way, payload.get_address(),
               std::string("is left without a response: ") +
                   (way.spent->forwarded ? "its target sets none"
                                         : "transport() returns without having called forward()"));
  if (!dmi_)
    payload.set_dmi_allowed(false);
  const sc_core::sc_time end = sc_core::sc_time_stamp() + delay;
  if (end < start)
    fail_about(way, payload.get_address(),
               "ends " + (start - end).to_string() +
                   " before it starts: transport() or its target sets the delay that it is given, "
                   "in place of adding to it");
  count(way, payload, start, end);
  if (log_)
    log(id, &way, way.initiator, payload, start, end);
}

/// Each target has its lock, or a share in one.
void interconnect::make_locks()
{
  std::vector<std::size_t> group(config_.targets.size()); // a target that stands for all of them
  for (std::size_t t = 0; t < group.size(); ++t)
    group[t] = t;
  const auto index = [this](const std::string &target) {
    return static_cast<std::size_t>(
        std::find(config_.targets.begin(), config_.targets.end(), target) -
        config_.targets.begin());
  };
  for (const address_range &range : config_.map)
    for (const std::string &other : range.more_targets) {
      const std::size_t from_group = group[index(other)], to_group = group[index(range.target)];
      std::replace(group.begin(), group.end(), from_group, to_group);
    }
  std::vector<lock_group *> made(group.size());
  for (const std::size_t representative : group) {
    if (!made[representative])
      made[representative] = &locks_.emplace_back();
    lock_of_.push_back(made[representative]);
  }
}

/// What is about order only takes no time and is no access, but may have waited.
void interconnect::send_order_on(const route &way, tlm::tlm_generic_payload &payload)
{
  sc_core::sc_time none;
  to[way.target]->b_transport(payload, none);
  path_statistics &taken = paths_[way.initiator * config_.targets.size() + way.target];
  taken.total_delay += way.spent->waiting;
  taken.waiting += way.spent->waiting;
}

/// A sequence that touched several targets ends in all of them.
void interconnect::release_others(unsigned initiator, const access_extension &access,
                                  const lock_group &own)
{
  for (lock_group &other : locks_) {
    if (&other == &own || !other.lock.held_by(initiator, access))
      continue;
    send_order(to[other.target], access, other.address);
    other.lock.release();
  }
}

void interconnect::fail_about(const route &way, std::uint64_t address,
                              const std::string &cause) const
{
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> kind(
      abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status), std::free);
  std::ostringstream text;
  text << report_name("interconnect", name()) << " (class " << (kind ? kind.get() : "unknown")
       << "): the access of '" << config_.initiators[way.initiator] << "' to '"
       << config_.targets[way.target] << "' at address 0x" << std::hex << address << " " << cause;
  SC_REPORT_ERROR("/tandem/interconnect", text.str().c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

void interconnect::count(const route &way, const tlm::tlm_generic_payload &payload,
                         const sc_core::sc_time &start, const sc_core::sc_time &end)
{
  path_statistics &taken = paths_[way.initiator * config_.targets.size() + way.target];
  const sc_core::sc_time time = end - start;
  ++taken.transactions;
  if (payload.is_response_ok()) {
    taken.bytes += payload.get_data_length();
    taken.load.add(start, payload.get_data_length());
  } else {
    ++taken.errors;
  }
  taken.total_delay += time;
  taken.waiting += way.spent->waiting;
  taken.target += way.spent->target;
  ++taken.histogram[bucket(time, taken.histogram.size())];
  taken.latency.add(time);
}

/// Whose access it is, as far as anybody has said so.
std::uint32_t interconnect::origin_of(unsigned initiator,
                                      const tlm::tlm_generic_payload &payload) const
{
  const access_extension *const access = payload.get_extension<access_extension>();
  return (access ? access : ports_[initiator])->initiator;
}

/// way: nullptr for an access that was refused.
void interconnect::log(std::uint64_t id, const route *way, unsigned initiator,
                       const tlm::tlm_generic_payload &payload, const sc_core::sc_time &start,
                       const sc_core::sc_time &end)
{
  logged_transaction row;
  row.id = id;
  row.start = start.value();
  row.end = end.value();
  row.interconnect = logged_as_;
  row.initiator = static_cast<std::int16_t>(initiator);
  row.origin = log_->origin(origin_of(initiator, payload), initiator_name);
  if (way) {
    row.target = static_cast<std::int16_t>(way->target);
    row.waiting = way->spent->waiting.value();
    row.target_time = way->spent->target.value();
  }
  row.address = payload.get_address();
  row.length = payload.get_data_length();
  row.command = static_cast<std::int8_t>(payload.get_command());
  row.response = static_cast<std::int8_t>(payload.get_response_status());
  log_->add(row);
}

void interconnect::log_to(transaction_log &log, const std::string &kind)
{
  logged_system system = {
      kind, {}, config_.initiators, config_.targets, config_.map, config_.default_target, name()};
  for (const parameter_info &declared : parameters_.declared())
    system.parameters[declared.name] = parameters_.text(declared.name);
  logged_as_ = log.describe(system);
  log_ = &log;
}

} // namespace tandem
