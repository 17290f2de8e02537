// SPDX-License-Identifier: Apache-2.0
#include "idm_parts.h"

namespace tandem
{

namespace
{

const char *const setup_names[] = {"entry_lo",  "entry_hi", "arg_lo",  "arg_hi", "window_lo",
                                   "window_hi", "size_lo",  "size_hi", "cpu"};

} // namespace

idm_boot::idm_boot(const idm_config &config, idm_changed changed,
                   std::function<void(const boot_command &)> command)
    : masters_(config.masters), blocks_(config.participants), events_(config.participants),
      violations_(config.participants), changed_(std::move(changed)), command_(std::move(command))
{
}

void idm_boot::declare(register_bank &registers)
{
  registers.declare("boot_event", TANDEM_IDM_BOOT_EVENT,
                    {[this](unsigned port) { return events_[port]; }});
  for (unsigned s = 0; s < blocks_.size(); ++s)
    declare_block(registers, s);
}

void idm_boot::declare_block(register_bank &registers, unsigned slave)
{
  const unsigned base = TANDEM_IDM_BOOT(slave);
  const std::string prefix = "boot" + std::to_string(slave) + "_";
  const auto readable = [this, slave](const std::uint32_t &value) {
    return [this, slave, &value](unsigned port) { return may_read(port, slave) ? value : 0; };
  };
  const auto writable = [this](std::function<void(unsigned, std::uint32_t)> apply) {
    return [this, apply](unsigned port, std::uint32_t value) {
      if (is_master(port))
        apply(port, value);
      else
        ++violations_[port];
    };
  };
  block &here = blocks_[slave];
  for (unsigned w = 0; w < words; ++w)
    registers.declare(prefix + setup_names[w], base + w * 4,
                      {readable(here.setup[w]), writable([&here, w](unsigned, std::uint32_t value) {
                         here.setup[w] = value;
                       })});
  registers.declare(prefix + "control", base + TANDEM_IDM_BOOT_CONTROL,
                    {{}, writable([this, slave](unsigned port, std::uint32_t value) {
                       control(port, slave, value);
                     })});
  registers.declare(prefix + "status", base + TANDEM_IDM_BOOT_STATUS, {readable(here.status)});
  registers.declare(prefix + "reason", base + TANDEM_IDM_BOOT_REASON, {readable(here.reason)});
  registers.declare(prefix + "count", base + TANDEM_IDM_BOOT_COUNT, {readable(here.count)});
  registers.declare(prefix + "ack", base + TANDEM_IDM_BOOT_ACK,
                    {{}, writable([this, slave](unsigned port, std::uint32_t) {
                       events_[port] &= ~bit(slave);
                       changed_(port);
                     })});
}

void idm_boot::control(unsigned master, unsigned slave, std::uint32_t value)
{
  if (value < TANDEM_IDM_BOOT_CMD_BOOT || value > TANDEM_IDM_BOOT_CMD_HALT) {
    ++violations_[master];
    return;
  }
  const auto &setup = blocks_[slave].setup;
  const auto wide = [&setup](unsigned offset) {
    return setup[offset / 4] | static_cast<std::uint64_t>(setup[offset / 4 + 1]) << 32;
  };
  boot_command command;
  command.master = master;
  command.slave = slave;
  command.command = static_cast<boot_command::kind>(value);
  command.entry = wide(TANDEM_IDM_BOOT_ENTRY_LO);
  command.argument = wide(TANDEM_IDM_BOOT_ARG_LO);
  command.window = wide(TANDEM_IDM_BOOT_WINDOW_LO);
  command.size = wide(TANDEM_IDM_BOOT_SIZE_LO);
  command.cpu = setup[TANDEM_IDM_BOOT_CPU / 4];
  command_(command);
}

void idm_boot::set_state(unsigned participant, boot_state state, std::uint32_t reason)
{
  block &here = blocks_[participant];
  const std::uint32_t status = static_cast<std::uint32_t>(state);
  if (status == here.status && reason == here.reason && state != boot_state::running)
    return;
  here.status = status;
  here.reason = reason;
  if (state == boot_state::running)
    ++here.count;
  for (unsigned m = 0; m < blocks_.size(); ++m) {
    if (is_master(m)) {
      events_[m] |= bit(participant);
      changed_(m);
    }
  }
}

boot_state idm_boot::state(unsigned participant) const
{
  return static_cast<boot_state>(blocks_[participant].status);
}

std::uint32_t idm_boot::causes(unsigned participant) const
{
  return events_[participant] ? TANDEM_IDM_IRQ_BOOT : 0;
}

void idm_boot::report(unsigned participant, nlohmann::ordered_json &to) const
{
  to["boots"] = blocks_[participant].count;
  to["boot_violations"] = violations_[participant];
}

void idm_boot::trace(sc_core::sc_trace_file *file, unsigned participant,
                     const std::string &prefix) const
{
  sc_core::sc_trace(file, blocks_[participant].status, prefix + "boot_status");
}

} // namespace tandem
