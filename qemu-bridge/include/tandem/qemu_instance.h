// SPDX-License-Identifier: Apache-2.0
// One QEMU process as a TLM initiator.
#pragma once

#include "tandem/access_extension.h"
#include "tandem/child_process.h"
#include "tandem/console.h"
#include "tandem/dmi_map.h"
#include "tandem/free_listener.h"
#include "tandem/interrupt_inputs.h"
#include "tandem/qemu_machine.h"
#include "tandem/statistics.h"
#include "tandem/time_domain.h"
#include "tandem/wire_channel.h"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

namespace tandem
{

/// What an instance is doing; traced, so that a VCD shows it.
enum class instance_state {
  held = 0,    ///< the process exists and does not run
  running = 1, ///< its CPUs execute
  idle = 2,    ///< all its CPUs sleep
  waiting = 3, ///< an access is on its way through the interconnect
  stopped = 4, ///< switched itself off
  crashed = 5, ///< the process has died
  halted = 6,  ///< stopped by halt()
};
const char *state_name(instance_state state);

/// Why an instance came to rest.
enum class rest_cause {
  command,  ///< hold() or halt()
  exit,     ///< switch_off(); the number is the one given there
  poweroff, ///< the guest switched its machine off
  reset,    ///< the guest asked for a reset of its machine
  signal,   ///< the process was ended by signal `number`
  status,   ///< the process ended with status `number`
  hung,     ///< the process gave no sign of life
  wire,     ///< the process sent nonsense
};

/// A QEMU process. Its windows are what the guest sees of the platform: the instance asks for
/// DMI over each of them when the guest starts and maps what is granted into the guest; every
/// other access becomes one b_transport of 1 to 8 bytes at the guest's virtual time. The delay
/// of the transaction is added to the guest's clock. The accesses of an atomic instruction are one
/// locked sequence (access_extension), each instance with a number of its own as initiator.
///
/// All of it runs on the SystemC thread but for the members marked otherwise. Errors of the
/// process (death, a wire that makes no sense, a hang) are SC_ERROR "/tandem/qemu": one
/// sentence with the instance, the cause and the simulated time.
class qemu_instance : public sc_core::sc_module, public statistics_provider
{
public:
  tlm_utils::simple_initiator_socket<qemu_instance> socket;
  /// Interrupt inputs, as many as qemu_config::interrupt_pins.
  interrupt_inputs irq;
  /// Rising level: the guest is reset; low again before the next. Nothing to a held instance at
  /// rest: the next program starts.
  sc_core::sc_export<interrupt_if> reset;

  /// The process starts at start of simulation.
  qemu_instance(const sc_core::sc_module_name &name, time_domain &domain,
                const qemu_config &config);
  ~qemu_instance() override;

  const qemu_config &config() const { return config_; }
  instance_state state() const { return state_; } ///< any thread
  /// The state as text, from any thread.
  const char *state_text() const { return state_name(state_); }
  console_log &console() { return console_; }
  /// What the QEMU process itself prints.
  console_log &messages() { return messages_; }
  pid_t pid() const { return process_.pid(); }
  /// Version that the process reported, "7.2.22"; empty before.
  const std::string &qemu_version() const { return version_; }

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

  // ---- the life of a held instance (qemu_config::held) ----
  //
  // Commands are taken at the instance's next request, so a running guest goes on for up to a
  // quantum. In free mode a command ends the process, and the next boot starts another.
  //
  // Precedence. What the guest does itself (exit, power-off, reset of its machine, death of its
  // process) comes first, at its own time, and is told by on_rest like any rest. Then come the
  // commands that were given meanwhile, in their order, but that hold() and boot() make void
  // those before them, that there is nothing to halt in a guest at rest, and that a process which
  // dies before the program of a boot() starts takes the boot with it (state crashed). So after
  // hold() the instance always comes to rest as held.

  /// Starts the guest with size bytes from a platform address on as its RAM, at
  /// qemu_config::boot_memory; both in whole 4 KiB pages. For an instance that is at rest;
  /// starts a new process when there is none. SC_ERROR when the interconnect grants no DMI.
  void boot(std::uint64_t platform_address, std::uint64_t size);
  /// Takes the program and its memory away: state held.
  void hold();
  /// Stops the guest where it is: state halted.
  void halt();
  /// The guest ends itself within its own access: state stopped.
  void switch_off(unsigned number);
  /// Called when the guest has come to rest (held, halted, stopped, crashed), also at the start
  /// of a held instance.
  std::function<void(instance_state state, rest_cause cause, unsigned number)> on_rest;
  /// No guest runs: switched off, held, halted or crashed.
  bool at_rest() const;

