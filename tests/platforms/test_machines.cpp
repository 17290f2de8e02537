// SPDX-License-Identifier: Apache-2.0
#include "tandem/machine.h"

#include "tandem/idm_registers.h"
#include "tandem/qemu_machine.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <systemc>

using namespace tandem;

namespace
{

bool apart(const qemu_range &a, const qemu_range &b)
{
  return a.address + a.size <= b.address || b.address + b.size <= a.address;
}

} // namespace

TEST(machines, are_found_by_their_names)
{
  std::set<std::string> names;
  for (const qemu_machine &machine : all_machines()) {
    EXPECT_EQ(&find_machine(machine.name), &machine);
    EXPECT_TRUE(names.insert(machine.name).second) << machine.name;
  }
  try {
    find_machine("abacus");
    FAIL();
  } catch (const sc_core::sc_report &report) {
    EXPECT_EQ(std::string(report.get_msg()).find("unknown machine 'abacus'; known are x86-pc, "),
              0u);
  }
}

TEST(machines, have_everything_in_their_records)
{
  for (const qemu_machine &m : all_machines()) {
    SCOPED_TRACE(m.name);
    for (const char *text :
         {m.help, m.program, m.machine, m.interrupt_device, m.guests, m.boot_rom.file})
      EXPECT_STRNE(text, "");
    EXPECT_TRUE(m.runs(m.elf_machine, m.elf_bits));
    EXPECT_FALSE(m.runs(m.elf_machine, m.elf_bits ^ 96));
    EXPECT_FALSE(m.runs(0, m.elf_bits));
    EXPECT_GT(m.dmi_pieces, 0u);
    EXPECT_GT(m.map.ram.limit, 0u);
    const linux_knowledge &l = m.linux_guest;
    EXPECT_EQ(l.learns_by == linux_knowledge::means::tree, l.interrupt_cells != nullptr);
    EXPECT_EQ(l.learns_by == linux_knowledge::means::none, l.mark == 0);
  }
}

TEST(machines, have_room_for_what_a_platform_adds)
{
  for (const qemu_machine &m : all_machines()) {
    SCOPED_TRACE(m.name);
    const guest_map &map = m.map;
    const qemu_range idm = {map.idm, TANDEM_IDM_PORT_SIZE}, shm = {map.shm, map.shm_limit},
                     ram = {map.ram.guest_address, map.ram.limit};
    EXPECT_TRUE(apart(idm, shm));
    EXPECT_TRUE(apart(idm, ram));
    EXPECT_GE(map.devices.size, 0x1000000u);
    for (const qemu_range &other : {idm, shm, ram})
      EXPECT_TRUE(apart(map.devices, other));
    for (const std::uint64_t address : {idm.address, shm.address, ram.address, map.devices.address,
                                        map.devices.size, map.shm_high})
      EXPECT_EQ(address % 4096, 0u);
  }
}

TEST(machines, say_where_all_of_their_ram_is)
{
  using kind = qemu_ram_piece::kind;
  for (const qemu_machine &m : all_machines()) {
    SCOPED_TRACE(m.name);
    for (const std::uint64_t gib : {1, 2, 3, 4, 8}) {
      const std::uint64_t wanted = gib << 30;
      const std::vector<qemu_ram_piece> pieces = m.ram(wanted);
      std::uint64_t size = 0;
      std::map<std::string, std::uint64_t> ends; // of what a block's pieces before have
      for (const qemu_ram_piece &p : pieces) {
        EXPECT_EQ((p.guest_address | p.size | p.offset) % 4096, 0u);
        EXPECT_GT(p.size, 0u);
        for (const qemu_ram_piece &other : pieces)
          EXPECT_TRUE(&p == &other ||
                      apart({p.guest_address, p.size}, {other.guest_address, other.size}));
        if (p.what == kind::mirror) {
          EXPECT_TRUE(std::any_of(pieces.begin(), pieces.end(), [&p](const qemu_ram_piece &o) {
            return o.what != kind::mirror && std::string(o.block) == p.block &&
                   o.offset == p.offset && o.size == p.size;
          }));
          continue;
        }
        EXPECT_EQ(p.offset, ends[p.block]) << "a block has a gap";
        ends[p.block] += p.size;
        size += p.size;
      }
      EXPECT_TRUE(!m.memory_mib || size == wanted) << size;
    }
  }
}

TEST(machines, windows_hide_ram)
{
  qemu_config config;
  config.machine = "arm";
  config.memory_mib = 1024;
  EXPECT_EQ(ram_size(config), 1u << 30);
  EXPECT_TRUE(ram_windows(config).empty()) << "it is QEMU's";
  config.ram = 0x2000000000;
  config.windows = {{"low", 0x50000000, 0x10000000, 0}, {"end", 0x7ffff000, 0x2000, 0}};
  const std::vector<qemu_window> ram = ram_windows(config);
  ASSERT_EQ(ram.size(), 2u);
  EXPECT_EQ(ram[0].guest_address, 0x40000000u);
  EXPECT_EQ(ram[0].size, 0x10000000u);
  EXPECT_EQ(ram[0].platform_address, 0x2000000000u);
  EXPECT_EQ(ram[1].guest_address, 0x60000000u);
  EXPECT_EQ(ram[1].size, 0x1ffff000u);
  EXPECT_EQ(ram[1].platform_address, 0x2020000000u);
}

TEST(machines, have_inputs_for_what_a_platform_adds)
{
  for (const qemu_machine &m : all_machines()) {
    SCOPED_TRACE(m.name);
    EXPECT_LT(m.map.idm_interrupt, m.interrupt_inputs);
    EXPECT_GE(m.map.free_interrupts.size(), 6u);
    std::set<unsigned> taken = {m.map.idm_interrupt};
    for (const unsigned input : m.map.free_interrupts) {
      EXPECT_LT(input, m.interrupt_inputs);
      EXPECT_TRUE(taken.insert(input).second) << input;
    }
  }
}
