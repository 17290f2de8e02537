// SPDX-License-Identifier: Apache-2.0
// Parts by name: what a platform makes from a description or an option. Any SystemC module can be
// one; it needs no base class, for its sockets and interrupts are found by their SystemC names.
#pragma once

#include "tandem/parameters.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

namespace tandem
{

/// A target socket of a part, and how many bytes from address 0 on it answers.
struct part_target {
  std::string name; ///< as the SystemC object is called: "socket"
  /// Bytes, a multiple of 4096 where a guest is to see it; 0: as many as whoever maps it says.
  std::uint64_t size = 0;
  std::string size_of = {}; ///< set: the parameter that says so, in place of size
};

/// Where guests look for a part.
enum class guest_place {
  devices,       ///< where their machine has room for devices
  shared_memory, ///< where it has the shared memory
  idm            ///< where it has the inter-processor device
};

/// What a kind of part says about itself. Help, checks, address maps, device trees and ACPI tables
/// come from this alone, before a part is made.
struct part_info {
  std::string help; ///< one line
  std::vector<parameter_info> parameters;
  std::vector<part_target> targets;
  std::vector<std::string> initiators; ///< its initiator sockets
  /// Outputs: interrupt_out, a port of interrupt_if, or sc_out<bool>.
  std::vector<std::string> interrupts;
  /// Set: its target socket and its interrupts are one for each instance that sees the part,
  /// NAME_0, NAME_1, ...; the parameter `participants` is how many there are.
  bool for_each = false;
  guest_place place = guest_place::devices;
  /// What reaches its target socket goes on by its initiator socket, at the same address, as
  /// through a cache.
  bool passes_on = false;
  /// By what Linux knows it: `compatible` of a device tree's node, and the _HID of an ACPI device.
  /// Empty: nothing is told of it.
  std::string device_tree = {}, acpi = {};
  /// The same accesses at the same times bring it into the same state. False for what depends on
  /// anything else - bytes of a memory that guests access directly, files, the host's clock: a run
  /// with it has no checkpoints. A part with initiators reads what they lead to: unless it passes
  /// on what reaches it, it has to say that nothing comes from that.
  std::optional<bool> replayable = {};
  /// Set by register_part: the file whose code registered it; empty: Tandem's own.
  std::string library = {};

  bool is_replayable() const { return replayable.value_or(initiators.empty() || passes_on); }
};

using part_factory =
    std::function<std::unique_ptr<sc_core::sc_module>(const char *, const parameters &)>;

/// Enters a kind of part. Never fails, as it runs before main; a name entered twice is an error
/// when it is made or when its library is loaded.
bool register_part(const std::string &kind, part_factory factory, part_info info);

/// Makes a part. SC_ERROR "/tandem/parts" for an unknown kind, "/tandem/parameters" for values that
/// it does not have, and whatever its constructor reports.
std::unique_ptr<sc_core::sc_module>
make_part(const std::string &kind, const std::string &module_name, const parameter_values &values);

/// Names of all kinds, sorted.
std::vector<std::string> part_names();
bool is_part(const std::string &kind);
/// What a kind says about itself. SC_ERROR "/tandem/parts" for an unknown kind.
const part_info &part_description(const std::string &kind);
/// Bytes that a target of a part with these parameter values answers; 0: nobody says. owner: for
/// SC_ERROR "/tandem/parameters".
std::uint64_t target_size(const std::string &owner, const part_info &info,
                          const part_target &target, const parameter_values &values);
/// Text for people: all kinds with their parameters and defaults.
std::string part_help();

/// Binds models by their SystemC names ("accel.socket"), before the simulation starts. Owns the
/// adapters that this takes, and has to live as long as the simulation. SC_ERROR "/tandem/parts"
/// when there is no such object, or the two do not fit.
class binder
{
public:
  binder();
  ~binder();

  /// An initiator socket, or a port of the forward interface, to a target socket, each of any
  /// width: when both are of foreign models, of the same one.
  void sockets(const std::string &from, const std::string &to);
  /// An interrupt output to an input: an export of interrupt_if, or sc_in<bool>.
  void interrupt(const std::string &from, const std::string &to);

private:
  std::vector<std::shared_ptr<void>> adapters_;
};

} // namespace tandem

/// Enters class TYPE as kind NAME. TYPE is an sc_module constructed from (sc_module_name, const
/// tandem::parameters &) and has `static tandem::part_info describe()`. To be written at namespace
/// scope of a source file.
#define TANDEM_REGISTER_PART(NAME, TYPE)                                                           \
  [[maybe_unused]] static const bool tandem_registered_part_##TYPE = ::tandem::register_part(      \
      NAME,                                                                                        \
      [](const char *module_name, const ::tandem::parameters &values) {                            \
        return std::unique_ptr<::sc_core::sc_module>(new TYPE(module_name, values));               \
      },                                                                                           \
      TYPE::describe());
