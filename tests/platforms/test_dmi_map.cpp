// SPDX-License-Identifier: Apache-2.0
// What of the memory that an interconnect grants is mapped into a guest.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <tandem/dmi_descriptor.h>
#include <tandem/dmi_map.h>
#include <unistd.h>

using namespace tandem;

namespace
{

constexpr std::uint64_t page = 4096, guest = 0x40000000, platform = 0x100000000, large = 1 << 21;

/// A window of 16 MiB onto a memory that grants itself in equal parts.
struct bench {
  std::vector<std::string> warnings;
  std::uint64_t part = 16 << 20, offset = 0;
  bool write = true, descriptor = true, every_second = false;
  bool only_told = false; ///< granted to who tells of each access
  int fd = 5;             // never used
  dmi_map::config config;
  std::unique_ptr<dmi_map> map;

  bench()
  {
    config.windows = {{"w", guest, 16 << 20, platform}};
    config.page_size = [](int) { return page; };
    config.warn = [this](const std::string &text) { warnings.push_back(text); };
  }
  dmi_map &made()
  {
    map = std::make_unique<dmi_map>(
        config, [this](tlm::tlm_generic_payload &p, tlm::tlm_dmi &d) { return grant(p, d); });
    return *map;
  }
  dmi_map &probed()
  {
    made().probe_all();
    return *map;
  }
  /// The window is the guest's RAM instead.
  dmi_map &with_ram()
  {
    config.ram.swap(config.windows);
    return made();
  }
  /// All changes that wait to be sent.
  std::vector<tandem_wire_dmi> changes()
  {
    wire_channel channel("test");
    fd = memfd_create("test", 0);
    std::vector<tandem_wire_dmi> result;
    while (map->changed()) {
      map->write(channel.reply_slot(), channel);
      for (unsigned i = 0; i < channel.reply_slot().dmi_count; ++i)
        result.push_back(channel.reply_slot().dmi[i]);
    }
    close(fd);
    return result;
  }
  /// Their flags.
  std::vector<std::uint32_t> flags()
  {
    std::vector<std::uint32_t> result;
    for (const tandem_wire_dmi &change : changes())
      result.push_back(change.flags);
    return result;
  }
  /// "map 1 guest+size flags" and so on, after that is observed; guest addresses in pages.
  std::vector<std::string> observing(const observed_ranges &now, std::uint64_t quiet_until = 0)
  {
    map->observe(now, quiet_until);
    static const char *const words[] = {"", "map ", "unmap ", "observe "};
    std::vector<std::string> result;
    for (const tandem_wire_dmi &c : changes()) {
      std::string text = words[c.kind] + std::to_string(c.slot);
      if (c.kind != TANDEM_WIRE_UNMAP)
        text += " " + std::to_string((c.address - guest) / page) + "+" +
                std::to_string(c.size / page) + " " + std::to_string(c.flags);
      if (c.quiet_until)
        text += " until " + std::to_string(c.quiet_until);
      result.push_back(text);
    }
    return result;
  }

private:
  bool grant(tlm::tlm_generic_payload &p, tlm::tlm_dmi &dmi) const
  {
    const std::uint64_t index = (p.get_address() - platform) / part;
    dmi.init();
    dmi.set_start_address(platform + index * part);
    dmi.set_end_address(platform + (index + 1) * part - 1);
    dmi.set_dmi_ptr(reinterpret_cast<unsigned char *>(0x10000 + index * part));
    dmi.allow_read();
    if (write)
      dmi.allow_read_write();
    if (descriptor)
      if (auto *extension = p.get_extension<dmi_descriptor>()) {
        extension->fd = fd;
        extension->base = reinterpret_cast<unsigned char *>(0x10000);
        extension->offset = offset;
      }
    if (only_told && !is_told(p))
      return false;
    return !every_second || index % 2 == 0;
  }
};

} // namespace

TEST(dmi_map, all_of_a_window)
{
  bench b;
  EXPECT_EQ(b.probed().describe(), std::vector<std::string>{"w 0x40000000 0x40ffffff"});
  EXPECT_TRUE(b.warnings.empty());
}