  // ---- for time_domain ----
  void launch();
  void look();  ///< the watching thread asked to look at this instance
  void drain(); ///< lets the guest come to its next request, which is not served
  /// The process may have died: SC_ERROR, or the instance's own thread is woken to see to it.
  /// False when there is still something to be served that it did before.
  bool check_death();
  int pidfd() const { return process_.pidfd(); }    ///< any thread
  int wake_fd() const { return channel_.socket(); } ///< any thread
  /// Watching thread: reads the bytes; false at the end of file. Sets `debug` when a debug access
  /// waits.
  bool take_wake(bool &debug);
  void inspect();                       ///< answers a debug access that waits
  void wake_wire() { channel_.wake(); } ///< any thread

private:
  struct counters {
    std::uint64_t reads = 0, writes = 0, windows = 0, halts = 0, resets = 0, debug = 0;
    std::uint64_t batches = 0;
    std::uint64_t sequences = 0; // locked
    std::uint64_t outside = 0, errors = 0;
    std::uint64_t stall_ns = 0;
    std::uint64_t instructions = 0;
  };

  enum class command { boot, hold, halt };
  struct lost_process {
    instance_state state;
    rest_cause cause;
    unsigned number;
    std::string sentence; // for the user, or empty
  };

  void run();
  void live();
  bool obey();
  void post(command wanted);
  void rest(instance_state state, rest_cause cause, unsigned number = 0);
  void rest_as_told(instance_state state);
  void end_by_itself(rest_cause cause, unsigned number);
  bool wait_for_command();
  void clear_program();
  [[noreturn]] void end_process();
  void give_memory();
  void lose_process(const lost_process &how);
  void relaunch();
  [[noreturn]] void report_death();
  std::string last_words() const;
  std::vector<std::string> command_line();
  dmi_map::config dmi_config() const;
  void write_page();
  bool receive();
  bool wait_on_host();
  bool wait_in_simulation();
  void measure();
  double read_percentile_us(double fraction) const;
  void check_hung(std::uint64_t &silent_ns);
  void check_request() const;
  void check_atomics();
  void reach(std::uint64_t time_ns, const sc_core::sc_time &later = sc_core::SC_ZERO_TIME);
  bool serve();
  void start();
  void access();
  void mark_access(std::uint64_t platform);
  void end_sequence();
  void transfer_lines();
  sc_core::sc_time transfer(const tandem_wire_line &line);
  void outside();
  void sleep_until_woken();
  bool answer();
  void fill_reply(tandem_wire_reply &reply);
  void write_dmi(tandem_wire_reply &reply);
  void post_free_interrupts();
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end);
  [[noreturn]] void fail(const std::string &cause, rest_cause kind = rest_cause::wire,
                         unsigned number = 0) const;
  std::string one_line(const std::string &cause) const;
  std::string at_time() const;
  static std::string hex(std::uint64_t value);

  struct reset_input;

  time_domain &domain_;
  qemu_config config_;
  console_log console_, messages_;
  wire_channel channel_;
  child_process process_;
  std::unique_ptr<free_listener> listener_; // free mode only; gone before the channel
  dmi_map dmi_;
  std::unique_ptr<reset_input> reset_input_;
  sc_core::sc_event wake_;
  tlm::tlm_generic_payload payload_;
  access_extension access_;  // of that payload
  bool in_sequence_ = false; // a locked sequence has begun and not ended
  std::uint64_t sequence_address_ = 0;
  std::vector<tandem_wire_line> lines_; // of the batch being served

  tandem_wire_request request_{};
  // Of the reply in the making.
  std::uint32_t status_ = TANDEM_WIRE_OK;
  std::uint64_t data_ = 0;
  sc_core::sc_time delay_;
  sc_core::sc_time carry_; // part of a nanosecond that the guest still owes
  std::uint64_t last_ns_ = 0, granted_ns_ = 0;
  std::uint64_t latest_ns_ = 0; ///< where the guest can be at its next request

  std::atomic<instance_state> state_{instance_state::held};
  unsigned traced_state_ = 0;
  bool reset_wanted_ = false;
  bool taken_ = false;    ///< the request in the channel is being served
  bool released_ = false; ///< the guest runs on the host
  bool dead_ = false;     ///< the process has died, as the time domain has found out

  std::deque<command> commands_;
  std::optional<unsigned> exit_; ///< the guest has ended itself, with this number
  bool resetting_ = false;       ///< the reset that comes next is hold()'s or boot()'s
  std::uint64_t boot_address_ = 0, boot_size_ = 0;
  std::atomic<bool> woken_{false};
  std::string version_;
  counters count_;
  std::uint64_t instructions_before_ = 0; // by processes that are gone
  double cpu_seconds_before_ = 0;
  bool launched_ = false;
  bool split_seen_ = false; ///< said that atomic instructions were not atomic
  std::set<std::uint64_t> outside_addresses_;
  std::uint64_t host_wait_ns_ = 0;
  std::uint64_t last_read_host_ns_ = 0;   // 0: the request before was no read
  std::vector<std::uint32_t> read_times_; // by 50 ns of host time, when measured

  void set_state(instance_state state);
};

} // namespace tandem
