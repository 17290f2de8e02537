// SPDX-License-Identifier: Apache-2.0
// The life of an instance: what it is commanded and what it does by itself;
// qemu_instance.h has the precedence.
#pragma once

#include "qemu_accesses.h"
#include "tandem/interrupt.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace tandem
{

class qemu_life
{
public:
  using listener = std::function<void(instance_state state, rest_cause cause, unsigned number)>;

  qemu_life(time_domain &domain, const qemu_config &config, qemu_session &session,
            qemu_accesses &accesses, qemu_report &report, listener on_rest);
  ~qemu_life();

  // ---- commands, on the thread of whoever gives them ----
  void boot(std::uint64_t platform_address, std::uint64_t size);
  void hold() { post(command::hold); }
  void halt() { post(command::halt); }
  void switch_off(unsigned number);
  interrupt_if &reset();
  bool at_rest() const;
  bool pending() const { return reset_wanted_ || !commands_.empty() || exit_; }

  // ---- on the instance's own thread ----
  /// Before a request is answered: carries out what the master wants. Returns
  /// when the guest may go on, or is to be reset; false when the simulation
  /// stops.
  bool obey() { return !config_.held || obey_commands(); }
  /// The reply is to reset the machine.
  bool take_reset() { return std::exchange(reset_wanted_, false); }
  /// The reset that comes next is hold()'s or boot()'s.
  bool resetting() const { return resetting_; }
  /// After a change of what is observed: SC_ERROR when a guest that a master has
  /// booted cannot run from its memory any more.
  void check_memory();
  /// The guest has switched its machine off: lost_process, or it rests for
  /// good.
  void power_off();
  /// The process is no more.
  void lose(const lost_process &how);
  /// Without a process: returns when another is to be started, false when the
  /// simulation stops.
  bool wait_for_boot();

private:
  enum class command { boot, hold, halt };
  struct reset_input;

  void post(command wanted);
  bool is_next(command wanted) const { return !commands_.empty() && commands_.front() == wanted; }
  bool obey_commands();
  void rest(instance_state state, rest_cause cause, unsigned number = 0);
  void rest_as_told(instance_state state);
  void end_by_itself(rest_cause cause, unsigned number);
  bool wait_for_command();
  void clear_program();
  [[noreturn]] void end_process();
  void give_memory();

  time_domain &domain_;
  const qemu_config &config_;
  qemu_session &session_;
  qemu_accesses &accesses_;
  qemu_report &report_;
  const listener on_rest_;
  const std::unique_ptr<reset_input> reset_input_;
  std::deque<command> commands_;
  std::optional<unsigned> exit_; // the guest has ended itself, with this number
  bool reset_wanted_ = false, resetting_ = false;
  std::uint64_t boot_address_ = 0, boot_size_ = 0;
};

} // namespace tandem
