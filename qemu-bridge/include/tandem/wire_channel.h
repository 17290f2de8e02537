// SPDX-License-Identifier: Apache-2.0
// SystemC's end of the wire to one QEMU process.
#pragma once

#include "tandem_wait.h"
#include "tandem_wire.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace tandem
{

/// The shared page and the socket of one instance. Both are anonymous: QEMU inherits their
/// descriptors, and the kernel removes them with the last process that has them.
///
/// Used by the SystemC thread, but for the members marked otherwise. Who waits for requests, by
/// spin() and sleep(), is one thread at a time: in free mode that of the free_listener.
class wire_channel
{
public:
  /// How long one sleep for a request takes at most, so that what else ends a wait is seen.
  static constexpr unsigned sleep_ms = 100;

  /// Throws std::system_error when the kernel gives no memory or descriptors.
  explicit wire_channel(const std::string &name);
  ~wire_channel();
  wire_channel(const wire_channel &) = delete;
  wire_channel &operator=(const wire_channel &) = delete;

  /// As new, for another QEMU; the one before must have ended.
  void renew();

  tandem_wire_page &page() { return *page_; }
  const tandem_wire_page &page() const { return *page_; }
  int page_fd() const { return page_fd_; }
  /// QEMU's end, to be inherited; closed by close_remote() once it was.
  int remote_socket() const { return remote_; }
  void close_remote();
  /// This end: becomes readable when QEMU sent a byte (TANDEM_WIRE_WAKE).
  int socket() const { return local_; }

  /// True when a request waits to be served; any thread.
  bool ready() const;
  /// Number of replies so far, modulo 2^32; any thread.
  std::uint32_t replies() const { return tandem_seq(&page_->reply_seq); }
  /// Spins for a request as long as that pays, limit_ns at most.
  bool spin(std::uint64_t limit_ns);
  /// Sleeps for a request, timeout_ms at most, or until wake().
  bool sleep(unsigned timeout_ms);
  /// Ends a sleep() early, from any thread.
  void wake();

  /// A private copy of the request: what is checked in it stays as checked.
  tandem_wire_request request() const;
  /// The reply in the making. It is private, so that QEMU can neither see it before its time nor
  /// change what its maker has written.
  tandem_wire_reply &reply_slot() { return reply_; }
  /// Hands the reply slot, filled by the caller, to QEMU.
  void reply();

  /// True when a debug access waits for its answer.
  bool debug_ready() const { return tandem_seq(&page_->debug_seq) != page_->debug_reply_seq; }
  /// A private copy of it.
  tandem_wire_debug debug_request() const;
  void debug_reply(tandem_wire_status status, std::uint64_t data);

  /// Index by which QEMU knows the file behind fd, sending the descriptor if it is new;
  /// `fresh` tells. Throws std::system_error when it cannot be sent, std::length_error when
  /// there are more than TANDEM_WIRE_FDS files.
  unsigned share(int fd, bool &fresh);
  /// Sends a descriptor that the next reply is about, or QEMU's start. Throws std::system_error.
  void send(int fd);

  /// Waits that ended in a futex, on this side; any thread.
  std::uint64_t sleeps() const { return __atomic_load_n(&waiter_.sleeps, __ATOMIC_RELAXED); }

private:
  void prepare();

  struct shared_file {
    std::uint64_t device, inode;
  };
  tandem_wire_page *page_ = nullptr;
  tandem_wire_reply reply_{};
  int page_fd_ = -1;
  std::atomic<int> local_{-1};
  int remote_ = -1;
  tandem_waiter waiter_{};
  std::vector<shared_file> files_;
};

} // namespace tandem
