// SPDX-License-Identifier: Apache-2.0
#include "tandem/debug_tape.h"

#include <cstring>

namespace tandem
{
namespace
{

/// How a tape begins as bytes.
struct tape_head {
  std::uint64_t magic, reads, bytes;
};
constexpr std::uint64_t tape_magic = 0x0147424454444e54; // "TNDTDBG", version 1

} // namespace

unsigned debug_tape::transport_dbg(tlm::tlm_generic_payload &payload)
{
  unsigned got = 0;
  if (!again(payload, got))
    got = memory->transport_dbg(payload);
  if (records_ && !plays_ && payload.is_read()) {
    seen_.push_back({payload.get_address(), payload.get_data_length(), got, bytes_.size()});
    bytes_.append(reinterpret_cast<const char *>(payload.get_data_ptr()), got);
  }
  return got;
}

bool debug_tape::again(tlm::tlm_generic_payload &payload, unsigned &got)
{
  if (!plays_ || !payload.is_read())
    return false;
  const auto known = order_.find({payload.get_address(), payload.get_data_length()});
  if (known == order_.end() || known->second.empty())
    return false;
  const seen &then = seen_[known->second.back()];
  known->second.pop_back();
  std::memcpy(payload.get_data_ptr(), bytes_.data() + then.where, then.got);
  got = then.got;
  return true;
}

std::string debug_tape::take()
{
  records_ = false;
  const tape_head head = {tape_magic, seen_.size(), bytes_.size()};
  std::string all(reinterpret_cast<const char *>(&head), sizeof head);
  all.append(reinterpret_cast<const char *>(seen_.data()), seen_.size() * sizeof(seen));
  return all + bytes_;
}

bool debug_tape::play(const std::string &bytes)
{
  tape_head head;
  if (bytes.size() < sizeof head)
    return false;
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::uint64_t room = bytes.size() - sizeof head;
  if (head.magic != tape_magic || head.reads > room / sizeof(seen) ||
      room - head.reads * sizeof(seen) != head.bytes)
    return false;
  seen_.resize(head.reads);
  std::memcpy(seen_.data(), bytes.data() + sizeof head, head.reads * sizeof(seen));
  bytes_ = bytes.substr(sizeof head + head.reads * sizeof(seen));
  order_.clear();
  for (std::size_t i = seen_.size(); i-- > 0;) {
    const seen &one = seen_[i];
    if (one.got > one.length || one.where > bytes_.size() || bytes_.size() - one.where < one.got)
      return false;
    order_[{one.address, one.length}].push_back(i);
  }
  plays_ = true;
  return true;
}

void debug_tape::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  memory->b_transport(payload, delay);
}

tlm::tlm_sync_enum debug_tape::nb_transport_fw(tlm::tlm_generic_payload &payload,
                                               tlm::tlm_phase &phase, sc_core::sc_time &delay)
{
  return memory->nb_transport_fw(payload, phase, delay);
}

bool debug_tape::get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  return memory->get_direct_mem_ptr(payload, dmi);
}

} // namespace tandem
