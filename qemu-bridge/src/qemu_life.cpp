// SPDX-License-Identifier: Apache-2.0
// The life of a held instance: boot, hold, halt, and boot again.
#include "tandem/qemu_instance.h"

#include <algorithm>

namespace tandem
{
namespace
{

constexpr const char *report_type = "/tandem/qemu";
constexpr const char *memory_window = "memory";

} // namespace

std::vector<qemu_window> boot_windows(const qemu_boot_memory &place, std::uint64_t platform_address,
                                      std::uint64_t size)
{
  std::vector<qemu_window> parts;
  const auto add = [&](std::uint64_t begin, std::uint64_t end) {
    if (begin < end)
      parts.push_back(
          {memory_window, place.guest_address + begin, end - begin, platform_address + begin});
  };
  if (place.hole == place.hole_end) {
    add(0, size);
  } else {
    add(0, std::min(size, place.hole));
    add(place.hole_end, size);
  }
  return parts;
}

// ---- commands, on the thread of whoever gives them ----

void qemu_instance::post(command wanted)
{
  command_ = wanted;
  wake_.notify();
}

void qemu_instance::boot(std::uint64_t platform_address, std::uint64_t size)
{
  boot_address_ = platform_address;
  boot_size_ = size;
  set_state(instance_state::running);
  post(command::boot);
}

void qemu_instance::hold()
{
  post(command::hold);
}

void qemu_instance::halt()
{
  post(command::halt);
}

void qemu_instance::switch_off(unsigned number)
{
  off_number_ = number;
  post(command::off);
}

bool qemu_instance::at_rest() const
{
  const bool never_started = state_ == instance_state::held && config_.held;
  return never_started || state_ == instance_state::halted || state_ == instance_state::stopped ||
         state_ == instance_state::crashed;
}

// ---- the instance's own thread ----

void qemu_instance::run()
{
  for (bool again = false;; again = true) {
    try {
      if (again)
        relaunch();
      return live();
    } catch (const lost_process &how) {
      lose_process(how);
    }
    while (command_ != command::boot) {
      if (command_ == command::hold)
        rest(instance_state::held, rest_cause::command);
      if (!wait_for_command())
        return;
    }
  }
}

void qemu_instance::rest(instance_state state, rest_cause cause, unsigned number)
{
  command_ = command::none;
  set_state(state);
  if (on_rest)
    on_rest(state, cause, number);
  domain_.came_to_rest();
}

bool qemu_instance::wait_for_command()
{
  while (command_ == command::none) {
    wait(wake_);
    if (domain_.must_stop())
      return false;
    if (dead_)
      report_death();
  }
  return true;
}

/// Before a request is answered: carries out what the master wants. Returns when the guest may
/// go on, or is to be reset; false when the simulation stops.
bool qemu_instance::obey()
{
  // Without a program; everywhere else a program has to be cleared away before another comes.
  const bool fresh = request_.kind == TANDEM_WIRE_READY || request_.kind == TANDEM_WIRE_RESET;
  if (!config_.held || (resetting_ && !fresh))
    return true;
  if (request_.kind == TANDEM_WIRE_RESET && !resetting_) {
    if (domain_.mode() == run_mode::free)
      throw lost_process{instance_state::stopped, rest_cause::reset, 0, ""};
    dmi_.close(memory_window);
    rest(instance_state::stopped, rest_cause::reset);
  } else if (fresh && command_ == command::none) {
    rest(instance_state::held, rest_cause::command);
  } else if (command_ == command::none) {
    return true;
  } else if (domain_.mode() == run_mode::free && !fresh) {
    end_process();
  }
  resetting_ = false;
  for (;;) {
    switch (command_) {
    case command::none:
      break;
    case command::halt:
      rest(instance_state::halted, rest_cause::command);
      break;
    case command::off:
      rest(instance_state::stopped, rest_cause::exit, off_number_);
      break;
    case command::hold:
    case command::boot:
      if (!fresh) {
        clear_program();
        return true;
      }
      if (command_ == command::boot) {
        give_memory();
        return true;
      }
      rest(instance_state::held, rest_cause::command);
      break;
    }
    if (!wait_for_command())
      return false;
  }
}

/// Free mode: a guest that SystemC does not pace can only be stopped with its process.
void qemu_instance::end_process()
{
  switch (command_) {
  case command::halt:
    throw lost_process{instance_state::halted, rest_cause::command, 0, ""};
  case command::off:
    throw lost_process{instance_state::stopped, rest_cause::exit, off_number_, ""};
  default:
    throw lost_process{instance_state::held, rest_cause::command, 0, ""};
  }
}

/// The reply takes the memory away and resets the machine; the command stays for the RESET
/// request that follows.
void qemu_instance::clear_program()
{
  dmi_.close(memory_window);
  reset_wanted_ = resetting_ = true;
}

void qemu_instance::give_memory()
{
  command_ = command::none;
  const std::uint64_t before = dmi_.maps();
  const auto parts = boot_windows(config_.boot_memory, boot_address_, boot_size_);
  for (const qemu_window &part : parts)
    dmi_.open(part);
  if (dmi_.maps() - before < parts.size()) {
    const std::string cause =
        std::string(basename()) +
        ": the interconnect grants no direct access to the memory that it is to run from";
    SC_REPORT_ERROR(report_type, cause.c_str());
  }
}

void qemu_instance::lose_process(const lost_process &how)
{
  if (!how.sentence.empty())
    SC_REPORT_WARNING(report_type, how.sentence.c_str());
  if (released_)
    domain_.returned();
  released_ = taken_ = resetting_ = reset_wanted_ = dead_ = false;
  listener_.reset();
  instructions_before_ = count_.instructions;
  cpu_seconds_before_ += process_.cpu_seconds();
  process_.kill();
  domain_.rewatch();
  dmi_.close(memory_window);
  dmi_.forget();
  rest(how.state, how.cause, how.number);
}

void qemu_instance::relaunch()
{
  channel_.renew();
  version_.clear();
  last_ns_ = granted_ns_ = 0;
  carry_ = sc_core::SC_ZERO_TIME;
  woken_ = false;
  launch();
  domain_.rewatch();
}

} // namespace tandem
