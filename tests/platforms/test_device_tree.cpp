// SPDX-License-Identifier: Apache-2.0
#include "device_tree.h"

#include <gtest/gtest.h>
#include <libfdt.h>
#include <systemc>

using namespace tandem;

namespace
{

/// What a machine brings along: an interrupt controller, memory, and something else.
device_tree machine_tree()
{
  device_tree tree(4096);
  EXPECT_EQ(fdt_create_empty_tree(tree.data(), 4096), 0);
  void *t = tree.data();
  fdt_setprop_u32(t, 0, "#address-cells", 2);
  fdt_setprop_u32(t, 0, "#size-cells", 2);
  fdt_setprop_u32(t, 0, "interrupt-parent", 7);
  const int memory = fdt_add_subnode(t, 0, "memory@40000000");
  fdt_setprop_string(t, memory, "device_type", "memory");
  fdt_appendprop_addrrange(t, 0, memory, "reg", 0x40000000, 0x8000000);
  fdt_setprop_string(t, fdt_add_subnode(t, 0, "chosen"), "stdout-path", "/serial");
  fdt_setprop_u32(t, fdt_add_subnode(t, 0, "serial"), "phandle", 7);
  fdt_pack(t);
  tree.resize(fdt_totalsize(t));
  return tree;
}

tree_additions master_additions()
{
  tree_additions a;
  a.idm = tree_idm{{0xf000000, 0x10000}, {0, 96, 4}};
  a.shared_memory = guest_range{0x60000000, 0x20000000};
  return a;
}

tree_additions slave_additions()
{
  tree_additions a;
  a.idm = tree_idm{{0xf000000, 0x10000}, {0, 96, 4}};
  a.ram = guest_range{0x40000000, 0x2000000};
  a.bootargs = "console=ttyAMA0";
  return a;
}

std::string bytes(const device_tree &tree, const char *path, const char *property)
{
  int length = 0;
  const int node = fdt_path_offset(tree.data(), path);
  const void *value = node < 0 ? nullptr : fdt_getprop(tree.data(), node, property, &length);
  return value ? std::string(static_cast<const char *>(value), static_cast<std::size_t>(length))
               : "absent";
}

std::vector<std::uint32_t> cells(const device_tree &tree, const char *path, const char *property)
{
  const std::string text = bytes(tree, path, property);
  std::vector<std::uint32_t> result;
  for (std::size_t at = 0; at + 4 <= text.size(); at += 4)
    result.push_back(fdt32_ld(reinterpret_cast<const fdt32_t *>(text.data() + at)));
  return result;
}

std::string error_of(const device_tree &tree)
{
  try {
    complete_tree("master", tree, master_additions());
  } catch (const sc_core::sc_report &report) {
    return report.get_msg();
  }
  return "";
}

using numbers = std::vector<std::uint32_t>;

} // namespace

TEST(device_tree, has_the_idm_and_its_memory)
{
  const device_tree tree = complete_tree("master", machine_tree(), master_additions());
  const char *idm = "/tandem-idm@f000000";
  EXPECT_EQ(bytes(tree, idm, "compatible"), std::string("tandem,idm", 11));
  EXPECT_EQ(bytes(tree, idm, "reg-names"), std::string("port\0memory", 12));
  EXPECT_EQ(cells(tree, idm, "reg"),
            (numbers{0, 0xf000000, 0, 0x10000, 0, 0x60000000, 0, 0x20000000}));
  EXPECT_EQ(cells(tree, idm, "interrupts"), (numbers{0, 96, 4}));
  EXPECT_EQ(cells(tree, idm, "#mbox-cells"), numbers{1});
  const char *region = "/reserved-memory/tandem@60000000";
  EXPECT_EQ(cells(tree, region, "reg"), (numbers{0, 0x60000000, 0, 0x20000000}));
  EXPECT_EQ(bytes(tree, region, "no-map"), "");
  EXPECT_EQ(cells(tree, idm, "memory-region"), cells(tree, region, "phandle"));
  EXPECT_NE(cells(tree, region, "phandle"), numbers{7});
  EXPECT_EQ(bytes(tree, "/reserved-memory", "ranges"), "");
}

TEST(device_tree, leaves_the_machine_as_it_is)
{
  const device_tree tree = complete_tree("master", machine_tree(), master_additions());
  EXPECT_EQ(cells(tree, "/memory@40000000", "reg"), (numbers{0, 0x40000000, 0, 0x8000000}));
  EXPECT_EQ(bytes(tree, "/chosen", "stdout-path"), std::string("/serial", 8));
  EXPECT_EQ(bytes(tree, "/chosen", "bootargs"), "absent");
}

TEST(device_tree, of_a_slave_has_its_share_for_memory)
{
  const device_tree tree = complete_tree("slave0", machine_tree(), slave_additions());
  EXPECT_EQ(cells(tree, "/memory@40000000", "reg"), (numbers{0, 0x40000000, 0, 0x2000000}));
  EXPECT_EQ(bytes(tree, "/memory@40000000", "device_type"), std::string("memory", 7));
  EXPECT_EQ(bytes(tree, "/chosen", "bootargs"), std::string("console=ttyAMA0", 16));
  EXPECT_EQ(cells(tree, "/tandem-idm@f000000", "reg"), (numbers{0, 0xf000000, 0, 0x10000}));
  EXPECT_EQ(bytes(tree, "/tandem-idm@f000000", "reg-names"), std::string("port", 5));
  EXPECT_EQ(bytes(tree, "/tandem-idm@f000000", "memory-region"), "absent");
  EXPECT_LT(fdt_path_offset(tree.data(), "/reserved-memory"), 0);
}

