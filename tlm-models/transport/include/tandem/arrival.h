// SPDX-License-Identifier: Apache-2.0
// In which order requests come to what has state: the one place that sees to it.
//
// In TLM-2.0 the time of a request is that of the call and the delay annotated to it, so one that
// is made first may be for later. A model whose answer depends on what it was asked before (a
// resource that is held, an open row, a queue, a register) must get its requests in the order of
// their times.
#pragma once

#include <systemc>
#include <tlm>

namespace tandem
{

/// Lets all requests for earlier go first: returns when the time of the request has come, with a
/// delay of zero. A request for now goes through at once and costs nothing. To be called in the
/// thread of the access, by a model before it looks at its state. A call from a method process for
/// later is SC_ERROR "/tandem/arrival", as only a thread can wait; one from outside of all
/// processes goes through, as nobody else can ask meanwhile.
void arrive(sc_core::sc_time &delay);
/// The same for a model that reckons in times: returns when `time` has come.
void arrive_at(const sc_core::sc_time &time);

/// The order in which a target is to be given its requests by what passes them on.
enum class arrival_order {
  /// That of the times at which they reach it, each at its time, with no delay annotated. What
  /// holds for a target that says nothing.
  of_time,
  /// Any: its answer does not depend on the order, or it calls arrive() itself, or what the last
  /// interconnect on the way annotates does not matter to it.
  any
};

/// What a target says of itself; to be a member behind its socket:
///
///   tlm_utils::simple_target_socket<rom> socket{"socket"};
///   tandem::declared_order order{socket, tandem::arrival_order::any};
class declared_order
{
public:
  template <typename Target>
  declared_order(Target &socket, arrival_order order)
      : declared_order(socket.get_base_export(), nullptr, order)
  {
  }
  /// For a module that passes everything on unchanged and at once: the order is that of the target
  /// behind it.
  template <typename Target, typename Initiator>
  static declared_order of_target_behind(Target &socket, Initiator &onward)
  {
    return {socket.get_base_export(), &onward.get_base_port(), arrival_order::of_time};
  }
  declared_order(const declared_order &) = delete;
  declared_order &operator=(const declared_order &) = delete;
  ~declared_order();

private:
  declared_order(sc_core::sc_export_base &socket, sc_core::sc_port_base *onward,
                 arrival_order order);
  friend arrival_order order_at(sc_core::sc_port_base &);

  sc_core::sc_export_base &socket_;
  sc_core::sc_port_base *const onward_;
  const arrival_order order_;
};

/// What the target has declared that an initiator socket's port is bound to, through whatever
/// levels of hierarchy. Elaboration must be complete.
arrival_order order_at(sc_core::sc_port_base &port);

/// Part of a model that passes requests on, one for each initiator socket: waits before the call of
/// the target, if the target needs that.
class onward_order
{
public:
  template <typename Initiator> void keep(Initiator &socket, sc_core::sc_time &delay)
  {
    if (delay != sc_core::SC_ZERO_TIME)
      let_earlier_go_first(socket.get_base_port(), delay);
  }
  /// For one who does not wait: the time at which to make the call, not before now.
  template <typename Initiator>
  sc_core::sc_time turn_of(Initiator &socket, const sc_core::sc_time &delay)
  {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    return delay == sc_core::SC_ZERO_TIME || is_any(socket.get_base_port()) ? now : now + delay;
  }

private:
  void let_earlier_go_first(sc_core::sc_port_base &port, sc_core::sc_time &delay);
  bool is_any(sc_core::sc_port_base &port);

  bool known_ = false;
  arrival_order order_ = arrival_order::of_time;
};

/// A promise of the calling process while this object lives: what it is about to ask for is the
/// first that anybody asks for in its system; nothing follows for before `until`. So its requests
/// up to then need not wait. For one who is the only initiator of a system and makes all requests
/// in the order of their times, as the replay of a log is. It ends for what the process asks later.
class first_of_all
{
public:
  explicit first_of_all(const sc_core::sc_time &until);
  first_of_all(const first_of_all &) = delete;
  first_of_all &operator=(const first_of_all &) = delete;
  ~first_of_all();
};

} // namespace tandem
