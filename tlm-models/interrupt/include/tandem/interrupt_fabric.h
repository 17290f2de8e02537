// SPDX-License-Identifier: Apache-2.0
// Routes interrupt sources to interrupt destinations.
#pragma once

#include "tandem/interrupt.h"
#include "tandem/statistics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

enum class interrupt_mode {
  level, ///< the destination follows the source
  edge,  ///< a rising edge of the source is a pulse at the destination
};

struct interrupt_route {
  std::string source;
  std::string destination;
  interrupt_mode mode = interrupt_mode::level;
  bool invert = false; ///< the source is active low; an edge is then a falling one
};

struct interrupt_fabric_config {
  std::vector<std::string> sources;                 ///< unique, not empty
  std::vector<std::string> destinations;            ///< unique, not empty
  std::vector<interrupt_route> routes;              ///< in any order; a source may have none
  sc_core::sc_time pulse_width{10, sc_core::SC_NS}; ///< of edge routes, not zero
};

/// Any source to any destination: a source may feed several destinations
/// (fan-out), a destination is high while any of its routes is active (fan-in is
/// OR). A level route passes on a change before set_level returns. An edge route
/// is active for pulse_width from the edge; an edge during a pulse restarts it.
///
/// Called on the SystemC thread only. Reports SC_ERROR "/tandem/fabric" for a bad
/// configuration or an unknown name.
class interrupt_fabric : public sc_core::sc_module, public statistics_provider
{
public:
  /// Inputs in the order of config.sources, objects named in_SOURCE.
  sc_core::sc_vector<sc_core::sc_export<interrupt_if>> in;
  /// Outputs in the order of config.destinations, objects named out_DESTINATION.
  sc_core::sc_vector<interrupt_out> out;

  interrupt_fabric(sc_core::sc_module_name name, const interrupt_fabric_config &config);
  ~interrupt_fabric() override;

  /// Inputs and outputs by the name given in the configuration.
  sc_core::sc_export<interrupt_if> &input(const std::string &source);
  interrupt_out &output(const std::string &destination);

  /// Masks (true) or unmasks route number `route` (its place in config.routes). A
  /// masked route is not active: masking ends a pulse, and edges are lost.
  void set_mask(unsigned route, bool masked);
  bool masked(unsigned route) const;

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

private:
  class input_line;
  class route_line;
  void start_of_simulation() override;
  void connect(const interrupt_route &route);
  void add_pulse_end(route_line &route);
  void source_changed(input_line &line);
  void route_changed(route_line &route, bool active);

  interrupt_fabric_config config_;
  std::vector<std::unique_ptr<input_line>> inputs_;
  std::vector<std::unique_ptr<route_line>> routes_;
  std::vector<unsigned> active_routes_;     // by destination
  std::vector<std::uint64_t> rising_edges_; // by destination
};

} // namespace tandem
