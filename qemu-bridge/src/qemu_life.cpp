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
  if (wanted != command::halt)
    commands_.clear();
  else if (!commands_.empty() && commands_.back() != command::boot)
    return; // will be at rest anyway
  commands_.push_back(wanted);
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
  exit_ = number;
  wake_.notify();
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
    // Without a process: held, whatever it was, and nothing to halt.
    while (commands_.empty() || commands_.front() != command::boot) {
      if (commands_.empty() && !wait_for_command())
        return;
      if (commands_.front() == command::hold)
        rest_as_told(instance_state::held);
      else if (commands_.front() == command::halt)
        commands_.pop_front();
    }
  }
}

void qemu_instance::rest(instance_state state, rest_cause cause, unsigned number)
{
  if (!commands_.empty() && commands_.front() == command::halt)
    commands_.pop_front(); // rests already
  set_state(state);
  if (on_rest)
    on_rest(state, cause, number);
  domain_.came_to_rest();
}

/// By the command in front.
void qemu_instance::rest_as_told(instance_state state)
{
  commands_.pop_front();
  rest(state, rest_cause::command);
}

bool qemu_instance::wait_for_command()
{
  while (commands_.empty()) {
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
    end_by_itself(rest_cause::reset, 0);
  } else if (exit_ && !fresh) {
    end_by_itself(rest_cause::exit, *exit_);
  } else if (commands_.empty()) {
    if (!fresh)
      return true;
    rest(instance_state::held, rest_cause::command);
  } else if (domain_.mode() == run_mode::free && !fresh) {
    end_process();
  }
  resetting_ = false;
  exit_.reset();
  while (wait_for_command()) {
    if (commands_.front() == command::halt) {
      rest_as_told(instance_state::halted);
    } else if (!fresh) {
      clear_program();
      return true;
    } else if (commands_.front() == command::boot) {
      give_memory();
      return true;
    } else {
      rest_as_told(instance_state::held);
    }
  }
  return false;
}

/// The guest has come to rest by its own doing.
void qemu_instance::end_by_itself(rest_cause cause, unsigned number)
{
  if (domain_.mode() == run_mode::free)
    throw lost_process{instance_state::stopped, cause, number, ""};
  if (cause == rest_cause::reset)
    dmi_.close(memory_window);
  rest(instance_state::stopped, cause, number);
}

/// Free mode: a guest that SystemC does not pace can only be stopped with its process.
void qemu_instance::end_process()
{
  const bool halts = commands_.front() == command::halt;
  commands_.pop_front();
  throw lost_process{halts ? instance_state::halted : instance_state::held, rest_cause::command, 0,
                     ""};
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
  commands_.pop_front();
  reset_wanted_ = false; // that was before the program
  const auto parts = boot_windows(config_.boot_memory, boot_address_, boot_size_);
  bool granted = true;
  for (const qemu_window &part : parts)
    granted &= dmi_.open(part);
  if (!granted) {
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
  exit_.reset();
  if (!commands_.empty() && commands_.front() == command::boot)
    commands_.clear(); // it was this process that was to be booted
  listener_.reset();
  instructions_before_ = count_.instructions;
  cpu_seconds_before_ += process_.cpu_seconds();
  process_.kill();
  domain_.rewatch();
  dmi_.close(memory_window);
  dmi_.forget();
  end_sequence();
  rest(how.state, how.cause, how.number);
}

void qemu_instance::relaunch()
{
  channel_.renew();
  version_.clear();
  last_ns_ = granted_ns_ = latest_ns_ = 0;
  carry_ = sc_core::SC_ZERO_TIME;
  woken_ = false;
  launch();
  domain_.rewatch();
}

} // namespace tandem
