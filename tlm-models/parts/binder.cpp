// SPDX-License-Identifier: Apache-2.0
#include "tandem/interrupt_adapters.h"
#include "tandem/part.h"
#include "tandem/sockets.h"

#include <cstdlib>
#include <functional>

namespace tandem
{
namespace
{

using signal_output = sc_core::sc_port_b<sc_core::sc_signal_inout_if<bool>>;
using signal_input = sc_core::sc_port_b<sc_core::sc_signal_in_if<bool>>;

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/parts", cause.c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

/// What a module has, for people who have written a name that it has not.
std::string children_of(const std::string &name)
{
  std::vector<std::string> names;
  const std::string owner = name.substr(0, name.rfind('.'));
  if (const sc_core::sc_object *module = sc_core::sc_find_object(owner.c_str()))
    for (const sc_core::sc_object *child : module->get_child_objects())
      names.push_back(child->basename());
  return names.empty() ? "" : "; " + owner + " has " + join(names);
}

sc_core::sc_object &find(const std::string &name, const char *what)
{
  sc_core::sc_object *const found = sc_core::sc_find_object(name.c_str());
  if (!found)
    fail("there is no " + std::string(what) + " '" + name + "'" + children_of(name));
  return *found;
}

struct way {
  bool is_initiator = false, is_target = false, bound = false;
  std::function<socket_parts::forward_if &()> target;
};

/// As initiator sockets bind themselves, which those that are bound several times do otherwise than
/// others. False for sockets that are none of TLM's own.
template <unsigned Width, int N, sc_core::sc_port_policy Policy>
bool bind_itself(sc_core::sc_object &from, socket_parts::target_base<Width> &target)
{
  auto *const socket =
      dynamic_cast<tlm::tlm_base_initiator_socket<Width, socket_parts::forward_if,
                                                  socket_parts::backward_if, N, Policy> *>(&from);
  if (socket)
    socket->bind(target);
  return socket;
}

template <unsigned Width> void try_width(sc_core::sc_object &from, sc_core::sc_object &to, way &w)
{
  auto *const initiator = dynamic_cast<socket_parts::initiator_base<Width> *>(&from);
  auto *const target = dynamic_cast<socket_parts::target_base<Width> *>(&to);
  w.is_initiator |= initiator != nullptr;
  w.is_target |= target != nullptr;
  // One that is bound several times has an interface for each time that it is asked.
  if (target && !w.target)
    w.target = [target]() -> socket_parts::forward_if & { return target->get_base_interface(); };
  if (w.bound || !initiator || !target)
    return;
  using namespace sc_core;
  w.bound = bind_itself<Width, 1, SC_ONE_OR_MORE_BOUND>(from, *target) ||
            bind_itself<Width, 0, SC_ONE_OR_MORE_BOUND>(from, *target) ||
            bind_itself<Width, 1, SC_ZERO_OR_MORE_BOUND>(from, *target) ||
            bind_itself<Width, 0, SC_ZERO_OR_MORE_BOUND>(from, *target);
  if (w.bound)
    return;
  initiator->get_base_port()(target->get_base_interface());
  target->get_base_port()(initiator->get_base_interface());
  w.bound = true;
}

template <unsigned... Widths>
way try_widths(sc_core::sc_object &from, sc_core::sc_object &to,
               std::integer_sequence<unsigned, Widths...>)
{
  way w;
  (try_width<Widths>(from, to, w), ...);
  return w;
}

/// What a part writes to it is at the input at once, as by an interrupt_out: a guest whose access
/// clears the interrupt must not see it once more, which it would a delta cycle later. Any of the
/// processes that come to the part by its sockets writes.
class driving_signal : public sc_core::sc_signal<bool, sc_core::SC_MANY_WRITERS>
{
public:
  driving_signal(const char *name, interrupt_if &input) : sc_signal(name), input_(input) {}
  void write(const bool &level) override
  {
    sc_signal::write(level);
    level_ = level;
    if (sc_core::sc_is_running())
      input_.set_level(level);
  }

private:
  void start_of_simulation() override
  {
    if (level_)
      input_.set_level(true);
  }

  interrupt_if &input_;
  bool level_ = false;
};

} // namespace

binder::binder() = default;
binder::~binder() = default;

void binder::sockets(const std::string &from, const std::string &to)
{
  using widths = std::integer_sequence<unsigned, 32, 64, 8, 16, 128, 256, 512, 1024>;
  sc_core::sc_object &source = find(from, "initiator socket");
  const way w = try_widths(source, find(to, "target socket"), widths());
  if (!w.is_target)
    fail("'" + to + "' is no target socket of the base protocol");
  if (!w.is_initiator) {
    auto *const port = dynamic_cast<sc_core::sc_port_b<socket_parts::forward_if> *>(&source);
    if (!port)
      fail("'" + from + "' is no initiator socket of the base protocol");
    return port->bind(w.target());
  }
  if (!w.bound)
    fail("'" + from + "' and '" + to + "' are of different widths");
}

void binder::interrupt(const std::string &from, const std::string &to)
{
  sc_core::sc_object &source = find(from, "interrupt output");
  sc_core::sc_object &destination = find(to, "interrupt input");
  interrupt_if *input = nullptr;
  if (auto *const line = dynamic_cast<sc_core::sc_export<interrupt_if> *>(&destination)) {
    input = line->operator->();
  } else if (auto *const in = dynamic_cast<signal_input *>(&destination)) {
    const std::string name = "irq_" + std::to_string(adapters_.size());
    auto signal = std::make_shared<sc_core::sc_signal<bool>>((name + "_signal").c_str());
    auto adapter = std::make_shared<interrupt_to_signal>(name.c_str());
    adapter->out.bind(*signal);
    in->bind(*signal);
    input = adapter->in.operator->();
    adapters_.push_back(std::move(signal));
    adapters_.push_back(std::move(adapter));
  } else {
    fail("'" + to + "' is no interrupt input");
  }
  if (auto *const line = dynamic_cast<sc_core::sc_port_b<interrupt_if> *>(&source)) {
    line->bind(*input);
  } else if (auto *const out = dynamic_cast<signal_output *>(&source)) {
    const std::string name = "irq_" + std::to_string(adapters_.size());
    auto signal = std::make_shared<driving_signal>(name.c_str(), *input);
    out->bind(*signal);
    adapters_.push_back(std::move(signal));
  } else {
    fail("'" + from +
         "' is no interrupt output: interrupt_out, a port of interrupt_if, or "
         "sc_out<bool>");
  }
}

} // namespace tandem
