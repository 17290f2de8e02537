// SPDX-License-Identifier: Apache-2.0
// The sockets of all models: any width, blocking and non-blocking transport.
#pragma once

#include "tandem/asynchronous_transport.h"

#include <functional>
#include <memory>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h> // for models that were written with these
#include <tlm_utils/simple_target_socket.h>
#include <typeinfo>
#include <utility>

namespace tandem
{

/// Whether a target's b_transport may wait().
enum class serving {
  may_wait,
  at_once ///< never: then it needs no thread
};

namespace socket_parts
{

using forward_if = tlm::tlm_fw_transport_if<>;
using backward_if = tlm::tlm_bw_transport_if<>;
template <unsigned Width>
using target_base = tlm::tlm_base_target_socket_b<Width, forward_if, backward_if>;
template <unsigned Width>
using initiator_base = tlm::tlm_base_initiator_socket_b<Width, forward_if, backward_if>;

/// As SystemC says it, which differs between versions.
using protocol_type =
    decltype(std::declval<const tlm::tlm_base_socket_if &>().get_protocol_types());

/// What a socket of 32 bits is besides, so that sockets of another width take it for one of theirs.
/// Not only a conversion: multi sockets ask the port at the other end what it is.
template <unsigned Width> class target_of_width : public target_base<Width>
{
public:
  unsigned get_bus_width() const override { return Width; }
  protocol_type get_protocol_types() const override { return typeid(tlm::tlm_base_protocol_types); }
  tlm::tlm_socket_category get_socket_category() const override { return tlm::TLM_TARGET_SOCKET; }
  virtual bool is_multi_socket() const { return false; } // overrides, from SystemC 3 on
};

template <unsigned Width> class initiator_of_width : public initiator_base<Width>
{
public:
  unsigned get_bus_width() const override { return Width; }
  protocol_type get_protocol_types() const override { return typeid(tlm::tlm_base_protocol_types); }
  tlm::tlm_socket_category get_socket_category() const override
  {
    return tlm::TLM_INITIATOR_SOCKET;
  }
  virtual bool is_multi_socket() const { return false; } // overrides, from SystemC 3 on
};

template <template <unsigned> class Of>
class all_other_widths : public Of<8>,
                         public Of<16>,
                         public Of<64>,
                         public Of<128>,
                         public Of<256>,
                         public Of<512>,
                         public Of<1024>
{
};

} // namespace socket_parts

/// The target socket of all models. Is a tlm_target_socket of 32 bits, and binds to initiator
/// sockets (and, hierarchically, to target sockets) of any width: transport does not depend on it.
///
/// A model registers b_transport, and gets non-blocking transport with it:
///
/// - BEGIN_REQ is answered by END_REQ on the return path: the request is taken at once, is stored
///   without limit, and takes effect when its annotated delay says. So any number are under way.
///   The payload must have a memory manager; it is acquired until the transaction has ended.
/// - BEGIN_RESP comes when the response is there, with no delay annotated. The next response waits
///   until END_RESP or TLM_COMPLETED has come for this one, and for the delay annotated to it.
/// - Responses come in the order of the times at which they are there, not of the requests.
/// - Other phases are ignored (TLM_ACCEPTED), as the base protocol asks for.
///
/// Each access that waits in the model's b_transport has a thread of a pool; a model that registers
/// begin_transport as well needs none. SC_ERROR "/tandem/transport" for a violation of the phases.
class target_socket : public tlm::tlm_target_socket<32>,
                      public socket_parts::all_other_widths<socket_parts::target_of_width>
{
  using narrow = tlm::tlm_target_socket<32>;
  using port_base = sc_core::sc_port_b<socket_parts::backward_if>;
  using export_base = sc_core::sc_export<socket_parts::forward_if>;

public:
  using payload_type = tlm::tlm_generic_payload;
  using blocking_call = std::function<void(payload_type &, sc_core::sc_time &)>;
  using beginning_call =
      std::function<void(payload_type &, const sc_core::sc_time &, transport_completion &)>;
  using phase_call =
      std::function<tlm::tlm_sync_enum(payload_type &, tlm::tlm_phase &, sc_core::sc_time &)>;
  using debug_call = std::function<unsigned(payload_type &)>;
  using memory_call = std::function<bool(payload_type &, tlm::tlm_dmi &)>;

  target_socket();
  explicit target_socket(const char *name);
  ~target_socket() override;

  /// What serves the calls. A second registration of one kind replaces the first. Without DMI all
  /// of it is refused, without debug transport no byte is transported.
  void on_b_transport(blocking_call call, serving how = serving::may_wait);
  void on_begin_transport(beginning_call call);
  void on_nb_transport(phase_call call); ///< in place of the phases described above
  void on_transport_dbg(debug_call call);
  void on_get_direct_mem_ptr(memory_call call);

  // The same in the manner of tlm_utils: members of a module, plain or with a tag.
  template <typename Module>
  void register_b_transport(Module *owner, void (Module::*call)(payload_type &, sc_core::sc_time &),
                            serving how = serving::may_wait)
  {
    on_b_transport([owner, call](payload_type &p, sc_core::sc_time &t) { (owner->*call)(p, t); },
                   how);
  }
  template <typename Module>
  void register_b_transport(Module *owner,
                            void (Module::*call)(int, payload_type &, sc_core::sc_time &), int tag,
                            serving how = serving::may_wait)
  {
    on_b_transport(
        [owner, call, tag](payload_type &p, sc_core::sc_time &t) { (owner->*call)(tag, p, t); },
        how);
  }
  template <typename Module>
  void register_begin_transport(Module *owner,
                                void (Module::*call)(payload_type &, const sc_core::sc_time &,
                                                     transport_completion &))
  {
    on_begin_transport([owner, call](payload_type &p, const sc_core::sc_time &t,
                                     transport_completion &whom) { (owner->*call)(p, t, whom); });
  }
  template <typename Module>
  void register_begin_transport(Module *owner,
                                void (Module::*call)(int, payload_type &, const sc_core::sc_time &,
                                                     transport_completion &),
                                int tag)
  {
    on_begin_transport(
        [owner, call, tag](payload_type &p, const sc_core::sc_time &t, transport_completion &whom) {
          (owner->*call)(tag, p, t, whom);
        });
  }
  template <typename Module>
  void register_nb_transport_fw(Module *owner,
                                tlm::tlm_sync_enum (Module::*call)(payload_type &, tlm::tlm_phase &,
                                                                   sc_core::sc_time &))
  {
    on_nb_transport([owner, call](payload_type &p, tlm::tlm_phase &phase, sc_core::sc_time &t) {
      return (owner->*call)(p, phase, t);
    });
  }
  template <typename Module>
  void register_transport_dbg(Module *owner, unsigned (Module::*call)(payload_type &))
  {
    on_transport_dbg([owner, call](payload_type &p) { return (owner->*call)(p); });
  }
  template <typename Module>
  void register_transport_dbg(Module *owner, unsigned (Module::*call)(int, payload_type &), int tag)
  {
    on_transport_dbg([owner, call, tag](payload_type &p) { return (owner->*call)(tag, p); });
  }
  template <typename Module>
  void register_get_direct_mem_ptr(Module *owner,
                                   bool (Module::*call)(payload_type &, tlm::tlm_dmi &))
  {
    on_get_direct_mem_ptr(
        [owner, call](payload_type &p, tlm::tlm_dmi &dmi) { return (owner->*call)(p, dmi); });
  }
  template <typename Module>
  void register_get_direct_mem_ptr(Module *owner,
                                   bool (Module::*call)(int, payload_type &, tlm::tlm_dmi &),
                                   int tag)
  {
    on_get_direct_mem_ptr([owner, call, tag](payload_type &p, tlm::tlm_dmi &dmi) {
      return (owner->*call)(tag, p, dmi);
    });
  }

  using narrow::bind;
  using narrow::get_bus_width;
  using narrow::get_protocol_types;
  using narrow::get_socket_category;
  using narrow::operator();
  template <unsigned Width> void bind(socket_parts::initiator_base<Width> &initiator)
  {
    initiator.get_base_port()(get_base_interface());
    get_base_port()(initiator.get_base_interface());
  }
  template <unsigned Width> void operator()(socket_parts::initiator_base<Width> &initiator)
  {
    bind(initiator);
  }
  port_base &get_base_port() override { return narrow::get_base_port(); }
  port_base const &get_base_port() const override { return narrow::get_base_port(); }
  export_base &get_base_export() override { return narrow::get_base_export(); }
  export_base const &get_base_export() const override { return narrow::get_base_export(); }
  socket_parts::forward_if &get_base_interface() override { return narrow::get_base_interface(); }
  socket_parts::forward_if const &get_base_interface() const override
  {
    return narrow::get_base_interface();
  }

private:
  class server;

  std::unique_ptr<server> server_;
};

/// The initiator socket of all models: binds to target sockets (and, hierarchically, to initiator
/// sockets) of any width.
class initiator_socket : public tlm::tlm_initiator_socket<32>,
                         public socket_parts::all_other_widths<socket_parts::initiator_of_width>
{
  using narrow = tlm::tlm_initiator_socket<32>;
  using port_base = sc_core::sc_port_b<socket_parts::forward_if>;
  using export_base = sc_core::sc_export<socket_parts::backward_if>;

public:
  using payload_type = tlm::tlm_generic_payload;
  using phase_call =
      std::function<tlm::tlm_sync_enum(payload_type &, tlm::tlm_phase &, sc_core::sc_time &)>;
  using invalidation_call = std::function<void(sc_dt::uint64, sc_dt::uint64)>;

  initiator_socket();
  explicit initiator_socket(const char *name);
  ~initiator_socket() override;

  /// As b_transport on this socket, but returns at once; see asynchronous_transport_if. A target
  /// that cannot do that is called in a thread of a pool.
  void begin_transport(payload_type &payload, const sc_core::sc_time &delay,
                       transport_completion &whom);

  /// What serves the backward path. Without it invalidations are ignored, and a target that uses
  /// nb_transport_bw gets SC_ERROR "/tandem/transport".
  void on_nb_transport(phase_call call);
  void on_invalidate_direct_mem_ptr(invalidation_call call);

  template <typename Module>
  void register_nb_transport_bw(Module *owner,
                                tlm::tlm_sync_enum (Module::*call)(payload_type &, tlm::tlm_phase &,
                                                                   sc_core::sc_time &))
  {
    on_nb_transport([owner, call](payload_type &p, tlm::tlm_phase &phase, sc_core::sc_time &t) {
      return (owner->*call)(p, phase, t);
    });
  }
  template <typename Module>
  void register_invalidate_direct_mem_ptr(Module *owner,
                                          void (Module::*call)(sc_dt::uint64, sc_dt::uint64))
  {
    on_invalidate_direct_mem_ptr(
        [owner, call](sc_dt::uint64 first, sc_dt::uint64 last) { (owner->*call)(first, last); });
  }
  template <typename Module>
  void register_invalidate_direct_mem_ptr(Module *owner,
                                          void (Module::*call)(int, sc_dt::uint64, sc_dt::uint64),
                                          int tag)
  {
    on_invalidate_direct_mem_ptr([owner, call, tag](sc_dt::uint64 first, sc_dt::uint64 last) {
      (owner->*call)(tag, first, last);
    });
  }

  using narrow::bind;
  using narrow::get_bus_width;
  using narrow::get_protocol_types;
  using narrow::get_socket_category;
  using narrow::operator();
  template <unsigned Width> void bind(socket_parts::target_base<Width> &target)
  {
    get_base_port()(target.get_base_interface());
    target.get_base_port()(get_base_interface());
  }
  template <unsigned Width> void operator()(socket_parts::target_base<Width> &target)
  {
    bind(target);
  }
  /// Hierarchical: to the socket of a module around this one.
  template <unsigned Width> void bind(socket_parts::initiator_base<Width> &outer)
  {
    get_base_port()(outer.get_base_port());
    outer.get_base_export()(get_base_export());
  }
  template <unsigned Width> void operator()(socket_parts::initiator_base<Width> &outer)
  {
    bind(outer);
  }
  port_base &get_base_port() override { return narrow::get_base_port(); }
  port_base const &get_base_port() const override { return narrow::get_base_port(); }
  export_base &get_base_export() override { return narrow::get_base_export(); }
  export_base const &get_base_export() const override { return narrow::get_base_export(); }
  socket_parts::backward_if &get_base_interface() override { return narrow::get_base_interface(); }
  socket_parts::backward_if const &get_base_interface() const override
  {
    return narrow::get_base_interface();
  }

private:
  class listener;

  std::unique_ptr<listener> listener_;
  asynchronous_transport_if *asynchronous_ = nullptr; // the target, if it is one
  bool looked_ = false;
};

} // namespace tandem
