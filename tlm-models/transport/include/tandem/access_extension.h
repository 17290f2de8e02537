// SPDX-License-Identifier: Apache-2.0
// TLM extension by which an initiator says who it is and what kind of access it makes.
#pragma once

#include <cstdint>
#include <string>
#include <tlm>

namespace tandem
{

enum class access_kind {
  plain,
  /// Part of a locked sequence: an atomic read-modify-write that its initiator makes as several
  /// transactions, one after the other. Nobody else may access what it accesses from the first
  /// to the last.
  locked,
  /// A load-exclusive or store-exclusive of an initiator that leaves it to the target to watch
  /// over the location. An interconnect carries it as a plain access.
  exclusive,
};

/// Where a locked access stands in its sequence.
enum class lock_step {
  begin, ///< the first: the lock is taken
  hold,  ///< one after it
  end,   ///< the last: the lock is released when it is done
};

/// Attached by an initiator, which owns it, to its payloads; a payload without it is plain and
/// from somebody unknown. It travels on with the payload, so that each interconnect on the way
/// keeps the lock (access_lock.h) and knows the origin; whoever sends a payload of its own instead,
/// as a cache does, attaches one that says the same.
///
/// Initiators that do not say who they are are told apart by the ports of the first interconnect on
/// the way: it attaches the extension of the port (say_whose) to a payload that has none, until
/// the access has ended, and enters the port's number in one that says `unknown`. A payload with
/// TLM_IGNORE_COMMAND and no extension is left alone.
///
/// With TLM_IGNORE_COMMAND, the payload is about order only. It moves no data and takes no time,
/// but waits as a plain or locked access would: begin takes the lock before the first access, end
/// releases it after the last one (or when there is none, after a compare that failed), plain
/// waits until nobody else holds it. Its address says what it is about. Targets may answer it in
/// any way; the response tells nothing.
struct access_extension : tlm::tlm_extension<access_extension> {
  static constexpr std::uint32_t unknown = UINT32_MAX;

  /// A number of its own for each initiator of a system: of enter_initiator(), or one below those.
  std::uint32_t initiator = unknown;
  access_kind kind = access_kind::plain;
  lock_step step = lock_step::begin; ///< of a locked access

  bool is(lock_step wanted) const { return kind == access_kind::locked && step == wanted; }

  tlm::tlm_extension_base *clone() const override { return new access_extension(*this); }
  void copy_from(tlm::tlm_extension_base const &other) override
  {
    *this = static_cast<access_extension const &>(other);
  }
};

/// Gives an initiator a number of its own: numbers from 65536 on, in the order of the calls. name:
/// by which logs and statistics call it. What is returned says that a plain access is this
/// initiator's; it may be on any number of payloads at once, and neither they nor anybody else
/// delete it. In the SystemC thread, as all of this.
access_extension &enter_initiator(const std::string &name);
/// By what name it was entered; "initiator 7" for a number that was not.
std::string initiator_name(std::uint32_t number);

/// Has an extension on a payload for as long as it lives.
class attached_extension
{
public:
  attached_extension(tlm::tlm_generic_payload &payload, access_extension &extension)
      : payload_(payload), extension_(extension)
  {
    payload.set_extension(&extension);
  }
  attached_extension(const attached_extension &) = delete;
  attached_extension &operator=(const attached_extension &) = delete;
  ~attached_extension() { payload_.clear_extension(&extension_); }

private:
  tlm::tlm_generic_payload &payload_;
  access_extension &extension_;
};

/// Whether nothing is to be done so that a payload says whose access it is. given: what is on it.
inline bool says_whose(const tlm::tlm_generic_payload &payload, const access_extension *given)
{
  return given ? given->initiator != access_extension::unknown
               : payload.get_command() == tlm::TLM_IGNORE_COMMAND;
}

/// Sees to it that it says so. port: of enter_initiator(), for what comes by this port and does not
/// say it. True: the port's own is on the payload, to be taken off when the access has ended.
inline bool say_whose(tlm::tlm_generic_payload &payload, access_extension &port)
{
  access_extension *const given = payload.get_extension<access_extension>();
  if (says_whose(payload, given))
    return false;
  if (given)
    given->initiator = port.initiator;
  else
    payload.set_extension(&port);
  return !given;
}

/// The same for as long as it lives.
class named_access
{
public:
  named_access(tlm::tlm_generic_payload &payload, access_extension &port)
      : payload_(payload), attached_(say_whose(payload, port))
  {
  }
  named_access(const named_access &) = delete;
  named_access &operator=(const named_access &) = delete;
  ~named_access()
  {
    if (attached_)
      payload_.clear_extension<access_extension>();
  }

private:
  tlm::tlm_generic_payload &payload_;
  const bool attached_;
};

/// Sends a payload that is about order only, see access_extension. socket: an initiator socket.
/// To be called in a thread of SystemC.
template <typename Socket>
void send_order(Socket &socket, access_extension about, std::uint64_t address)
{
  unsigned char nothing = 0;
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_IGNORE_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(&nothing);
  payload.set_data_length(1);
  payload.set_streaming_width(1);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  const attached_extension attached(payload, about);
  sc_core::sc_time delay;
  socket->b_transport(payload, delay);
}

} // namespace tandem