TEST(dmi_map, as_many_pieces_as_there_are)
{
  bench b;
  b.part = page;
  b.every_second = true;
  b.config.pieces = 5000;
  EXPECT_EQ(b.probed().maps(), 2048u);
  EXPECT_EQ(b.map->describe().back(), "w 0x40ffe000 0x40ffefff");
  EXPECT_TRUE(b.warnings.empty());
}

TEST(dmi_map, more_pieces_than_possible_are_said_once_and_can_come_later)
{
  bench b;
  b.part = page;
  b.every_second = true;
  b.config.pieces = 100;
  EXPECT_EQ(b.probed().maps(), 100u);
  EXPECT_EQ(b.map->unmappable(), 2048u - 100u);
  ASSERT_EQ(b.warnings.size(), 1u);
  EXPECT_NE(b.warnings[0].find("has 100 pieces"), std::string::npos) << b.warnings[0];
  b.map->invalidate(platform, platform + page - 1);
  b.map->probe(platform + 1000 * page);
  EXPECT_EQ(b.map->maps(), 101u);
}

TEST(dmi_map, read_only_is_mapped_and_told)
{
  bench b;
  b.write = false;
  EXPECT_EQ(b.probed().maps(), 1u);
  EXPECT_TRUE(b.warnings.empty());
  wire_channel channel("test");
  b.fd = memfd_create("test", 0);
  b.probed().write(channel.reply_slot(), channel);
  EXPECT_EQ(channel.reply_slot().dmi_count, 1u);
  EXPECT_EQ(channel.reply_slot().dmi[0].flags, TANDEM_WIRE_DMI_READ_ONLY);
  close(b.fd);
}

TEST(dmi_map, opened_windows_must_be_writable)
{
  bench b;
  b.config.windows = {};
  EXPECT_TRUE(b.probed().open({"w", guest, page, platform}));
  b.map->close("w");
  b.write = false;
  EXPECT_FALSE(b.map->open({"w", guest, page, platform}));
}

TEST(dmi_map, pointers_without_a_descriptor_are_said_once)
{
  bench b;
  b.part = 1 << 20;
  b.descriptor = false;
  EXPECT_EQ(b.probed().maps(), 0u);
  EXPECT_EQ(b.map->unmappable(), 16u);
  ASSERT_EQ(b.warnings.size(), 1u);
  EXPECT_NE(b.warnings[0].find("without a descriptor"), std::string::npos) << b.warnings[0];
}

TEST(dmi_map, whole_pages_of_the_file)
{
  bench b;
  b.config.page_size = [](int) { return large; };
  b.offset = large + 3 * page; // the window begins within a large page of the file
  EXPECT_EQ(b.probed().describe(), std::vector<std::string>{"w 0x401fd000 0x40ffcfff"});
  ASSERT_EQ(b.warnings.size(), 1u);
  EXPECT_NE(b.warnings[0].find("whole pages of the file"), std::string::npos) << b.warnings[0];
}

TEST(dmi_map, parts_that_are_no_whole_page_of_the_file)
{
  bench b;
  b.config.page_size = [](int) { return large; };
  b.config.observed.cached = {{platform + large, large}, {platform + 3 * large + page, page}};
  // The second cached range tears a large page apart; all of that one is left.
  EXPECT_EQ(b.probed().describe(),
            (std::vector<std::string>{"w 0x40000000 0x401fffff", "w 0x40200000 0x403fffff",
                                      "w 0x40400000 0x405fffff", "w 0x40800000 0x40ffffff"}));
  EXPECT_EQ(b.warnings.size(), 1u);
}

TEST(dmi_map, page_size_of_a_file)
{
  const int plain = memfd_create("plain", 0);
  EXPECT_EQ(dmi_map::file_page_size(plain), page);
  close(plain);
  const int huge = memfd_create("huge", MFD_HUGETLB);
  if (huge < 0)
    GTEST_SKIP() << "no large pages here";
  EXPECT_GT(dmi_map::file_page_size(huge), page);
  close(huge);
}

