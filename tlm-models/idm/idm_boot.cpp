// SPDX-License-Identifier: Apache-2.0
#include "idm_parts.h"

namespace tandem
{

namespace
{

const char *const setup_names[] = {"entry_lo",  "entry_hi", "arg_lo",  "arg_hi", "window_lo",
                                   "window_hi", "size_lo",  "size_hi", "cpu"};
const char *const identity_names[] = {"machine", "ram_lo", "ram_hi", "limit_lo", "limit_hi"};

constexpr std::uint64_t page = 4096;

std::uint32_t low(std::uint64_t value)
{
  return static_cast<std::uint32_t>(value);
}

std::uint32_t high(std::uint64_t value)
{
  return static_cast<std::uint32_t>(value >> 32);
}

std::uint64_t wide(const std::uint32_t *words)
{
  return words[0] | static_cast<std::uint64_t>(words[1]) << 32;
}

} // namespace

idm_boot::idm_boot(const idm_config &config, idm_changed changed,
                   std::function<void(const boot_command &)> command)
    : masters_(config.masters), memory_size_(config.memory_size), blocks_(config.participants),
      events_(config.participants), violations_(config.participants), changed_(std::move(changed)),
      command_(std::move(command))
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
  registers.declare(prefix + "result", base + TANDEM_IDM_BOOT_RESULT, {readable(here.result)});
  for (unsigned w = 0; w < identity_words; ++w)
    registers.declare(prefix + identity_names[w], base + TANDEM_IDM_BOOT_MACHINE + w * 4,
                      {readable(here.identity[w])});
  registers.declare(prefix + "ack", base + TANDEM_IDM_BOOT_ACK,
                    {{}, writable([this, slave](unsigned port, std::uint32_t) {
                       events_[port] &= ~bit(slave);
                       changed_(port);
                     })});
}

void idm_boot::control(unsigned master, unsigned slave, std::uint32_t value)
{
  const auto &setup = blocks_[slave].setup;
  boot_command command;
  command.master = master;
  command.slave = slave;
  command.command = static_cast<boot_command::kind>(value);
  command.entry = wide(&setup[TANDEM_IDM_BOOT_ENTRY_LO / 4]);
  command.argument = wide(&setup[TANDEM_IDM_BOOT_ARG_LO / 4]);
  command.window = wide(&setup[TANDEM_IDM_BOOT_WINDOW_LO / 4]);
  command.size = wide(&setup[TANDEM_IDM_BOOT_SIZE_LO / 4]);
  command.cpu = setup[TANDEM_IDM_BOOT_CPU / 4];
  blocks_[slave].result = check(command);
  if (blocks_[slave].result == TANDEM_IDM_BOOT_RESULT_OK)
    command_(command);
  else
    ++violations_[master];
}

std::uint32_t idm_boot::check(const boot_command &command) const
{
  const block &here = blocks_[command.slave];
  if (here.identity[0] == 0)
    return TANDEM_IDM_BOOT_RESULT_SLAVE;
  const bool running = here.status == TANDEM_IDM_BOOT_RUNNING;
  switch (command.command) {
  case boot_command::kind::boot:
    return running ? TANDEM_IDM_BOOT_RESULT_STATE : check_boot(command);
  case boot_command::kind::halt:
    return running ? TANDEM_IDM_BOOT_RESULT_OK : TANDEM_IDM_BOOT_RESULT_STATE;
  case boot_command::kind::reset:
    return TANDEM_IDM_BOOT_RESULT_OK;
  }
  return TANDEM_IDM_BOOT_RESULT_COMMAND;
}

std::uint32_t idm_boot::check_boot(const boot_command &command) const
{
  const auto &identity = blocks_[command.slave].identity;
  const std::uint64_t ram = wide(&identity[1]), limit = wide(&identity[3]);
  const std::uint64_t cpus = identity[0] >> 24;
  if (command.size == 0 || command.size % page || command.window % page || command.size > limit ||
      command.window > memory_size_ || command.size > memory_size_ - command.window)
    return TANDEM_IDM_BOOT_RESULT_WINDOW;
  if (command.entry < ram || command.entry - ram >= command.size)
    return TANDEM_IDM_BOOT_RESULT_ENTRY;
  return command.cpu < cpus ? TANDEM_IDM_BOOT_RESULT_OK : TANDEM_IDM_BOOT_RESULT_CPU;
}

void idm_boot::make_bootable(unsigned participant, const bootable &what)
{
  block &here = blocks_[participant];
  here.identity = {what.elf_machine | what.elf_bits << 16 | what.cpus << 24, low(what.ram),
                   high(what.ram), low(what.limit), high(what.limit)};
  here.setup[TANDEM_IDM_BOOT_ENTRY_LO / 4] = low(what.ram);
  here.setup[TANDEM_IDM_BOOT_ENTRY_HI / 4] = high(what.ram);
  here.setup[TANDEM_IDM_BOOT_WINDOW_LO / 4] = low(what.window);
  here.setup[TANDEM_IDM_BOOT_WINDOW_HI / 4] = high(what.window);
  here.setup[TANDEM_IDM_BOOT_SIZE_LO / 4] = low(what.window_size);
  here.setup[TANDEM_IDM_BOOT_SIZE_HI / 4] = high(what.window_size);
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
