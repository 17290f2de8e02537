// SPDX-License-Identifier: Apache-2.0
// Device trees: what Tandem adds to the tree of a machine. Tree in, tree out; no QEMU is needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem
{

/// A flattened device tree, as in a .dtb file.
using device_tree = std::vector<char>;

struct guest_range {
  std::uint64_t address = 0, size = 0;
};

/// An instance's port of the IDM.
struct tree_idm {
  guest_range port;
  std::vector<std::uint32_t> interrupt; ///< that it raises, as the machine's trees have it
};

struct tree_device {
  std::string name;       ///< of its node
  std::string compatible; ///< one, or several with commas and blanks between them: "acme,b, acme,a"
  std::vector<guest_range> ranges;
  std::vector<std::uint32_t> interrupts; ///< cells of all of them
  std::string range_name = {};           ///< of the first range; empty: they have no names
};

/// What a tree is to say about the platform.
struct tree_additions {
  std::optional<tree_idm> idm;
  std::vector<tree_device> devices;
  /// Compatible of the node of the controller that takes interrupts; empty: the root of the tree
  /// names it.
  std::string interrupt_controller;
  /// The shared memory as the guest sees it: second range of the IDM, and reserved memory without
  /// a mapping, so that Linux keeps out where the window lies over the machine's own RAM. Where
  /// it does not, the reservation changes nothing.
  std::optional<guest_range> shared_memory;
  std::optional<guest_range> ram;      ///< takes the place of what the tree says
  std::optional<std::string> bootargs; ///< the same
};

/// The tree with these additions, packed. The same input gives the same bytes. SC_ERROR
/// "/tandem/device-tree" that names the instance when the tree is none or is not one of a
/// machine with an interrupt controller.
device_tree complete_tree(const std::string &instance, const device_tree &tree,
                          const tree_additions &additions);

} // namespace tandem
