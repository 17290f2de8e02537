// SPDX-License-Identifier: Apache-2.0
#include "tandem/idm.h"

#include "idm_parts.h"

namespace tandem
{

namespace
{

idm_config checked(const char *name, const idm_config &config)
{
  std::string cause;
  if (config.participants < 1 || config.participants > idm_max)
    cause = std::to_string(config.participants) + " participants are not between 1 and " +
            std::to_string(idm_max);
  else if (config.fifo_depth < 1 || config.fifo_depth > TANDEM_IDM_MB_STATUS_LEVEL)
    cause = "a FIFO depth of " + std::to_string(config.fifo_depth) + " is not between 1 and 65535";
  else if (config.locks > TANDEM_IDM_MAX_LOCKS)
    cause = std::to_string(config.locks) + " locks are more than " +
            std::to_string(TANDEM_IDM_MAX_LOCKS);
  else if (static_cast<std::uint64_t>(config.masters) >> config.participants)
    cause = "the mask of masters names a participant that does not exist";
  if (!cause.empty())
    SC_REPORT_ERROR("/tandem/idm", (std::string("IDM ") + name + ": " + cause).c_str());
  return config;
}

} // namespace

idm::idm(sc_core::sc_module_name, const idm_config &config)
    : port("port"), irq("irq"), config_(checked(name(), config)),
      registers_(std::string("IDM ") + name(), TANDEM_IDM_PORT_SIZE), ports_(config.participants)
{
  port.init(config.participants);
  irq.init(config.participants);
  for (unsigned p = 0; p < config.participants; ++p) {
    port[p].register_b_transport(this, &idm::b_transport, static_cast<int>(p));
    port[p].register_transport_dbg(this, &idm::transport_dbg, static_cast<int>(p));
    orders_.emplace_back(port[p], arrival_order::any);
  }
  const auto changed = [this](unsigned participant) { update_irq(participant); };
  doorbells_ = std::make_unique<idm_doorbells>(
      config.participants, changed,
      [this](unsigned source, std::uint32_t destinations) { rang(source, destinations); });
  mailboxes_ = std::make_unique<idm_mailboxes>(config.participants, config.fifo_depth, changed);
  locks_ = std::make_unique<idm_locks>(config.participants, config.locks);
  marks_ = std::make_unique<idm_marks>(
      config.participants,
      [this](unsigned participant, guest_mark &mark) { marked(participant, mark); });
  boot_ = std::make_unique<idm_boot>(config, changed,
                                     [this](const boot_command &wanted) { command(wanted); });
  declare_identification();
  declare_time();
  declare_interrupts();
  doorbells_->declare(registers_);
  mailboxes_->declare(registers_);
  locks_->declare(registers_);
  marks_->declare(registers_);
  boot_->declare(registers_);
}

idm::~idm() = default;

void idm::declare_identification()
{
  const auto constant = [](std::uint32_t value) {
    return register_access{[value](unsigned) { return value; }};
  };
  registers_.declare("id", TANDEM_IDM_ID, constant(TANDEM_IDM_ID_VALUE));
  registers_.declare("version", TANDEM_IDM_VERSION, constant(TANDEM_IDM_VERSION_VALUE));
  registers_.declare("self", TANDEM_IDM_SELF, {[](unsigned p) { return p; }});
  registers_.declare("participants", TANDEM_IDM_PARTICIPANTS, constant(config_.participants));
  registers_.declare("fifo_depth", TANDEM_IDM_FIFO_DEPTH, constant(config_.fifo_depth));
  registers_.declare("locks", TANDEM_IDM_LOCKS, constant(config_.locks));
  registers_.declare("masters", TANDEM_IDM_MASTERS, constant(config_.masters));
  registers_.declare("memory_lo", TANDEM_IDM_MEMORY_LO,
                     constant(static_cast<std::uint32_t>(config_.memory_size)));
  registers_.declare("memory_hi", TANDEM_IDM_MEMORY_HI,
                     constant(static_cast<std::uint32_t>(config_.memory_size >> 32)));
  registers_.declare("exit", TANDEM_IDM_EXIT,
                     {{}, [this](unsigned p, std::uint32_t value) { exit(p, value); }});
  registers_.declare("scratch", TANDEM_IDM_SCRATCH,
                     {[this](unsigned p) { return ports_[p].scratch; },
                      [this](unsigned p, std::uint32_t value) { ports_[p].scratch = value; }});
}

void idm::declare_time()
{
  registers_.declare("time_lo", TANDEM_IDM_TIME_LO,
                     {[this](unsigned p) {
                        const std::uint64_t now = time_ns();
                        ports_[p].time_hi = static_cast<std::uint32_t>(now >> 32);
                        return static_cast<std::uint32_t>(now);
                      },
                      {},
                      [this](unsigned) { return static_cast<std::uint32_t>(time_ns()); }});
  registers_.declare("time_hi", TANDEM_IDM_TIME_HI,
                     {[this](unsigned p) { return ports_[p].time_hi; }});
}

void idm::declare_interrupts()
{
  registers_.declare("irq_status", TANDEM_IDM_IRQ_STATUS,
                     {[this](unsigned p) { return irq_status(p); }});
  registers_.declare("irq_enable", TANDEM_IDM_IRQ_ENABLE,
                     {[this](unsigned p) { return ports_[p].irq_enable; },
                      [this](unsigned p, std::uint32_t value) {
                        ports_[p].irq_enable = value;
                        update_irq(p);
                      }});
}

std::uint32_t idm::irq_status(unsigned participant) const
{
  return doorbells_->causes(participant) | mailboxes_->causes(participant) |
         boot_->causes(participant);
}

void idm::update_irq(unsigned participant)
{
  irq[participant].write(irq_status(participant) & ports_[participant].irq_enable);
}

void idm::exit(unsigned participant, std::uint32_t value)
{
  if (on_exit)
    on_exit(participant, value & 0xff);
  else if (!warned_exit_)
    SC_REPORT_WARNING("/tandem/idm",
                      (std::string("IDM ") + name() + ": requests to end are ignored").c_str());
  warned_exit_ = true;
}

std::uint64_t idm::time_ns() const
{
  static const std::uint64_t nanosecond = sc_core::sc_time(1, sc_core::SC_NS).value();
  return (sc_core::sc_time_stamp() + offset_).value() / nanosecond;
}

void idm::rang(unsigned source, std::uint32_t destinations) const
{
  for (idm_observer *const observer : observers_)
    observer->rang(source, destinations, sc_core::sc_time_stamp() + offset_);
}

void idm::marked(unsigned participant, guest_mark &mark) const
{
  mark.time = sc_core::sc_time_stamp() + offset_;
  for (idm_observer *const observer : observers_)
    observer->marked(participant, mark);
}

void idm::command(const boot_command &command)
{
  for (idm_observer *const observer : observers_)
    observer->commanded(command);
  if (command.command == boot_command::kind::boot)
    reset_port(command.slave);
  if (on_boot)
    on_boot(command);
  else if (!warned_boot_)
    SC_REPORT_WARNING("/tandem/idm",
                      (std::string("IDM ") + name() + ": boot commands are ignored").c_str());
  warned_boot_ = true;
}

/// As after power-on, so that a program does not find what was meant for the one before it.
/// What that one had sent to others stays for them.
void idm::reset_port(unsigned participant)
{
  port_state &here = ports_[participant];
  here.irq_enable = here.scratch = here.time_hi = 0;
  doorbells_->reset(participant);
  mailboxes_->reset(participant);
  locks_->reset(participant);
  marks_->reset(participant);
  update_irq(participant);
}

void idm::check_participant(unsigned participant) const
{
  if (participant < config_.participants)
    return;
  const std::string cause =
      std::string("IDM ") + name() + ": there is no participant " + std::to_string(participant);
  SC_REPORT_ERROR("/tandem/idm", cause.c_str());
}

void idm::make_bootable(unsigned participant, const bootable &description)
{
  check_participant(participant);
  boot_->make_bootable(participant, description);
}

void idm::set_state(unsigned participant, boot_state state, std::uint32_t reason)
{
  check_participant(participant);
  boot_->set_state(participant, state, reason);
  for (idm_observer *const observer : observers_)
    observer->entered(participant, state);
}

boot_state idm::state(unsigned participant) const
{
  return boot_->state(participant);
}

void idm::b_transport(int participant, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  const unsigned p = static_cast<unsigned>(participant);
  ++ports_[p].accesses;
  // Hooks may wait(), and others may be served meanwhile: the offset is only
  // for this access, and only registers that do not wait look at it.
  offset_ = delay;
  registers_.transport(p, payload);
  offset_ = sc_core::SC_ZERO_TIME;
  for (idm_observer *const observer : observers_)
    observer->accessed(p, sc_core::sc_time_stamp() + delay);
  delay += config_.access_latency;
}

unsigned idm::transport_dbg(int participant, tlm::tlm_generic_payload &payload)
{
  return registers_.debug(static_cast<unsigned>(participant), payload);
}

nlohmann::ordered_json idm::statistics() const
{
  nlohmann::ordered_json participants = nlohmann::ordered_json::array();
  for (unsigned p = 0; p < config_.participants; ++p) {
    nlohmann::ordered_json entry = {{"participant", statistic::label(p)},
                                    {"accesses", ports_[p].accesses}};
    doorbells_->report(p, entry);
    mailboxes_->report(p, entry);
    locks_->report(p, entry);
    boot_->report(p, entry);
    participants.push_back(std::move(entry));
  }
  return {{"participants", std::move(participants)}};
}

void idm::trace(sc_core::sc_trace_file *file) const
{
  for (unsigned p = 0; p < config_.participants; ++p) {
    const std::string prefix = std::string(name()) + ".p" + std::to_string(p) + ".";
    sc_core::sc_trace(file, irq[p].level(), prefix + "irq");
    doorbells_->trace(file, p, prefix);
    mailboxes_->trace(file, p, prefix);
    boot_->trace(file, p, prefix);
  }
  locks_->trace(file, std::string(name()) + ".");
}

} // namespace tandem