TEST(device_tree, joins_reservations_that_are_there)
{
  const device_tree once = complete_tree("master", machine_tree(), master_additions());
  tree_additions other = master_additions();
  other.idm->port.address = 0xe000000;
  other.shared_memory->address = 0x50000000;
  const device_tree twice = complete_tree("master", once, other);
  EXPECT_GE(fdt_path_offset(twice.data(), "/reserved-memory/tandem@50000000"), 0);
  EXPECT_GE(fdt_path_offset(twice.data(), "/reserved-memory/tandem@60000000"), 0);
}

TEST(device_tree, has_further_devices)
{
  tree_additions a;
  a.devices = {
      {"accel", "acme,accel-2, acme,accel", {{0xa100000, 0x1000}, {0xa102000, 0x2000}}, {0, 40, 1}},
      {"silent", "acme,silent", {{0xa200000, 0x1000}}, {}}};
  const device_tree tree = complete_tree("master", machine_tree(), a);
  EXPECT_EQ(bytes(tree, "/accel@a100000", "compatible"),
            std::string("acme,accel-2\0acme,accel", 24));
  EXPECT_EQ(cells(tree, "/accel@a100000", "reg"),
            (numbers{0, 0xa100000, 0, 0x1000, 0, 0xa102000, 0, 0x2000}));
  EXPECT_EQ(cells(tree, "/accel@a100000", "interrupts"), (numbers{0, 40, 1}));
  EXPECT_EQ(cells(tree, "/silent@a200000", "reg"), (numbers{0, 0xa200000, 0, 0x1000}));
  EXPECT_EQ(bytes(tree, "/silent@a200000", "interrupts"), "absent");
  EXPECT_LT(fdt_path_offset(tree.data(), "/reserved-memory"), 0);
}

TEST(device_tree, is_packed_and_always_the_same)
{
  const device_tree tree = complete_tree("master", machine_tree(), master_additions());
  EXPECT_EQ(tree.size(), fdt_totalsize(tree.data()));
  EXPECT_LT(tree.size(), 2000u);
  EXPECT_EQ(tree, complete_tree("master", machine_tree(), master_additions()));
}

TEST(device_tree, that_is_none_is_refused)
{
  EXPECT_EQ(error_of({}), "master: this is no device tree");
  EXPECT_EQ(error_of(device_tree(500, 'x')), "master: this is no device tree");
  device_tree cut = machine_tree();
  cut.resize(cut.size() - 20);
  EXPECT_EQ(error_of(cut), "master: this is no device tree");
}

TEST(device_tree, whose_property_leads_back_is_refused)
{
  device_tree tree = machine_tree();
  int length = 0;
  const auto *const property =
      fdt_get_property(tree.data(), fdt_path_offset(tree.data(), "/serial"), "phandle", &length);
  const auto at = reinterpret_cast<const char *>(&property->len) - tree.data();
  fdt32_st(&tree[static_cast<std::size_t>(at)], static_cast<std::uint32_t>(-12));
  EXPECT_EQ(error_of(tree), "master: this is no device tree");
}

TEST(device_tree, of_an_old_version_is_refused)
{
  device_tree tree = machine_tree();
  fdt_set_version(tree.data(), 3);
  fdt_set_last_comp_version(tree.data(), 3);
  EXPECT_EQ(error_of(tree), "master: this is no device tree");
}

TEST(device_tree, needs_an_interrupt_controller)
{
  device_tree tree = machine_tree();
  fdt_delprop(tree.data(), 0, "interrupt-parent");
  EXPECT_EQ(error_of(tree), "master: the device tree names no interrupt controller");
}

TEST(device_tree, names_the_interrupt_controller_where_the_root_does_not)
{
  device_tree tree = machine_tree();
  fdt_delprop(tree.data(), 0, "interrupt-parent");
  tree.resize(4096);
  fdt_open_into(tree.data(), tree.data(), 4096);
  const int serial = fdt_path_offset(tree.data(), "/serial");
  fdt_setprop_string(tree.data(), serial, "compatible", "riscv,plic0");
  tree_additions additions = master_additions();
  additions.idm->interrupt = {48};
  additions.interrupt_controller = "riscv,plic0";
  const device_tree complete = complete_tree("master", tree, additions);
  EXPECT_EQ(cells(complete, "/tandem-idm@f000000", "interrupts"), numbers{48});
  EXPECT_EQ(cells(complete, "/tandem-idm@f000000", "interrupt-parent"), numbers{7});
}

TEST(device_tree, has_each_node_once)
{
  const device_tree tree = complete_tree("master", machine_tree(), master_additions());
  EXPECT_EQ(error_of(tree), "master: the device tree cannot be completed: FDT_ERR_EXISTS");
}