TEST(dmi_map, ram_is_mapped_as_a_whole)
{
  bench b;
  b.part = 1 << 20;
  b.config.pieces = 3; // QEMU needs none for it
  std::uint64_t missing = 0;
  EXPECT_TRUE(b.with_ram().probe_ram(missing));
  EXPECT_EQ(b.map->maps(), 16u);
  b.map->probe_all(); // it is no window
  EXPECT_EQ(b.map->maps(), 16u);
  std::uint64_t found = 0;
  EXPECT_TRUE(b.map->find(guest + 0x123456, 4, found));
  EXPECT_EQ(found, platform + 0x123456);
}

TEST(dmi_map, ram_of_which_some_is_missing)
{
  bench holes, read_only, pointers;
  std::uint64_t missing = 0;
  holes.part = 1 << 20;
  holes.every_second = true;
  EXPECT_FALSE(holes.with_ram().probe_ram(missing));
  EXPECT_EQ(missing, platform + (1 << 20));
  read_only.write = false;
  EXPECT_FALSE(read_only.with_ram().probe_ram(missing));
  EXPECT_EQ(missing, platform);
  pointers.descriptor = false;
  EXPECT_FALSE(pointers.with_ram().probe_ram(missing));
}

TEST(dmi_map, ram_is_observed_as_asked_for)
{
  bench b;
  b.config.observed.cached = {{platform + page, 2 * page}};
  b.config.observed.every = {{platform + 2 * page, page}};
  std::uint64_t missing = 0;
  ASSERT_TRUE(b.with_ram().probe_ram(missing));
  const std::uint32_t ram = TANDEM_WIRE_DMI_RAM;
  EXPECT_EQ(b.flags(), (std::vector<std::uint32_t>{ram, ram | TANDEM_WIRE_DMI_CACHED,
                                                   ram | TANDEM_WIRE_DMI_EVERY, ram}));
  EXPECT_TRUE(b.map->tells());
}

TEST(dmi_map, ram_without_direct_access_is_told_access_by_access)
{
  bench b, free;
  std::uint64_t missing = 0;
  b.only_told = free.only_told = true;
  ASSERT_TRUE(b.with_ram().probe_ram(missing));
  EXPECT_EQ(b.flags(), std::vector<std::uint32_t>{TANDEM_WIRE_DMI_RAM | TANDEM_WIRE_DMI_EVERY});
  free.config.may_tell = false;
  EXPECT_FALSE(free.with_ram().probe_ram(missing));
  EXPECT_EQ(missing, platform);
  // Only RAM: a window may have transactions.
  bench window;
  window.only_told = true;
  EXPECT_EQ(window.probed().maps(), 0u);
}

TEST(dmi_map, ram_that_is_taken_back_must_be_granted_again_as_it_was)
{
  bench b;
  std::uint64_t missing = 0;
  ASSERT_TRUE(b.with_ram().probe_ram(missing));
  EXPECT_FALSE(b.map->ram_in_doubt());
  b.map->invalidate(platform + (16 << 20), platform + (17 << 20));
  EXPECT_FALSE(b.map->ram_in_doubt());
  b.map->invalidate(platform, platform + page - 1);
  EXPECT_TRUE(b.map->ram_in_doubt());
  EXPECT_EQ(b.map->unmaps(), 0u);
  EXPECT_TRUE(b.map->confirm_ram(missing));
  EXPECT_FALSE(b.map->ram_in_doubt());
  b.part = 4 << 20; // in other pieces, but the same
  EXPECT_TRUE(b.map->confirm_ram(missing));
  b.every_second = true;
  EXPECT_FALSE(b.map->confirm_ram(missing));
  EXPECT_EQ(missing, platform + (4 << 20));
  b.every_second = false;
  b.offset = page; // other bytes
  EXPECT_FALSE(b.map->confirm_ram(missing));
  b.offset = 0;
  b.write = false;
  EXPECT_FALSE(b.map->confirm_ram(missing));
}

// ---- what is observed changes

