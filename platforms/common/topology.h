// SPDX-License-Identifier: Apache-2.0
// Who reaches what in an expanded description: ends by name, and the way from an initiator through
// interconnects to the parts behind them.
#pragma once

#include "tandem/part.h"
#include "tandem/system_description.h"

#include <string>
#include <vector>

namespace tandem
{

/// SC_ERROR "/tandem/platform" that begins with where the thing was described.
[[noreturn]] void refuse_system(const std::string &where, const std::string &cause);

/// What make() returns. An error of its, which is about the thing's values, begins with where they
/// were given.
template <typename Make> auto made_at(const described_thing &thing, Make make) -> decltype(make())
{
  try {
    return make();
  } catch (const sc_core::sc_report &report) {
    const std::string cause = report.get_msg(), &where = thing.place_of(cause);
    refuse_system(cause.rfind(where, 0) == 0 ? "" : where, cause);
  } catch (const std::exception &error) {
    refuse_system(thing.where, error.what());
  }
}

/// A name, resolved: one of the three is set.
struct system_end {
  const described_instance *instance = nullptr;
  const described_interconnect *network = nullptr;
  const described_part *part = nullptr;
  const part_info *info = nullptr; ///< of the part
  std::string socket;              ///< of the part

  /// "accel", or "dma_out" for one of several sockets.
  std::string name() const;
  bool operator==(const system_end &other) const
  {
    return instance == other.instance && network == other.network && part == other.part &&
           socket == other.socket;
  }
};

/// A range of addresses as an initiator sees it.
struct system_view {
  std::uint64_t address, size;
  const described_interconnect *network; ///< whose range it is, and the range
  const described_range *range;
  system_end target;     ///< the part at the end of the way, of an interleaved range the first one
  std::string initiator; ///< the initiator's name at that interconnect
  bool direct;           ///< the initiator is at that interconnect itself
  std::uint64_t target_address = 0; ///< what the target sees for the first byte
  /// Where guests see it, as the last range on the way says that says so.
  std::optional<std::uint64_t> guest;
};

/// Checks names and kinds when it is made; what it points into has to live as long.
class topology
{
public:
  explicit topology(const system_description &system);

  /// Whether there is a part or interconnect of that name, with or without a socket behind it.
  bool is_end(const std::string &text) const;
  system_end target(const std::string &text, const std::string &where) const;
  system_end initiator(const std::string &text, const std::string &where) const;

  /// Bytes that the range has: its own size, else as many as its targets say. SC_ERROR when nobody
  /// says.
  std::uint64_t size_of(const described_range &range) const;
  /// All that the instance sees, in the order of the descriptions.
  std::vector<system_view> views(const described_instance &instance) const;
  /// By what name an initiator is known at an interconnect.
  std::string initiator_name(const described_initiator &from,
                             const described_interconnect &network) const;

private:
  struct step {
    std::uint64_t first, last; ///< at the next end
    std::uint64_t shift;       ///< of it to the address that the initiator sees
    unsigned hops = 0;
    /// From the address that the initiator sees to the guests', if a range has said so.
    std::optional<std::uint64_t> to_guest;
  };

  void check_names() const;
  void check_connections() const;
  void check_loops() const;
  bool reaches(const described_interconnect &from, const described_interconnect &to,
               unsigned depth) const;
  std::uint64_t room(const described_range &range, const std::string &text) const;
  std::uint64_t bytes(const system_end &end, const std::string &where) const;
  /// What an initiator or a part that passes on leads to; nothing when it leads nowhere.
  struct next_end {
    system_end end;
    std::string initiator; ///< name at the interconnect, if it is one
  };
  std::optional<next_end> next(const system_end &from) const;
  void follow(system_end end, std::string initiator, step at, const system_view &so_far,
              std::vector<system_view> &result) const;
  void follow_network(const described_interconnect &network, const std::string &initiator, step at,
                      std::vector<system_view> &result) const;

  const system_description &system_;
};

} // namespace tandem
