// SPDX-License-Identifier: Apache-2.0
#include "rpmsg_link.h"

#include <algorithm>

namespace tandem
{

namespace
{

constexpr std::size_t most_endpoints = 256; // of a slave, that are told apart

nlohmann::ordered_json report_counts(const rpmsg_counts &counts)
{
  nlohmann::ordered_json report = {{"kicks", counts.kicks},
                                   {"kicks_without_buffers", counts.empty_kicks},
                                   {"messages", counts.messages},
                                   {"bytes", counts.bytes},
                                   {"returned", counts.returned},
                                   {"unreturned", counts.unreturned},
                                   {"in_use", statistic::level(counts.in_use)},
                                   {"in_use_highest", counts.in_use_highest.report()},
                                   {"bad_indices", counts.bad_indices},
                                   {"bad_entries", counts.bad_entries},
                                   {"bad_messages", counts.bad_messages}};
  report.update(counts.latency.report());
  return report;
}

template <typename Traffic> nlohmann::ordered_json report_traffic(const Traffic &traffic)
{
  nlohmann::ordered_json report = {{"messages", traffic.messages}, {"bytes", traffic.bytes}};
  report.update(traffic.latency.report());
  return report;
}

/// A kick of one side, which may concern both queues.
void count_kick(rpmsg_counts &counts, bool &news)
{
  ++counts.kicks;
  counts.empty_kicks += !news;
  news = false;
}

} // namespace

rpmsg_monitor::link::link(const rpmsg_monitor_slave &slave, std::uint64_t &last_id)
    : slave_(slave), last_id_(last_id)
{
  endpoints_[TANDEM_RPMSG_ADDRESS_NAME_SERVICE].name = "name service";
  for (const bool to_master : {true, false}) {
    rpmsg_queue &queue = to_master ? to_master_ : to_slave_;
    queue.on_sent = [this, to_master](const slave_memory &memory, std::uint64_t payload,
                                      logged_message &message) {
      sent(to_master, memory, payload, message);
    };
    queue.on_done = [this, to_master](const logged_message &message) { done(to_master, message); };
  }
}

void rpmsg_monitor::link::boot(const boot_command &command, tlm::tlm_fw_transport_if<> &memory)
{
  stop();
  master_ = command.master;
  const slave_memory window(memory, slave_.ram, command.window, command.size);
  const auto entry = find_rpmsg_entry(window, command.argument);
  if (!entry)
    return;
  memory_ = window;
  table_ = command.argument;
  entry_ = *entry;
}

void rpmsg_monitor::link::stop()
{
  to_master_.stop();
  to_slave_.stop();
  attached_ = false;
  memory_.reset();
}

void rpmsg_monitor::link::finish() const
{
  to_master_.for_each_under_way(on_done);
  to_slave_.for_each_under_way(on_done);
}

bool rpmsg_monitor::link::driver_ok() const
{
  return memory_->number(entry_ + TANDEM_RSC_VDEV_STATUS, 1) & TANDEM_VIRTIO_STATUS_DRIVER_OK;
}

/// The rings are there only when the master's driver has said so.
bool rpmsg_monitor::link::attach()
{
  if (attached_ || !memory_ || !driver_ok())
    return attached_;
  const auto device = read_rpmsg_device(*memory_, table_, entry_);
  if (!device) {
    ++bad_devices_;
    memory_.reset();
    return false;
  }
  ++devices_;
  to_master_.start(device->vrings[TANDEM_RPMSG_VRING_TO_MASTER], device->translation);
  to_slave_.start(device->vrings[TANDEM_RPMSG_VRING_TO_REMOTE], device->translation);
  master_news_ = slave_news_ = false;
  return attached_ = true;
}

void rpmsg_monitor::link::look_at_master(const sc_core::sc_time &time)
{
  if (!attached_)
    return;
  if (!driver_ok()) { // the status is the master's own to write
    to_master_.stop(*memory_, time);
    to_slave_.stop();
    attached_ = false;
    return;
  }
  master_news_ |= to_master_.look_at_receiver(*memory_, time);
  master_news_ |= to_slave_.look_at_sender(*memory_, time);
}

void rpmsg_monitor::link::look_at_slave(const sc_core::sc_time &time)
{
  if (!attached_)
    return;
  slave_news_ |= to_slave_.look_at_receiver(*memory_, time);
  slave_news_ |= to_master_.look_at_sender(*memory_, time);
}

void rpmsg_monitor::link::master_rang(const sc_core::sc_time &time)
{
  if (!attach())
    return;
  look_at_master(time);
  count_kick(to_slave_.counts, master_news_);
}

void rpmsg_monitor::link::slave_rang(const sc_core::sc_time &time)
{
  if (!attach())
    return;
  look_at_slave(time);
  count_kick(to_master_.counts, slave_news_);
}

void rpmsg_monitor::link::sent(bool to_master, const slave_memory &memory, std::uint64_t payload,
                               logged_message &message)
{
  message.id = ++last_id_;
  message.sender = static_cast<std::int16_t>(to_master ? slave_.participant : master_);
  message.receiver = static_cast<std::int16_t>(to_master ? master_ : slave_.participant);
  if (to_master && message.destination == TANDEM_RPMSG_ADDRESS_NAME_SERVICE)
    announced(memory, payload, message);
  traffic &counted = traffic_of(to_master, message);
  ++counted.messages;
  counted.bytes += message.length;
  message.endpoint = endpoint_of(to_master, message).name;
}

void rpmsg_monitor::link::done(bool to_master, const logged_message &message)
{
  if (message.returned)
    traffic_of(to_master, message)
        .latency.add(sc_core::sc_time::from_value(*message.returned - message.sent));
  on_done(message);
}

/// Announcements are the name service's, on whichever side it is.
rpmsg_monitor::link::endpoint &rpmsg_monitor::link::endpoint_of(bool to_master,
                                                                const logged_message &message)
{
  const bool by_source = to_master && message.destination != TANDEM_RPMSG_ADDRESS_NAME_SERVICE;
  return endpoint_at(by_source ? message.source : message.destination);
}

rpmsg_monitor::link::traffic &rpmsg_monitor::link::traffic_of(bool to_master,
                                                              const logged_message &message)
{
  endpoint &here = endpoint_of(to_master, message);
  return to_master ? here.to_master : here.to_slave;
}

void rpmsg_monitor::link::announced(const slave_memory &memory, std::uint64_t payload,
                                    const logged_message &message)
{
  unsigned char data[TANDEM_RPMSG_NS_SIZE];
  if (message.length != sizeof data || !memory.read(payload, data, sizeof data))
    return;
  if (number_at(data + TANDEM_RPMSG_NS_FLAGS, 4) != TANDEM_RPMSG_NS_CREATE)
    return;
  const auto address = static_cast<std::uint32_t>(number_at(data + TANDEM_RPMSG_NS_ADDRESS, 4));
  endpoint &named = endpoint_at(address);
  if (&named == &others_)
    return;
  named.name = std::string(data, std::find(data, data + TANDEM_RPMSG_NS_NAME_SIZE, 0));
  std::replace_if(
      named.name.begin(), named.name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
}

rpmsg_monitor::link::endpoint &rpmsg_monitor::link::endpoint_at(std::uint32_t address)
{
  const auto known = endpoints_.find(address);
  if (known != endpoints_.end())
    return known->second;
  return endpoints_.size() < most_endpoints ? endpoints_[address] : others_;
}

nlohmann::ordered_json rpmsg_monitor::link::report() const
{
  if (devices_ == 0 && bad_devices_ == 0)
    return nullptr;
  nlohmann::ordered_json endpoints = nlohmann::ordered_json::array();
  for (const auto &[address, here] : endpoints_)
    endpoints.push_back({{"address", statistic::label(address)},
                         {"name", here.name},
                         {"to_master", report_traffic(here.to_master)},
                         {"to_slave", report_traffic(here.to_slave)}});
  if (others_.to_master.messages || others_.to_slave.messages)
    endpoints.push_back({{"address", nullptr},
                         {"name", "others"},
                         {"to_master", report_traffic(others_.to_master)},
                         {"to_slave", report_traffic(others_.to_slave)}});
  return {{"slave", slave_.name},
          {"devices", devices_},
          {"bad_devices", bad_devices_},
          {"to_master", report_counts(to_master_.counts)},
          {"to_slave", report_counts(to_slave_.counts)},
          {"endpoints", std::move(endpoints)}};
}

void rpmsg_monitor::link::trace(sc_core::sc_trace_file *file, const std::string &prefix) const
{
  for (const bool to_master : {true, false}) {
    const rpmsg_counts &counts = to_master ? to_master_.counts : to_slave_.counts;
    const std::string here = prefix + slave_.name + (to_master ? ".to_master_" : ".to_slave_");
    sc_core::sc_trace(file, counts.kicks, here + "kicks");
    sc_core::sc_trace(file, counts.messages, here + "messages");
    sc_core::sc_trace(file, counts.in_use, here + "in_use");
  }
}

} // namespace tandem
