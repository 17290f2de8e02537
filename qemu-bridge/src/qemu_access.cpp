// SPDX-License-Identifier: Apache-2.0
// The accesses of a guest: transactions, debug accesses, and what is outside.
#include "tandem/qemu_instance.h"

#include <array>

namespace tandem
{
namespace
{

constexpr const char *report_type = "/tandem/qemu";
constexpr std::size_t reported_outside = 32; ///< addresses, one warning each

void prepare(tlm::tlm_generic_payload &payload, bool reading, std::uint64_t address,
             std::uint64_t &data, unsigned size)
{
  payload.set_command(reading ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(reinterpret_cast<unsigned char *>(&data));
  payload.set_data_length(size);
  payload.set_streaming_width(size);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

} // namespace

void qemu_instance::access()
{
  std::uint64_t platform = 0;
  if (!dmi_.find(request_.address, request_.size, platform))
    return outside(); // in the place for a held instance's memory, but not in what it was given
  const bool reading = request_.kind == TANDEM_WIRE_READ;
  ++(reading ? count_.reads : count_.writes);
  data_ = reading ? 0 : request_.data;
  prepare(payload_, reading, platform, data_, request_.size);
  mark_access(platform);
  set_state(instance_state::waiting);
  socket->b_transport(payload_, delay_);
  access_.kind = access_kind::plain;
  if (payload_.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE)
    status_ = TANDEM_WIRE_DECODE_ERROR;
  else if (payload_.is_response_error())
    status_ = TANDEM_WIRE_DEVICE_ERROR;
  if (status_ != TANDEM_WIRE_OK)
    ++count_.errors;
  if (payload_.is_dmi_allowed())
    dmi_.probe(platform);
}

/// Which part of a locked sequence the access is.
void qemu_instance::mark_access(std::uint64_t platform)
{
  if (!(request_.flags & TANDEM_WIRE_FLAG_LOCKED))
    return;
  access_.kind = access_kind::locked;
  access_.step = in_sequence_ ? lock_step::hold : lock_step::begin;
  if (!in_sequence_)
    ++count_.sequences;
  in_sequence_ = true;
  sequence_address_ = platform;
  if (access_.step == lock_step::hold && (request_.flags & TANDEM_WIRE_FLAG_UNLOCK)) {
    access_.step = lock_step::end;
    in_sequence_ = false;
  }
}

/// A sequence whose last access did not end it: the guest's instruction did not write, or it
/// came to an end in another way.
void qemu_instance::end_sequence()
{
  if (!in_sequence_)
    return;
  in_sequence_ = false;
  access_extension about(access_);
  about.kind = access_kind::locked;
  about.step = lock_step::end;
  send_order(socket, about, sequence_address_);
}

/// What missed in the cache model, each at its own time and later by what those before it took:
/// the guest stands still for each. All of it is a stall for the guest.
void qemu_instance::transfer_lines()
{
  const tandem_wire_line *const first = channel_.page().line;
  lines_.assign(first, first + request_.size);
  sc_core::sc_time stall;
  set_state(instance_state::waiting);
  for (const tandem_wire_line &line : lines_) {
    reach(std::min(line.time_ns, request_.time_ns), stall);
    stall += transfer(line);
  }
  reach(request_.time_ns, stall);
}

/// One line through the interconnect; the time that it took. No byte of a line that is written
/// back is enabled: the memory has the data already.
sc_core::sc_time qemu_instance::transfer(const tandem_wire_line &line)
{
  static const std::array<unsigned char, 256> disabled{};
  std::array<unsigned char, 256> data;
  std::uint64_t platform = 0;
  const unsigned size = config_.cache.line;
  if (line.address % size || !dmi_.find(line.address, size, platform))
    fail("the adapter sent a cache line at " + hex(line.address) + ", which is none");
  const bool writes = line.flags & TANDEM_WIRE_LINE_WRITE;
  payload_.set_command(writes ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload_.set_address(platform);
  payload_.set_data_ptr(data.data());
  payload_.set_data_length(size);
  payload_.set_streaming_width(size);
  payload_.set_byte_enable_ptr(writes ? const_cast<unsigned char *>(disabled.data()) : nullptr);
  payload_.set_byte_enable_length(writes ? size : 0);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  const sc_core::sc_time before = sc_core::sc_time_stamp();
  sc_core::sc_time delay;
  socket->b_transport(payload_, delay);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_byte_enable_length(0);
  if (payload_.is_response_error())
    ++count_.errors;
  return sc_core::sc_time_stamp() + delay - before;
}

void qemu_instance::inspect()
{
  if (!channel_.debug_ready())
    return;
  const tandem_wire_debug request = channel_.debug_request();
  const unsigned size = request.size;
  std::uint64_t platform = 0, data = request.write ? request.data : 0;
  ++count_.debug;
  tandem_wire_status status = TANDEM_WIRE_DECODE_ERROR;
  if ((size == 1 || size == 2 || size == 4 || size == 8) &&
      dmi_.find(request.address, size, platform)) {
    tlm::tlm_generic_payload payload;
    prepare(payload, !request.write, platform, data, size);
    if (socket->transport_dbg(payload) == size)
      status = TANDEM_WIRE_OK;
  }
  channel_.debug_reply(status, data);
}

void qemu_instance::outside()
{
  status_ = TANDEM_WIRE_DECODE_ERROR;
  data_ = UINT64_MAX;
  ++count_.outside;
  if (outside_addresses_.size() > reported_outside ||
      !outside_addresses_.insert(request_.address).second)
    return;
  if (outside_addresses_.size() > reported_outside) {
    SC_REPORT_WARNING(report_type, (std::string(basename()) +
                                    ": further accesses outside all windows are only counted")
                                       .c_str());
    return;
  }
  SC_REPORT_WARNING(report_type, (std::string(basename()) + ": " +
                                  (request_.kind == TANDEM_WIRE_READ ? "read" : "write") + " of " +
                                  std::to_string(request_.size) + " bytes at " +
                                  hex(request_.address) + " is outside all windows" + at_time())
                                     .c_str());
}

void qemu_instance::invalidate(sc_dt::uint64 start, sc_dt::uint64 end)
{
  dmi_.invalidate(start, end);
}

void qemu_instance::post_free_interrupts()
{
  tandem_wire_page &page = channel_.page();
  __atomic_store_n(&page.free_irq_level, irq.level(), __ATOMIC_RELEASE);
  tandem_post(&page.irq_seq, &page.irq_sleeper);
}

} // namespace tandem
