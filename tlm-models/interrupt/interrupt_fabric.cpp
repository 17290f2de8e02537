// SPDX-License-Identifier: Apache-2.0
#include "tandem/interrupt_fabric.h"

#include <algorithm>
#include <cstdlib>

namespace tandem
{

/// What a source drives.
class interrupt_fabric::input_line : public interrupt_if
{
public:
  explicit input_line(interrupt_fabric &fabric) : fabric_(fabric) {}
  void set_level(bool high) override
  {
    if (high == level)
      return;
    level = high;
    edges += high;
    fabric_.source_changed(*this);
  }

  bool level = false;
  std::uint64_t edges = 0; // rising
  std::vector<route_line *> routes;

private:
  interrupt_fabric &fabric_;
};

class interrupt_fabric::route_line
{
public:
  input_line *source = nullptr;
  unsigned destination = 0;
  bool edge = false, invert = false, masked = false;
  bool active = false;                          // as the destination sees it
  std::unique_ptr<sc_core::sc_event> pulse_end; // of an edge route

  bool input() const { return source->level != invert; }
};

namespace
{

[[noreturn]] void fail(const char *name, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/fabric", (std::string("fabric ") + name + ": " + cause).c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

void check_names(const char *name, const char *what, std::vector<std::string> names)
{
  std::sort(names.begin(), names.end());
  if (!names.empty() && names.front().empty())
    fail(name, std::string("a ") + what + " has no name");
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    fail(name, std::string("there are two ") + what + "s named '" + *twice + "'");
}

unsigned index_of(const char *name, const char *what, const std::vector<std::string> &names,
                  const std::string &wanted)
{
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end())
    fail(name, std::string("there is no ") + what + " '" + wanted + "'");
  return static_cast<unsigned>(found - names.begin());
}

} // namespace

interrupt_fabric::interrupt_fabric(sc_core::sc_module_name, const interrupt_fabric_config &config)
    : in("in"), out("out"), config_(config), active_routes_(config.destinations.size()),
      rising_edges_(config.destinations.size())
{
  check_names(name(), "source", config.sources);
  check_names(name(), "destination", config.destinations);
  if (config.pulse_width == sc_core::SC_ZERO_TIME)
    fail(name(), "the pulse width is zero");
  in.init(config.sources.size(), [&config](const char *, std::size_t i) {
    return new sc_core::sc_export<interrupt_if>(("in_" + config.sources[i]).c_str());
  });
  out.init(config.destinations.size(), [&config](const char *, std::size_t i) {
    return new interrupt_out(("out_" + config.destinations[i]).c_str());
  });
  for (std::size_t i = 0; i < in.size(); ++i) {
    inputs_.push_back(std::make_unique<input_line>(*this));
    in[i].bind(*inputs_.back());
  }
  for (const interrupt_route &route : config.routes)
    connect(route);
}

interrupt_fabric::~interrupt_fabric() = default;

void interrupt_fabric::connect(const interrupt_route &route)
{
  auto line = std::make_unique<route_line>();
  line->source = inputs_[index_of(name(), "source", config_.sources, route.source)].get();
  line->destination = index_of(name(), "destination", config_.destinations, route.destination);
  line->edge = route.mode == interrupt_mode::edge;
  line->invert = route.invert;
  line->source->routes.push_back(line.get());
  if (line->edge)
    add_pulse_end(*line);
  routes_.push_back(std::move(line));
}

void interrupt_fabric::add_pulse_end(route_line &route)
{
  const std::string number = std::to_string(routes_.size());
  route.pulse_end = std::make_unique<sc_core::sc_event>(("pulse_end_event_" + number).c_str());
  sc_core::sc_spawn_options options;
  options.spawn_method();
  options.dont_initialize();
  options.set_sensitivity(route.pulse_end.get());
  sc_core::sc_spawn([this, &route] { route_changed(route, false); },
                    ("pulse_end_" + number).c_str(), &options);
}

void interrupt_fabric::start_of_simulation()
{
  // An inverted source is active before anybody has driven it.
  for (const auto &route : routes_) {
    if (!route->edge)
      route_changed(*route, route->input() && !route->masked);
  }
}

void interrupt_fabric::source_changed(input_line &line)
{
  for (route_line *const route : line.routes) {
    if (route->masked)
      continue;
    if (!route->edge) {
      route_changed(*route, route->input());
    } else if (route->input()) {
      route->pulse_end->cancel();
      route->pulse_end->notify(config_.pulse_width);
      route_changed(*route, true);
    }
  }
}

void interrupt_fabric::route_changed(route_line &route, bool active)
{
  if (route.active == active)
    return;
  route.active = active;
  unsigned &count = active_routes_[route.destination];
  count = active ? count + 1 : count - 1;
  const bool level = count > 0;
  if (level && !out[route.destination].read())
    ++rising_edges_[route.destination];
  out[route.destination].write(level);
}

void interrupt_fabric::set_mask(unsigned route, bool masked)
{
  if (route >= routes_.size())
    fail(name(), "there is no route " + std::to_string(route));
  route_line &line = *routes_[route];
  line.masked = masked;
  if (line.edge) {
    if (masked) {
      line.pulse_end->cancel();
      route_changed(line, false);
    }
  } else {
    route_changed(line, line.input() && !masked);
  }
}

bool interrupt_fabric::masked(unsigned route) const
{
  if (route >= routes_.size())
    fail(name(), "there is no route " + std::to_string(route));
  return routes_[route]->masked;
}

sc_core::sc_export<interrupt_if> &interrupt_fabric::input(const std::string &source)
{
  return in[index_of(name(), "source", config_.sources, source)];
}

interrupt_out &interrupt_fabric::output(const std::string &destination)
{
  return out[index_of(name(), "destination", config_.destinations, destination)];
}

nlohmann::ordered_json interrupt_fabric::statistics() const
{
  nlohmann::ordered_json report;
  report["sources"] = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    report["sources"][config_.sources[i]] = inputs_[i]->edges;
  report["destinations"] = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < rising_edges_.size(); ++i)
    report["destinations"][config_.destinations[i]] = rising_edges_[i];
  return report;
}

void interrupt_fabric::trace(sc_core::sc_trace_file *file) const
{
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    sc_core::sc_trace(file, inputs_[i]->level, in[i].name());
  for (std::size_t i = 0; i < out.size(); ++i)
    sc_core::sc_trace(file, out[i].level(), out[i].name());
}

} // namespace tandem
