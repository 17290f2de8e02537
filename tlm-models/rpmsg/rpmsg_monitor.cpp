// SPDX-License-Identifier: Apache-2.0
#include "tandem/rpmsg_monitor.h"

#include "rpmsg_link.h"

#include "tandem/transaction_log.h"

namespace tandem
{

rpmsg_monitor::rpmsg_monitor(sc_core::sc_module_name,
                             const std::vector<rpmsg_monitor_slave> &slaves)
    : memory("memory")
{
  for (const rpmsg_monitor_slave &slave : slaves) {
    if (slave.participant >= TANDEM_IDM_MAX_PARTICIPANTS) {
      const std::string cause = std::string("rpmsg monitor ") + name() +
                                ": there can be no participant " +
                                std::to_string(slave.participant);
      SC_REPORT_ERROR("/tandem/rpmsg", cause.c_str());
    }
    links_.push_back(std::make_unique<link>(slave, last_id_));
    links_.back()->on_done = [this](const logged_message &message) {
      if (log_)
        log_->add(as_logged(message));
    };
  }
}

rpmsg_monitor::~rpmsg_monitor() = default;

void rpmsg_monitor::log_to(transaction_log &log, std::vector<std::int16_t> guests)
{
  log_ = &log;
  guests_ = std::move(guests);
}

/// With the log's numbers in place of participants.
logged_message rpmsg_monitor::as_logged(logged_message message) const
{
  for (std::int16_t *const guest : {&message.sender, &message.receiver})
    if (!guests_.empty())
      *guest = guests_.at(static_cast<std::size_t>(*guest));
  return message;
}

void rpmsg_monitor::accessed(unsigned participant, const sc_core::sc_time &time)
{
  for (const auto &here : links_) {
    if (participant == here->master())
      here->look_at_master(time);
    else if (participant == here->participant())
      here->look_at_slave(time);
  }
}

void rpmsg_monitor::rang(unsigned source, std::uint32_t destinations, const sc_core::sc_time &time)
{
  for (const auto &here : links_) {
    if (source == here->master() && destinations >> here->participant() & 1)
      here->master_rang(time);
    else if (source == here->participant() && destinations >> here->master() & 1)
      here->slave_rang(time);
  }
}

void rpmsg_monitor::commanded(const boot_command &command)
{
  for (const auto &here : links_)
    if (command.command == boot_command::kind::boot && command.slave == here->participant())
      here->boot(command, *memory.operator->());
}

void rpmsg_monitor::entered(unsigned participant, boot_state state)
{
  for (const auto &here : links_)
    if (participant == here->participant() && state != boot_state::running)
      here->stop();
}

void rpmsg_monitor::finish()
{
  for (const auto &here : links_)
    here->finish();
}

nlohmann::ordered_json rpmsg_monitor::statistics() const
{
  nlohmann::ordered_json slaves = nlohmann::ordered_json::array();
  for (const auto &here : links_)
    if (nlohmann::ordered_json report = here->report(); !report.is_null())
      slaves.push_back(std::move(report));
  return {{"slaves", std::move(slaves)}};
}

void rpmsg_monitor::trace(sc_core::sc_trace_file *file) const
{
  for (const auto &here : links_)
    here->trace(file, std::string(name()) + ".");
}

} // namespace tandem
