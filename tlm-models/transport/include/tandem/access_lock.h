// SPDX-License-Identifier: Apache-2.0
// Keeps locked sequences of accesses apart from all others: the part of an interconnect.
#pragma once

#include "tandem/access_extension.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <systemc>

namespace tandem
{

/// What a locked sequence (see access_extension) locks, such as a target of an interconnect. All
/// accesses to it enter and leave. While a sequence holds the lock, and while one waits for it that
/// came first, accesses of others wait in enter(); a sequence gets the lock when all that entered
/// before it are done, at the times that they have annotated. Who waits goes on in the order of
/// arrival, at the instant at which the last access of the sequence is done.
///
/// An access belongs to the sequence that holds the lock when it comes from the same port with the
/// same initiator and is marked hold or end.
class access_lock
{
public:
  /// An access that has entered; it leaves when this is destroyed. One that ends in an exception,
  /// as when its thread is killed, gives up its sequence.
  class pass
  {
  public:
    /// Enters. port: by which the access came. access: may be null. When somebody is in the way,
    /// waits for the delay, and then for the others. To be called in the thread of the access.
    pass(access_lock &lock, unsigned port, const access_extension *access, sc_core::sc_time &delay);
    pass(const pass &) = delete;
    pass &operator=(const pass &) = delete;
    ~pass();
    /// For which it waited for others.
    const sc_core::sc_time &waited() const { return waited_; }
    /// The access is done. When it ends its sequence, waits for the delay, which is then zero.
    void done(sc_core::sc_time &delay);

  private:
    access_lock &lock_;
    sc_core::sc_time waited_;
    bool of_holder_, ends_, done_ = false;
  };

  /// For a plain access that must not wait: enters, unless somebody is in the way. It is to
  /// leave().
  bool try_enter();
  void leave();

  /// Whether a sequence of this initiator holds the lock, by this port.
  bool held_by(unsigned port, const access_extension &access) const;
  /// Ends the sequence that holds the lock, from outside of it.
  void release();

  bool used() const { return sequences_ != 0; }
  /// sequences, held_ns, waits and waiting_ns: how many accesses waited for the lock, and how long.
  nlohmann::ordered_json report() const;

private:
  struct ticket {
    bool takes_lock;
    unsigned port;
    std::uint32_t initiator;
    sc_core::sc_event go;
  };
  bool is_free(bool to_take) const { return !held_ && (inside_ == 0 || !to_take); }
  void let_in(bool takes_lock, unsigned port, std::uint32_t initiator);
  void queue(ticket &item);
  void outlast();
  void advance();

  bool held_ = false;
  unsigned port_ = 0; // of the holder
  std::uint32_t initiator_ = 0;
  unsigned inside_ = 0;          // accesses that have entered and not left
  sc_core::sc_time done_at_;     // of all that have left, with what they annotated
  std::deque<ticket *> waiting_; // in the order of arrival

  sc_core::sc_time since_, held_time_, waiting_time_;
  std::uint64_t sequences_ = 0, waits_ = 0;
};

} // namespace tandem
