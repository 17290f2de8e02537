// SPDX-License-Identifier: Apache-2.0
// What all networks on chip have in common, whatever their shape.
#pragma once

#include "tandem/interconnect.h"
#include "tandem/link_network.h"
#include "tandem/transfer_timing.h"

#include <map>

namespace tandem
{

/// Base of meshes and rings: nodes with routers, directed links between neighbours, and
/// for each initiator and target a port of its own into and out of its node. A
/// derived class says which nodes there are and which way leads from one to another.
///
/// An access is two packets, the request and the response. Each sets out at the
/// first clock edge s at or after its time t and takes, when it meets no other, over a
/// way of h links
///
///   T(h, f) = (s - t) + clock * ((h + 1) * router + h * link + f)
///
/// where f is the time for which it holds each link and port of its way, in cycles:
///
///   overhead + ceil(bytes / width)   writes on the request, reads on the response
///   overhead                         the other one of the two
///
/// so that delay = T(h, request) + target + T(h, response). Links work as
/// link_network says: virtual cut-through, unlimited storage at each link.
///
/// Parameters: `clock` (period, 10ns), `width` (bytes a cycle, 4), `overhead` (cycles of the
/// head, 1 or more, 1), `router` and `link` (latencies in cycles, 1), `arbitration` and
/// `weights` (of each link and port by itself, see make_arbiter), `place` (see mesh and ring).
/// Each access of blocking transport wait()s, so it must be made in a thread. DMI passes the
/// network by.
class network : public interconnect
{
public:
  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

  /// Links between nodes on the way from the initiator to the target.
  unsigned distance(unsigned initiator, unsigned target) const;

protected:
  /// What a derived class says of its shape. Nodes count from 0.
  struct shape {
    std::string name;                ///< for messages: "the mesh of 4 columns and 4 rows"
    std::string coordinates;         ///< for messages: "COLUMN,ROW"
    std::vector<std::uint64_t> size; ///< number of values of each coordinate
    /// The node that comes after `here` on the way to `there`.
    std::function<unsigned(unsigned here, unsigned there)> next;
    std::vector<std::pair<unsigned, unsigned>> links; ///< between nodes, directed
  };

  /// declared: what the shape has besides the common parameters.
  static interconnect_info describe(const std::string &help, std::vector<parameter_info> declared);
  network(sc_core::sc_module_name name, const interconnect_config &config,
          const interconnect_info &info);
  /// To be called once, in the constructor of the derived class.
  void build(const shape &form);

  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) final;
  void begin(flight &under_way) final;

private:
  struct places {
    std::vector<unsigned> initiators, targets; // nodes
  };
  struct ways {
    link_network::path request, response;
    unsigned distance;
  };
  [[noreturn]] void fail(const std::string &cause) const;
  places place(const shape &form) const;
  void place_one(const shape &form, const std::string &entry, places &placed) const;
  unsigned node_at(const shape &form, const std::string &who, const std::string &text) const;
  const ways &ways_of(const route &way) const
  {
    return ways_[way.initiator * config().targets.size() + way.target];
  }
  link_network::load load_of(unsigned initiator, std::uint64_t bytes) const
  {
    return {initiator, bytes, timing_.length(bytes)};
  }
  void answer(flight &under_way);

  transfer_timing timing_;
  mutable link_network links_; // makes up for what has happened when it is asked
  std::vector<ways> ways_;     // initiator * targets + target
};

} // namespace tandem
