// SPDX-License-Identifier: Apache-2.0
// One QEMU process at a time: its wire, its requests and their replies, its
// signs of life.
#pragma once

#include "qemu_report.h"
#include "request_tape.h"
#include "tandem/child_process.h"
#include "tandem/console.h"
#include "tandem/dmi_map.h"
#include "tandem/free_listener.h"
#include "tandem/qemu_machine.h"
#include "tandem/time_domain.h"
#include "tandem/wire_channel.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace tandem
{

/// The process is gone, or of no use any more, and the instance goes on without
/// it.
struct lost_process {
  instance_state state;
  rest_cause cause;
  unsigned number;
  std::string sentence; // for the user, or empty
};

/// On the SystemC thread, and what waits, on the instance's, but for the
/// members marked otherwise.
class qemu_session
{
public:
  qemu_session(const std::string &name, time_domain &domain, const qemu_config &config,
               qemu_report &report);
  ~qemu_session();

  // ---- the process ----
  void launch();
  void relaunch(); ///< as new
  void end();      ///< kills it
  /// What process and adapter say is wrong: SC_ERROR, or lost_process for an
  /// instance that may crash.
  [[noreturn]] void fail(const std::string &cause, rest_cause kind = rest_cause::wire,
                         unsigned number = 0) const;

  // ---- requests and replies ----
  /// Waits for the next request and checks it; false when the simulation stops.
  bool receive();
  /// It has passed all checks: the guest is where it says.
  void accept();
  const tandem_wire_request &request() const { return request_; }
  /// The first request of a process: its version.
  void greet();
  /// What missed in the guest's cache; as long as the request is not answered.
  const tandem_wire_line *lines() const { return taped_ ? tape_.lines() : channel_.page().line; }
  /// Waits until SystemC has come to that time, and so much later.
  void reach(std::uint64_t time_ns, const sc_core::sc_time &later = sc_core::SC_ZERO_TIME);
  /// The guest sleeps: until its timer, its process wakes up, or `wanted`.
  void sleep(const std::function<bool()> &wanted);
  /// The reply in the making: clock and window of a guest that is delayed by so
  /// much are in it. caches: what misses is going to be reported.
  tandem_wire_reply &prepare_reply(const sc_core::sc_time &delay, bool caches);
  /// Sends it with all changes of the map; false when the simulation stops
  /// before it is complete.
  bool answer(dmi_map &changes);
  /// The same for the request before the first, which has changes and nothing
  /// else.
  bool answer_prepare(dmi_map &changes);

  // ---- beside them ----
  void wake() { wake_.notify(); } ///< something has changed for the instance's thread
  /// Waits for that; false when the simulation stops. A process that has died
  /// meanwhile is an error.
  bool wait_for_wake();
  /// A debug access that waits, if any, and its answer.
  bool debug_request(tandem_wire_debug &request) const;
  void debug_reply(tandem_wire_status status, std::uint64_t data)
  {
    channel_.debug_reply(status, data);
  }
  void post_lines(std::uint64_t level); ///< free mode: interrupt lines have changed

  // ---- checkpoints ----
  //
  // A run that is restored begins without QEMU: the requests of the tape are
  // served once more, and their replies go nowhere. The last one is answered
  // by go_live()'s process.

  /// No process, or one that is between two instructions and waits for a reply.
  /// Waits for the host when it is under way.
  bool between();
  /// The time of its request that waits for a reply.
  std::uint64_t reached_ns() const { return alive_ ? outstanding().time_ns : 0; }
  /// The machine into the directory, if there is one that does more than start;
  /// end_save() waits for it, and adds tape and console.
  void begin_save(int directory);
  void end_save(int directory);
  /// Goes on with a process that is restored from what was just saved. What its RAM in the
  /// platform's memory is to hold has to be there between the two.
  void begin_replace(int directory, dmi_map &map);
  void end_replace(dmi_map &map);
  /// Before the start: what there is of the instance in the directory, which
  /// stays open until go_live().
  void restore(int directory);
  bool replaying() const { return replaying_; }
  /// All requests of the tape are taken, or all but the next.
  bool replayed() const { return !tape_.left() || (tape_.left() == 1 && released_ && !taken_); }
  std::size_t tape_left() const { return tape_.left(); }
  /// Before a request of the tape is served, and before it is answered: returns
  /// when all has happened that had happened then.
  void await_served() const;
  void await_answered() const;
  /// The request is being served, at that place in the order.
  void note_served();
  /// The process has its RAM in the platform's memory, and waits for what that is to hold.
  void place_ram(dmi_map &map);
  /// The process takes over.
  void go_live(dmi_map &map);
  /// Before a request is answered: returns when there is a process for it.
  void await_live();
  /// What happened to the instance and is not on the tape, as the end of a
  /// sentence, or empty.
  const std::string &unrepeatable() const { return unrepeatable_; }
  /// The request is at the end of the first part of a window that was cut for
  /// a checkpoint: the reply is to go on with the same window.
  bool window_was_cut() const
  {
    return request_.kind == TANDEM_WIRE_WINDOW && !free_mode() && request_.time_ns < window_end_ns_;
  }
  /// The request is at the end of the part of a window that ends where all instances are to stand
  /// still; the guest is still in its window.
  bool stands() const
  {
    return cut_to_stand_ && !taped_ && request_.kind == TANDEM_WIRE_WINDOW &&
           request_.time_ns < window_end_ns_;
  }
  /// An access of the guest, or the end of a sequence, is being served.
  bool in_access() const
  {
    const std::uint32_t kind = request_.kind;
    return taken_ &&
           (kind == TANDEM_WIRE_READ || kind == TANDEM_WIRE_WRITE || kind == TANDEM_WIRE_UNLOCK);
  }
  /// Returns when they go on; the guest has the rest of its window then.
  void resume_window();
  void cannot_repeat(const std::string &why) { unrepeatable_ = why; }

  // ---- for time_domain ----
  void look();  ///< the watching thread asked to look at this instance
  void drain(); ///< lets the guest come to its next request, which is not served
  /// The process may have died: SC_ERROR, or the instance's own thread is woken to see to it.
  /// False when there is still something to be served that it did before.
  bool check_death();
  /// Watching thread: reads the bytes; false at the end of file. Sets `debug` when a debug access
  /// waits.
  bool take_wake(bool &debug);
  void wake_wire() { channel_.wake(); }             ///< any thread
  int pidfd() const { return process_.pidfd(); }    ///< any thread
  int wake_fd() const { return channel_.socket(); } ///< any thread

  // ---- what there is to know ----
  bool free_mode() const { return domain_.mode() == run_mode::free; }
  console_log &console() { return console_; }
  console_log &messages() { return messages_; }
  pid_t pid() const { return process_.pid(); }
  const std::string &version() const { return version_; }
  const tandem_wire_page &page() const { return channel_.page(); }
  /// As they were when the last request came. The guest goes on counting while it runs.
  const guest_counts &guest() const { return guest_; }
  std::uint64_t time_ns() const { return last_ns_; }
  std::uint64_t instructions() const { return instructions_; }
  /// About the host, below the key "host".
  double host_wait_seconds() const { return static_cast<double>(host_wait_ns_) * 1e-9; }
  double cpu_seconds() const { return cpu_seconds_before_ + process_.cpu_seconds(); }
  std::uint64_t sleeps() const { return channel_.sleeps(); }

private:
  bool starts() const;
  bool has_machine() const;
  bool look_ahead();
  void sleep_in_order(const std::function<bool()> &wanted);
  void record(const tandem_wire_request &request);
  guest_counts counted_in_page() const;
  const tandem_wire_request &outstanding() const;
  tandem_wire_request await_on_host(std::uint32_t kind);
  tandem_wire_request await_restored();
  void check_same_time(const tandem_wire_request &request) const;
  void write_file(int directory, const char *name, const std::string &bytes) const;
  std::string how_it_died(const child_process::ending &how) const;
  void write_page();
  void write_ram(tandem_wire_config &page) const;
  std::vector<std::string> command_line();
  bool wait_on_host();
  bool wait_in_simulation();
  void check_hung(std::uint64_t &silent_ns);
  void check_request() const;
  void check_atomics();
  void warn_of_hidden();
  void check_livelock();
  [[noreturn]] void report_death();
  std::string last_words() const;

  time_domain &domain_;
  const qemu_config &config_;
  qemu_report &report_;
  console_log console_, messages_;
  wire_channel channel_;
  child_process process_;
  std::unique_ptr<free_listener> listener_; // free mode only; gone before the channel
  sc_core::sc_event wake_;

  tandem_wire_request request_{};
  std::uint64_t last_ns_ = 0, granted_ns_ = 0;
  std::uint64_t window_end_ns_ = 0;          // of the window, also when it is cut for a checkpoint
  bool cut_to_stand_ = false;                // the window was granted up to standing still only
  std::uint64_t latest_ns_ = 0;              // where the guest can be at its next request
  sc_core::sc_time carry_;                   // part of a nanosecond that the guest still owes
  std::uint64_t told_level_ = 0;             // interrupt lines as the guest knows them
  std::optional<tandem_wire_request> ahead_; // has come and is still to be received

  request_tape tape_;
  bool replaying_ = false; // there is no process for replies
  bool taped_ = false;     // the request is from the tape
  int directory_ = -1;     // the process is to be restored from it
  std::string unrepeatable_;

  bool launched_ = false;
  std::uint32_t next_start_ = 0; // what a process has to request before all else; 0: it has
  bool alive_ = false;           // a process was started and has not been ended
  bool taken_ = false;           // the request in the channel is being served
  bool released_ = false;        // the guest runs on the host
  bool dead_ = false;            // the process has died, as the time domain has found out
  std::atomic<bool> woken_{false};
  unsigned requests_at_once_ = 0; // at one time, with no instruction between them
  bool split_seen_ = false;       // said that atomic instructions were not atomic
  std::string version_;
  guest_counts guest_;
  std::uint64_t instructions_ = 0,
                instructions_before_ = 0; // all, and by processes that are gone
  double cpu_seconds_before_ = 0;
  std::uint64_t host_wait_ns_ = 0;
};

/// What a READY request says.
std::string version_of(const tandem_wire_request &ready);

} // namespace tandem
