// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/address_map.h>

namespace address_map_tests
{

using namespace traffic;
using tandem::address_map;
using tandem::address_range;

namespace
{

const std::vector<std::string> targets = {"ram", "io"};

address_map made(const std::vector<address_range> &ranges)
{
  return {"map", ranges, targets, 2};
}

std::string error_for(const std::vector<address_range> &ranges)
{
  return error_of([&ranges] { made(ranges); });
}

} // namespace

TEST(address_map, finds_first_and_last_byte_and_translates)
{
  const auto map = made(
      {{"high", 0x9000, 0x1000, "io", 0x40, {}}, {"low", 0x1000, 0x1000, "ram", 0x100000, {}}});
  EXPECT_EQ(map.find(0, 0xfff), nullptr);
  EXPECT_EQ(map.find(0, 0x2000), nullptr);
  ASSERT_NE(map.find(0, 0x1000), nullptr);
  ASSERT_NE(map.find(0, 0x1fff), nullptr);
  EXPECT_EQ(map.find(0, 0x1fff)->translate(0x1fff), 0x100fffu);
  EXPECT_EQ(map.find(0, 0x9004)->target, 1u);
  EXPECT_EQ(map.find(0, 0x9004)->translate(0x9004), 0x44u);
  EXPECT_EQ(map.find(0, 0x1000)->target, 0u) << "the last hit must not stick";
}

TEST(address_map, private_ranges_are_seen_by_their_initiator_only)
{
  const auto map = made({{"zero", 0x1000, 0x1000, "ram", 0, 0},
                         {"one", 0x1000, 0x1000, "io", 0, 1},
                         {"only", 0x5000, 0x1000, "io", 0, 1}});
  EXPECT_EQ(map.find(0, 0x1000)->target, 0u);
  EXPECT_EQ(map.find(1, 0x1000)->target, 1u);
  EXPECT_EQ(map.find(0, 0x5000), nullptr);
}

TEST(address_map, holes_reach_to_their_neighbours_and_ends)
{
  const auto map = made({{"a", 0x1000, 0x1000, "ram", 0, {}}, {"b", 0x4000, 0x1000, "io", 0, {}}});
  EXPECT_EQ(map.hole(0, 0).first, 0u);
  EXPECT_EQ(map.hole(0, 0).last, 0xfffu);
  EXPECT_EQ(map.hole(0, 0x3000).first, 0x2000u);
  EXPECT_EQ(map.hole(0, 0x3000).last, 0x3fffu);
  EXPECT_EQ(map.hole(0, 0x6000).first, 0x5000u);
  EXPECT_EQ(map.hole(0, 0x6000).last, UINT64_MAX);
}

TEST(address_map, whole_address_space_can_be_one_range)
{
  const auto map =
      made({{"low", 0, UINT64_MAX, "ram", 0, {}}, {"top", UINT64_MAX, 1, "io", 7, {}}});
  EXPECT_EQ(map.find(0, UINT64_MAX - 1)->target, 0u);
  EXPECT_EQ(map.find(0, UINT64_MAX)->translate(UINT64_MAX), 7u);
}

TEST(address_map, errors_are_one_sentence)
{
  EXPECT_EQ(error_for({{"a", 0, 0x1000, "ram", 0, {}}, {"b", 0xfff, 0x10, "io", 0, 1}}),
            "map: range 'b' (0xfff to 0x100e) overlaps range 'a' (0x0 to 0xfff)");
  EXPECT_EQ(error_for({{"a", 0, 0, "ram", 0, {}}}), "map: range 'a' is empty");
  EXPECT_EQ(error_for({{"a", 0, 1, "rom", 0, {}}}),
            "map: range 'a' leads to target 'rom' that does not exist");
  EXPECT_EQ(error_for({{"a", 0, 1, "ram", 0, 2}}),
            "map: range 'a' is for initiator 2 but there are 2");
  EXPECT_EQ(error_for({{"a", UINT64_MAX, 2, "ram", 0, {}}}),
            "map: range 'a' goes beyond the end of the address space");
  EXPECT_EQ(error_for({{"a", 0, 0x10, "ram", 0, 0}, {"b", 0, 0x10, "io", 0, 1}}), "");
}

TEST(address_map, interleaving_goes_round_the_targets_without_gaps)
{
  const auto map = made({{"spread", 0x10000, 0x4000, "ram", 0x800, {}, {"io"}, 0x1000}});
  const auto lands = [&map](std::uint64_t address) {
    const auto *const found = map.find(0, address);
    return std::make_pair(found->target, found->translate(address));
  };
  EXPECT_EQ(lands(0x10000), std::make_pair(0u, std::uint64_t{0x800}));
  EXPECT_EQ(lands(0x11004), std::make_pair(1u, std::uint64_t{0x804}));
  EXPECT_EQ(lands(0x12fff), std::make_pair(0u, std::uint64_t{0x27ff}));
  EXPECT_EQ(lands(0x13000), std::make_pair(1u, std::uint64_t{0x1800}));
  EXPECT_EQ(map.find(0, 0x11004)->first, 0x11000u);
  EXPECT_EQ(map.find(0, 0x11004)->last, 0x11fffu) << "a mapping is a granule";
  EXPECT_EQ(map.find(0, 0x14000), nullptr);
}

TEST(address_map, views_of_interleaved_bytes_are_whole_rounds)
{
  const auto map = made({{"spread", 0x10000, 0x6000, "ram", 0, {}, {"io"}, 0x1000}});
  const auto view = [&map](unsigned target, std::uint64_t first, std::uint64_t last) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    map.for_each_view(target, first, last, [&seen](unsigned initiator, address_map::extent part) {
      if (initiator == 0)
        seen.push_back({part.first, part.last});
    });
    return seen;
  };
  using extents = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  EXPECT_EQ(view(1, 0x1004, 0x1007), (extents{{0x12000, 0x13fff}}));
  EXPECT_EQ(view(0, 0, UINT64_MAX), (extents{{0x10000, 0x15fff}}));
  EXPECT_EQ(view(0, 0x3000, 0x3fff), extents{}) << "beyond its share";
}

TEST(address_map, default_target_gets_what_no_range_has)
{
  const address_map map("map", {{"ram", 0x1000, 0x1000, "ram", 0, {}}}, targets, 1, "io");
  for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{0x2000}, UINT64_MAX}) {
    ASSERT_NE(map.find(0, address), nullptr);
    EXPECT_EQ(map.find(0, address)->target, 1u);
    EXPECT_EQ(map.find(0, address)->translate(address), address) << "as the initiator sees it";
  }
  EXPECT_EQ(map.find(0, 0x1fff)->target, 0u);
  EXPECT_EQ(error_of([] { address_map("map", {}, targets, 1, "rom"); }),
            "map: the rest leads to target 'rom' that does not exist");
}

TEST(address_map, wrong_interleaving_is_one_sentence)
{
  EXPECT_EQ(error_for({{"a", 0, 0x1000, "ram", 0, {}, {"io"}, 0}}),
            "map: range 'a' is interleaved but has no granule");
  EXPECT_EQ(error_for({{"a", 0, 0x1800, "ram", 0, {}, {"io"}, 0x800}}),
            "map: range 'a' of 6144 bytes is no multiple of 2 granules of 2048 bytes");
  EXPECT_EQ(error_for({{"a", 0, 0x1000, "ram", 0, {}, {"rom"}, 0x800}}),
            "map: range 'a' leads to target 'rom' that does not exist");
}

} // namespace address_map_tests
