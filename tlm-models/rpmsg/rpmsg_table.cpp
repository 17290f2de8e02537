// SPDX-License-Identifier: Apache-2.0
#include "rpmsg_table.h"

#include <algorithm>
#include <cstring>

namespace tandem
{

namespace
{

constexpr std::uint64_t most_entries = 64; // of a table that is looked through
constexpr std::uint64_t largest_align = 0x10000;

bool is_power_of_two(std::uint64_t value)
{
  return value && !(value & (value - 1));
}

/// The device addresses of the table's entries, as far as they are in the window.
template <typename Visit>
void for_each_entry(const slave_memory &memory, std::uint64_t table, Visit visit)
{
  const std::uint64_t count = memory.number(table + TANDEM_RSC_TABLE_COUNT, 4);
  for (std::uint64_t i = 0; i < std::min(count, most_entries); ++i) {
    const std::uint64_t entry = table + memory.number(table + TANDEM_RSC_TABLE_OFFSET(i), 4);
    if (memory.contains(entry, 4))
      visit(entry, memory.number(entry + TANDEM_RSC_TYPE, 4));
  }
}

bool is_table(const slave_memory &memory, std::uint64_t table)
{
  return memory.contains(table, TANDEM_RSC_TABLE_SIZE(1)) &&
         memory.number(table + TANDEM_RSC_TABLE_VERSION, 4) == TANDEM_RSC_VERSION_VALUE &&
         memory.number(table + TANDEM_RSC_TABLE_RESERVED, 8) == 0;
}

std::uint64_t translation_of(const slave_memory &memory, std::uint64_t table)
{
  std::uint64_t result = 0;
  for_each_entry(memory, table, [&](std::uint64_t entry, std::uint64_t type) {
    unsigned char name[TANDEM_RSC_NAME_SIZE];
    if (type == TANDEM_RSC_TYPE_CARVEOUT &&
        memory.read(entry + TANDEM_RSC_CARVEOUT_NAME, name, sizeof name) &&
        std::memcmp(name, TANDEM_RSC_CARVEOUT_WINDOW, sizeof TANDEM_RSC_CARVEOUT_WINDOW) == 0 &&
        memory.number(entry + TANDEM_RSC_CARVEOUT_LENGTH, 4) != 0) // else nobody has filled it in
      result = memory.number(entry + TANDEM_RSC_CARVEOUT_DA, 4) -
               memory.number(entry + TANDEM_RSC_CARVEOUT_PA, 4);
  });
  return result;
}

std::optional<rpmsg_vring> read_vring(const slave_memory &memory, std::uint64_t entry)
{
  const std::uint64_t address = memory.number(entry + TANDEM_RSC_VRING_DA, 4);
  const std::uint64_t align = memory.number(entry + TANDEM_RSC_VRING_ALIGN, 4);
  const std::uint64_t count = memory.number(entry + TANDEM_RSC_VRING_COUNT, 4);
  if (!is_power_of_two(count) || count > TANDEM_VRING_MAX_COUNT || !is_power_of_two(align) ||
      align > largest_align || address % TANDEM_VRING_DESC_SIZE)
    return {};
  if (!memory.contains(address, TANDEM_VRING_SIZE(count, align)))
    return {};
  rpmsg_vring ring;
  ring.descriptors = address;
  ring.available = address + TANDEM_VRING_AVAIL(count);
  ring.used = address + TANDEM_VRING_USED(count, align);
  ring.count = static_cast<std::uint32_t>(count);
  return ring;
}

} // namespace

std::uint64_t number_at(const unsigned char *from, unsigned bytes)
{
  std::uint64_t value = 0;
  for (unsigned i = bytes; i-- > 0;)
    value = value << 8 | from[i];
  return value;
}

bool slave_memory::read(std::uint64_t address, unsigned char *to, unsigned size) const
{
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(window_ + (address - ram_));
  payload.set_data_ptr(to);
  payload.set_data_length(size);
  payload.set_streaming_width(size);
  const bool whole = contains(address, size) && memory_->transport_dbg(payload) == size;
  if (!whole)
    std::memset(to, 0, size);
  return whole;
}

std::uint64_t slave_memory::number(std::uint64_t address, unsigned bytes) const
{
  unsigned char data[8];
  read(address, data, bytes);
  return number_at(data, bytes);
}

std::optional<std::uint64_t> find_rpmsg_entry(const slave_memory &memory, std::uint64_t table)
{
  std::optional<std::uint64_t> found;
  if (is_table(memory, table))
    for_each_entry(memory, table, [&](std::uint64_t entry, std::uint64_t type) {
      if (!found && type == TANDEM_RSC_TYPE_VDEV &&
          memory.contains(entry, TANDEM_RSC_VDEV_SIZE(2, 0)) &&
          memory.number(entry + TANDEM_RSC_VDEV_ID, 4) == TANDEM_VIRTIO_ID_RPMSG &&
          memory.number(entry + TANDEM_RSC_VDEV_VRING_COUNT, 1) == 2)
        found = entry;
    });
  return found;
}

std::optional<rpmsg_device> read_rpmsg_device(const slave_memory &memory, std::uint64_t table,
                                              std::uint64_t entry)
{
  rpmsg_device device;
  device.translation = translation_of(memory, table);
  for (unsigned i = 0; i < device.vrings.size(); ++i) {
    const auto ring = read_vring(memory, entry + TANDEM_RSC_VDEV_VRING(i));
    if (!ring)
      return {};
    device.vrings[i] = *ring;
  }
  return device;
}

} // namespace tandem
