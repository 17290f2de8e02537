// SPDX-License-Identifier: Apache-2.0
#include "tandem/register_bank.h"

#include <algorithm>
#include <systemc>

namespace tandem
{

namespace
{

std::uint32_t load(const unsigned char *bytes)
{
  return bytes[0] | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

unsigned char byte_of(std::uint32_t value, std::uint64_t index)
{
  return static_cast<unsigned char>(value >> (8 * index));
}

void store(unsigned char *bytes, std::uint32_t value)
{
  for (unsigned i = 0; i < 4; ++i)
    bytes[i] = byte_of(value, i);
}

bool all_enabled(const tlm::tlm_generic_payload &payload)
{
  const unsigned char *const enables = payload.get_byte_enable_ptr();
  if (!enables)
    return true;
  // Those beyond the data are not used; shorter ones are repeated.
  const unsigned used = std::min(payload.get_byte_enable_length(), payload.get_data_length());
  return used > 0 && std::all_of(enables, enables + used,
                                 [](unsigned char enable) { return enable == TLM_BYTE_ENABLED; });
}

} // namespace

register_bank::register_bank(std::string owner, std::uint64_t size)
    : owner_(std::move(owner)), index_(size / 4, 0)
{
}

void register_bank::declare(const std::string &name, std::uint64_t offset, register_access access)
{
  std::string cause;
  if (offset % 4 != 0 || offset / 4 >= index_.size())
    cause = "offset " + std::to_string(offset) + " is not in the window";
  else if (index_[offset / 4] != 0)
    cause = "offset " + std::to_string(offset) + " is taken by '" + this->name(offset) + "'";
  else if (entries_.size() == UINT16_MAX)
    cause = "there are too many registers";
  if (!cause.empty()) {
    const std::string text = owner_ + ": cannot declare register '" + name + "': " + cause;
    SC_REPORT_ERROR("/tandem/registers", text.c_str());
    return;
  }
  entries_.push_back({name, std::move(access)});
  index_[offset / 4] = static_cast<std::uint16_t>(entries_.size());
}

const register_bank::entry *register_bank::find(std::uint64_t offset) const
{
  const std::uint64_t word = offset / 4;
  return word < index_.size() && index_[word] != 0 ? &entries_[index_[word] - 1u] : nullptr;
}

std::string register_bank::name(std::uint64_t offset) const
{
  const entry *const found = find(offset);
  return found ? found->name : "";
}

void register_bank::transport(unsigned port, tlm::tlm_generic_payload &payload) const
{
  const std::uint64_t offset = payload.get_address();
  const entry *const found = find(offset);
  if (!found)
    return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (payload.get_data_length() != 4 || offset % 4 != 0 || payload.get_streaming_width() < 4)
    return payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  if (!all_enabled(payload))
    return payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  if (payload.is_read())
    store(payload.get_data_ptr(), found->access.read ? found->access.read(port) : 0);
  else if (payload.is_write() && found->access.write)
    found->access.write(port, load(payload.get_data_ptr()));
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

unsigned register_bank::debug(unsigned port, tlm::tlm_generic_payload &payload) const
{
  if (!payload.is_read())
    return 0;
  unsigned done = 0;
  for (; done < payload.get_data_length(); ++done) {
    const std::uint64_t offset = payload.get_address() + done;
    const entry *const found = find(offset);
    if (!found)
      break;
    const auto &look = found->access.peek ? found->access.peek : found->access.read;
    payload.get_data_ptr()[done] = byte_of(look ? look(port) : 0, offset % 4);
  }
  return done;
}

} // namespace tandem
