// SPDX-License-Identifier: Apache-2.0
#include "qemu_life.h"

#include <algorithm>

namespace tandem
{
namespace
{

constexpr const char *memory_window = "memory";

} // namespace

struct qemu_life::reset_input : interrupt_if {
  explicit reset_input(qemu_life &owner) : owner_(owner) {}
  void set_level(bool now) override
  {
    if (now && !high_) {
      owner_.reset_wanted_ = true;
      owner_.session_.wake();
    }
    high_ = now;
  }

private:
  qemu_life &owner_;
  bool high_ = false;
};

qemu_life::qemu_life(time_domain &domain, const qemu_config &config, qemu_session &session,
                     qemu_accesses &accesses, qemu_report &report, listener on_rest)
    : domain_(domain), config_(config), session_(session), accesses_(accesses), report_(report),
      on_rest_(std::move(on_rest)), reset_input_(std::make_unique<reset_input>(*this))
{
}

qemu_life::~qemu_life() = default;

interrupt_if &qemu_life::reset()
{
  return *reset_input_;
}

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

void qemu_life::post(command wanted)
{
  if (wanted != command::halt)
    commands_.clear();
  else if (!commands_.empty() && commands_.back() != command::boot)
    return; // will be at rest anyway
  commands_.push_back(wanted);
  session_.wake();
}

void qemu_life::boot(std::uint64_t platform_address, std::uint64_t size)
{
  boot_address_ = platform_address;
  boot_size_ = size;
  report_.set_state(instance_state::running);
  post(command::boot);
}

void qemu_life::switch_off(unsigned number)
{
  exit_ = number;
  session_.wake();
}

bool qemu_life::at_rest() const
{
  const instance_state state = report_.state();
  const bool never_started = state == instance_state::held && config_.held;
  return never_started || state == instance_state::halted || state == instance_state::stopped ||
         state == instance_state::crashed;
}

// ---- the instance's own thread ----

void qemu_life::rest(instance_state state, rest_cause cause, unsigned number)
{
  if (is_next(command::halt))
    commands_.pop_front(); // rests already
  report_.set_state(state);
  on_rest_(state, cause, number);
  domain_.came_to_rest();
}

/// By the command in front.
void qemu_life::rest_as_told(instance_state state)
{
  commands_.pop_front();
  rest(state, rest_cause::command);
}

bool qemu_life::wait_for_command()
{
  while (commands_.empty())
    if (!session_.wait_for_wake())
      return false;
  return true;
}

bool qemu_life::obey_commands()
{
  // Without a program; everywhere else a program has to be cleared away before
  // another comes.
  const std::uint32_t kind = session_.request().kind;
  const bool fresh = kind == TANDEM_WIRE_READY || kind == TANDEM_WIRE_RESET;
  if (resetting_ && !fresh)
    return true;
  if (kind == TANDEM_WIRE_RESET && !resetting_) {
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
    if (is_next(command::halt)) {
      rest_as_told(instance_state::halted);
    } else if (!fresh) {
      clear_program();
      return true;
    } else if (is_next(command::boot)) {
      give_memory();
      return true;
    } else {
      rest_as_told(instance_state::held);
    }
  }
  return false;
}

/// The guest has come to rest by its own doing.
void qemu_life::end_by_itself(rest_cause cause, unsigned number)
{
  if (domain_.mode() == run_mode::free)
    throw lost_process{instance_state::stopped, cause, number, ""};
  if (cause == rest_cause::reset)
    accesses_.memory().close(memory_window);
  rest(instance_state::stopped, cause, number);
}

void qemu_life::power_off()
{
  const auto status = static_cast<unsigned>(session_.request().data);
  if (config_.held)
    throw lost_process{instance_state::stopped, rest_cause::poweroff, status, ""};
  report_.set_state(instance_state::stopped);
  domain_.came_to_rest();
  on_rest_(instance_state::stopped, rest_cause::poweroff, status);
}

/// Free mode: a guest that SystemC does not pace can only be stopped with its
/// process.
void qemu_life::end_process()
{
  const bool halts = commands_.front() == command::halt;
  commands_.pop_front();
  throw lost_process{halts ? instance_state::halted : instance_state::held, rest_cause::command, 0,
                     ""};
}

/// The reply takes the memory away and resets the machine; the command stays
/// for the RESET request that follows.
void qemu_life::clear_program()
{
  accesses_.memory().close(memory_window);
  reset_wanted_ = resetting_ = true;
}

void qemu_life::give_memory()
{
  commands_.pop_front();
  reset_wanted_ = false; // that was before the program
  bool granted = true;
  for (const qemu_window &part : boot_windows(config_.boot_memory, boot_address_, boot_size_))
    granted &= accesses_.memory().open(part);
  if (!granted)
    report_.error("the interconnect grants no direct access to the memory that "
                  "it is to run from");
}

void qemu_life::check_memory()
{
  const bool runs = config_.held && !resetting_ && accesses_.memory().is_open(memory_window);
  if (runs && !accesses_.memory().is_direct(memory_window))
    report_.error("the memory that it runs from is to be observed access by access" + at_time() +
                  ", which is not possible");
}

void qemu_life::lose(const lost_process &how)
{
  if (!how.sentence.empty())
    report_.warn(how.sentence);
  if (how.cause != rest_cause::poweroff)
    session_.cannot_repeat("its process was lost");
  resetting_ = reset_wanted_ = false;
  exit_.reset();
  if (is_next(command::boot))
    commands_.clear(); // it was this process that was to be booted
  session_.end();
  accesses_.memory().close(memory_window);
  accesses_.memory().forget();
  accesses_.end_sequence();
  rest(how.state, how.cause, how.number);
}

/// Without a process: held, whatever it was, and nothing to halt.
bool qemu_life::wait_for_boot()
{
  while (!is_next(command::boot)) {
    if (!wait_for_command())
      return false;
    if (is_next(command::hold))
      rest_as_told(instance_state::held);
    else if (is_next(command::halt))
      commands_.pop_front();
  }
  return true;
}

} // namespace tandem