TEST(dmi_map, a_window_is_observed_otherwise_from_now_on)
{
  using texts = std::vector<std::string>;
  bench b;
  b.config.borders = {platform + page, platform + 3 * page};
  b.probed().drop_changes();
  EXPECT_EQ(b.map->maps(), 3u);
  const observed_ranges cached = {{{platform + page, 2 * page}}, {}};
  const observed_ranges every = {{}, {{platform + page, 2 * page}}};
  EXPECT_EQ(b.observing(cached, 70), (texts{"observe 1 1+2 1 until 70"}));
  EXPECT_TRUE(b.map->caches());
  EXPECT_EQ(b.observing(cached, 90), texts());
  // It leaves the caches before it is gone.
  EXPECT_EQ(b.observing(every), (texts{"observe 1 1+2 0", "unmap 1"}));
  EXPECT_FALSE(b.map->caches());
  b.map->probe(platform + page); // as its memory says that it is possible
  EXPECT_FALSE(b.map->changed());
  EXPECT_EQ(b.map->describe(), (texts{"w 0x40000000 0x40000fff", "w 0x40003000 0x40ffffff"}));
  EXPECT_EQ(b.observing({}), (texts{"map 1 1+2 0"}));
  EXPECT_EQ(b.observing(every), (texts{"unmap 1"}));
  EXPECT_EQ(b.observing(cached, 50), (texts{"map 1 1+2 1 until 50"}));
  EXPECT_FALSE(b.map->tells());
}

TEST(dmi_map, what_is_hidden_may_be_taken_back)
{
  bench b;
  b.config.observed.every = {{platform, 16 << 20}};
  b.probed();
  EXPECT_FALSE(b.map->changed());
  EXPECT_FALSE(b.map->is_direct("w"));
  b.map->invalidate(platform, platform + page);
  EXPECT_FALSE(b.map->changed());
  EXPECT_TRUE(b.observing({}).empty()); // nothing is granted
  b.map->probe(platform);
  EXPECT_EQ(b.flags().size(), 1u);
  EXPECT_TRUE(b.map->is_direct("w"));
}

TEST(dmi_map, what_is_shown_again_counts_among_the_pieces)
{
  bench b;
  b.config.pieces = 1;
  b.config.borders = {platform + page};
  b.config.observed.every = {{platform, page}};
  b.probed().drop_changes();
  EXPECT_TRUE(b.observing({}).empty());
  EXPECT_EQ(b.warnings.size(), 1u);
  EXPECT_EQ(b.map->unmappable(), 1u);
}

TEST(dmi_map, ram_is_observed_otherwise_and_stays)
{
  using texts = std::vector<std::string>;
  bench b;
  std::uint64_t missing = 0;
  b.config.borders = {platform + page};
  ASSERT_TRUE(b.with_ram().probe_ram(missing));
  b.map->drop_changes();
  EXPECT_EQ(b.observing({{}, {{platform, page}}}), (texts{"observe 0 0+1 12"}));
  EXPECT_TRUE(b.map->tells());
  EXPECT_EQ(b.observing({{{platform, page}}, {}}, 5), (texts{"observe 0 0+1 5 until 5"}));
  b.map->map_again(true);
  const std::vector<tandem_wire_dmi> again = b.changes();
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].quiet_until, 5u);
  EXPECT_EQ(b.observing({}), (texts{"observe 0 0+1 4"}));
  EXPECT_EQ(b.map->unmaps(), 0u);
  // Where direct access is granted to who tells of it only, that is always so.
  bench told;
  told.only_told = true;
  ASSERT_TRUE(told.with_ram().probe_ram(missing));
  told.map->drop_changes();
  EXPECT_EQ(told.observing({{{platform, 16 << 20}}, {}}), (texts{"observe 0 0+4096 5"}));
  EXPECT_EQ(told.observing({}), (texts{"observe 0 0+4096 12"}));
}

TEST(dmi_map, what_is_to_be_cached_and_refused_is_said_once)
{
  const std::vector<std::string> said = {
      "the caches see nothing of w from 0x100001000 to 0x100002fff: direct access is refused "
      "there, so each access is a transaction"};
  bench b;
  b.only_told = true;
  b.config.observed.cached = {{platform + page, 2 * page}};
  b.probed();
  b.map->invalidate(platform, platform + page - 1);
  b.map->probe(platform);
  EXPECT_EQ(b.warnings, said);
  bench later;
  later.only_told = true;
  later.probed();
  EXPECT_TRUE(later.warnings.empty());
  later.map->observe({{{platform + page, 2 * page}}, {}}, 0);
  EXPECT_EQ(later.warnings, said);
}
