// SPDX-License-Identifier: Apache-2.0
#include "device_tree.h"

#include <algorithm>
#include <cstdio>
#include <libfdt.h>
#include <systemc>
#include <tandem-sw/whole_tree.h>

namespace tandem
{
namespace
{

constexpr std::size_t added_room = 65536; // for what is added

[[noreturn]] void fail(const std::string &instance, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/device-tree", (instance + ": " + cause).c_str());
  std::abort(); // the report throws
}

std::string node_name(const char *kind, std::uint64_t address)
{
  char text[64];
  std::snprintf(text, sizeof text, "%s@%llx", kind, static_cast<unsigned long long>(address));
  return text;
}

/// "a,b, c,d" is two.
std::vector<std::string> compatibles(const std::string &text)
{
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(", ", at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return result;
}

/// A tree that is being changed; every failure of libfdt is an error that names the instance.
class tree_editor
{
public:
  tree_editor(const std::string &instance, const device_tree &tree)
      : instance_(instance), buffer_(tree.size() + added_room)
  {
    if (tandem_sw_check_tree(tree.data(), tree.size()) != 0)
      fail(instance_, "this is no device tree");
    need(fdt_open_into(tree.data(), blob(), static_cast<int>(buffer_.size())));
  }

  void add_ram(const guest_range &ram)
  {
    for (int node; (node = ram_node()) >= 0;)
      need(fdt_del_node(blob(), node));
    const int node = add_node(0, node_name("memory", ram.address));
    need(fdt_setprop_string(blob(), node, "device_type", "memory"));
    append_range(0, node, ram);
  }

  void set_bootargs(const std::string &text)
  {
    need(fdt_setprop_string(blob(), node("chosen"), "bootargs", text.c_str()));
  }

  /// Returns the phandle of the reservation.
  std::uint32_t reserve(const guest_range &range)
  {
    std::uint32_t phandle = 0;
    need(fdt_generate_phandle(blob(), &phandle));
    int parent = fdt_subnode_offset(blob(), 0, "reserved-memory");
    if (parent < 0) {
      parent = add_node(0, "reserved-memory");
      need(fdt_setprop_u32(blob(), parent, "#address-cells", cells(fdt_address_cells)));
      need(fdt_setprop_u32(blob(), parent, "#size-cells", cells(fdt_size_cells)));
      need(fdt_setprop_empty(blob(), parent, "ranges"));
    }
    const int node = add_node(parent, node_name("tandem", range.address));
    need(fdt_setprop_empty(blob(), node, "no-map"));
    need(fdt_setprop_u32(blob(), node, "phandle", phandle));
    append_range(parent, node, range);
    return phandle;
  }

  void add_idm(const tree_idm &idm, const std::string &controller,
               const std::optional<guest_range> &shared_memory)
  {
    const std::uint32_t region = shared_memory ? reserve(*shared_memory) : 0;
    const int node =
        add_device({"tandem-idm", "tandem,idm", {idm.port}, idm.interrupt, "port"}, controller);
    need(fdt_setprop_u32(blob(), node, "#mbox-cells", 1));
    if (!shared_memory)
      return;
    append_range(0, node, *shared_memory);
    need(fdt_appendprop_string(blob(), node, "reg-names", "memory"));
    need(fdt_setprop_u32(blob(), node, "memory-region", region));
  }

  /// Returns its node.
  int add_device(const tree_device &device, const std::string &controller)
  {
    const std::uint32_t phandle = device.interrupts.empty() ? 0 : interrupt_controller(controller);
    const int node = add_node(0, node_name(device.name.c_str(), device.ranges.front().address));
    for (const std::string &one : compatibles(device.compatible))
      need(fdt_appendprop_string(blob(), node, "compatible", one.c_str()));
    for (const guest_range &range : device.ranges)
      append_range(0, node, range);
    if (!device.range_name.empty())
      need(fdt_setprop_string(blob(), node, "reg-names", device.range_name.c_str()));
    if (phandle)
      need(fdt_setprop_u32(blob(), node, "interrupt-parent", phandle));
    for (const std::uint32_t cell : device.interrupts)
      need(fdt_appendprop_u32(blob(), node, "interrupts", cell));
    return node;
  }

  device_tree finish()
  {
    need(fdt_pack(blob()));
    buffer_.resize(fdt_totalsize(blob()));
    return buffer_;
  }

private:
  void *blob() { return buffer_.data(); }

  int need(int result)
  {
    if (result < 0)
      fail(instance_, std::string("the device tree cannot be completed: ") + fdt_strerror(result));
    return result;
  }

  std::uint32_t cells(int (*count)(const void *, int))
  {
    return static_cast<std::uint32_t>(need(count(blob(), 0)));
  }

  int add_node(int parent, const std::string &name)
  {
    return need(fdt_add_subnode(blob(), parent, name.c_str()));
  }

  int node(const char *name)
  {
    const int found = fdt_subnode_offset(blob(), 0, name);
    return found >= 0 ? found : add_node(0, name);
  }

  /// The phandle that a node has to name for its interrupts; 0 when the root names one for all.
  std::uint32_t interrupt_controller(const std::string &compatible)
  {
    std::uint32_t found = 0;
    if (!compatible.empty())
      found =
          fdt_get_phandle(blob(), fdt_node_offset_by_compatible(blob(), -1, compatible.c_str()));
    if (!found && !fdt_getprop(blob(), 0, "interrupt-parent", nullptr))
      fail(instance_, "the device tree names no interrupt controller");
    return found;
  }

  int ram_node()
  {
    return fdt_node_offset_by_prop_value(blob(), -1, "device_type", "memory", sizeof "memory");
  }

  void append_range(int parent, int node, const guest_range &range)
  {
    need(fdt_appendprop_addrrange(blob(), parent, node, "reg", range.address, range.size));
  }

  std::string instance_;
  device_tree buffer_;
};

} // namespace

device_tree complete_tree(const std::string &instance, const device_tree &tree,
                          const tree_additions &additions)
{
  tree_editor editor(instance, tree);
  if (additions.ram)
    editor.add_ram(*additions.ram);
  if (additions.bootargs)
    editor.set_bootargs(*additions.bootargs);
  if (additions.idm)
    editor.add_idm(*additions.idm, additions.interrupt_controller, additions.shared_memory);
  for (const tree_device &device : additions.devices)
    editor.add_device(device, additions.interrupt_controller);
  return editor.finish();
}

} // namespace tandem
