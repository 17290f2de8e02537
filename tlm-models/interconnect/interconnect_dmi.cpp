// SPDX-License-Identifier: Apache-2.0
// What passes an interconnect by: debug accesses and DMI.
#include "tandem/dmi_descriptor.h"
#include "tandem/interconnect.h"

#include <algorithm>

namespace tandem
{

unsigned interconnect::transport_dbg(int tag, tlm::tlm_generic_payload &payload)
{
  const std::uint64_t address = payload.get_address();
  unsigned char *const data = payload.get_data_ptr();
  const unsigned length = payload.get_data_length();
  unsigned done = 0;
  // A debugger's read may span ranges: serve it range by range.
  while (done < length) {
    const auto *const range = map_.find(static_cast<unsigned>(tag), address + done);
    if (!range)
      break;
    const std::uint64_t room = range->last - (address + done);
    const unsigned part =
        static_cast<unsigned>(std::min<std::uint64_t>(length - done - 1, room)) + 1;
    payload.set_address(range->translate(address + done));
    payload.set_data_ptr(data + done);
    payload.set_data_length(part);
    const unsigned served = to[range->target]->transport_dbg(payload);
    done += std::min(served, part);
    if (served < part)
      break;
  }
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  return done;
}

bool interconnect::get_direct_mem_ptr(int tag, tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  const unsigned initiator = static_cast<unsigned>(tag);
  const std::uint64_t address = payload.get_address();
  const address_map::mapping *const range = map_.find(initiator, address);
  if (!range || !(dmi_ || is_told(payload))) {
    const address_map::extent refused =
        range ? address_map::extent{range->first, range->last} : map_.hole(initiator, address);
    dmi.allow_none();
    dmi.set_start_address(refused.first);
    dmi.set_end_address(refused.last);
    return false;
  }
  payload.set_address(range->translate(address));
  const bool granted = to[range->target]->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  if (!clip(*range, address, granted, dmi))
    return false;
  adjust_dmi({initiator, range->target}, dmi);
  return true;
}

bool interconnect::clip(const address_map::mapping &range, std::uint64_t address, bool granted,
                        tlm::tlm_dmi &dmi) const
{
  const std::uint64_t here = range.translate(address);
  const std::uint64_t first =
      std::max<std::uint64_t>(dmi.get_start_address(), range.target_address);
  const std::uint64_t last =
      std::min<std::uint64_t>(dmi.get_end_address(), range.translate(range.last));
  if (first > here || last < here) { // not about the address that was asked for
    dmi.allow_none();
    dmi.set_start_address(address);
    dmi.set_end_address(address);
    return false;
  }
  if (granted)
    dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (first - dmi.get_start_address()));
  else
    dmi.allow_none();
  dmi.set_start_address(range.first + (first - range.target_address));
  dmi.set_end_address(range.first + (last - range.target_address));
  return granted;
}

void interconnect::invalidate(int target, sc_dt::uint64 first, sc_dt::uint64 last)
{
  map_.for_each_view(static_cast<unsigned>(target), first, last,
                     [this](unsigned initiator, address_map::extent part) {
                       from[initiator]->invalidate_direct_mem_ptr(part.first, part.last);
                     });
}

} // namespace tandem
