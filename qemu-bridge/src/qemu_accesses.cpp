// SPDX-License-Identifier: Apache-2.0
#include "qemu_accesses.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tandem
{
namespace
{

constexpr std::size_t reported_outside = 32; ///< addresses, one warning each

void prepare(tlm::tlm_generic_payload &payload, bool reading, std::uint64_t address,
             unsigned char *data, unsigned size)
{
  payload.set_command(reading ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(size);
  payload.set_streaming_width(size);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_byte_enable_length(0);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

void prepare(tlm::tlm_generic_payload &payload, bool reading, std::uint64_t address,
             std::uint64_t &data, unsigned size)
{
  prepare(payload, reading, address, reinterpret_cast<unsigned char *>(&data), size);
}

} // namespace

qemu_accesses::qemu_accesses(initiator &socket, unsigned number, const qemu_config &config,
                             qemu_session &session, qemu_report &report)
    : socket_(socket), config_(config), session_(session), report_(report),
      dmi_(dmi_config(), [this](tlm::tlm_generic_payload &p, tlm::tlm_dmi &d) {
        return socket_->get_direct_mem_ptr(p, d);
      })
{
  payload_.set_extension(&about_);
  about_.initiator = number;
}

qemu_accesses::~qemu_accesses()
{
  payload_.clear_extension(&about_);
}

dmi_map::config qemu_accesses::dmi_config() const
{
  dmi_map::config result;
  result.windows = config_.windows;
  result.ram = ram_windows(config_);
  result.observed = config_.observed;
  if (config_.observes_later)
    result.borders = config_.observes_later->borders;
  result.may_tell = !session_.free_mode();
  result.pieces = find_machine(config_.machine).dmi_pieces;
  result.warn = [this](const std::string &text) { report_.warn(text); };
  return result;
}

void qemu_accesses::resolve()
{
  const tandem_wire_request &request = session_.request();
  if (request.kind != TANDEM_WIRE_READ && request.kind != TANDEM_WIRE_WRITE)
    return;
  const bool outside = request.flags & TANDEM_WIRE_FLAG_OUTSIDE;
  resolved_ = !outside && dmi_.find(request.address, request.size, platform_);
  const qemu_boot_memory &ram = config_.boot_memory;
  const bool own = config_.held && request.address - ram.guest_address < ram.limit;
  if (!resolved_ && !outside && !own)
    session_.fail("the adapter sent a request for address " + hex(request.address) +
                  ", which is in no window");
}

access_outcome qemu_accesses::access()
{
  if (!resolved_)
    return outside(); // or in the place for a held instance's memory, but not
                      // in what it was given
  const tandem_wire_request &request = session_.request();
  const bool reading = request.kind == TANDEM_WIRE_READ;
  ++(reading ? count_.reads : count_.writes);
  access_outcome result;
  data_ = reading ? 0 : request.data;
  prepare(payload_, reading, platform_, data_, request.size);
  mark();
  report_.set_state(instance_state::waiting);
  socket_->b_transport(payload_, result.delay);
  about_.kind = access_kind::plain;
  if (payload_.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE)
    result.status = TANDEM_WIRE_DECODE_ERROR;
  else if (payload_.is_response_error())
    result.status = TANDEM_WIRE_DEVICE_ERROR;
  if (result.status != TANDEM_WIRE_OK)
    ++count_.errors;
  if (payload_.is_dmi_allowed())
    dmi_.probe(platform_);
  result.data = data_;
  return result;
}

/// Which part of a locked sequence the access is.
void qemu_accesses::mark()
{
  const std::uint32_t flags = session_.request().flags;
  if (!(flags & TANDEM_WIRE_FLAG_LOCKED))
    return;
  about_.kind = access_kind::locked;
  about_.step = in_sequence_ ? lock_step::hold : lock_step::begin;
  if (!in_sequence_)
    ++count_.sequences;
  in_sequence_ = true;
  sequence_address_ = platform_;
  if (about_.step == lock_step::hold && (flags & TANDEM_WIRE_FLAG_UNLOCK)) {
    about_.step = lock_step::end;
    in_sequence_ = false;
  }
}

void qemu_accesses::end_sequence()
{
  if (!in_sequence_)
    return;
  in_sequence_ = false;
  access_extension about(about_);
  about.kind = access_kind::locked;
  about.step = lock_step::end;
  send_order(socket_, about, sequence_address_);
}

/// Each line at its own time and later by what those before it took: the guest
/// stands still for each. All of it is a stall for the guest.
access_outcome qemu_accesses::batch()
{
  ++count_.batches;
  const std::uint64_t end = session_.request().time_ns;
  lines_.assign(session_.lines(), session_.lines() + session_.request().size);
  sc_core::sc_time stall;
  report_.set_state(instance_state::waiting);
  for (const tandem_wire_line &line : lines_) {
    session_.reach(std::min(line.time_ns, end), stall);
    stall += transfer(line);
  }
  session_.reach(end, stall);
  return {};
}

/// One line or access through the interconnect; the time that it took. No byte
/// of what is written is enabled: the memory has the data already.
sc_core::sc_time qemu_accesses::transfer(const tandem_wire_line &line)
{
  static const std::array<unsigned char, TANDEM_WIRE_LINE_LARGEST> disabled{};
  std::array<unsigned char, TANDEM_WIRE_LINE_LARGEST> data;
  std::uint64_t platform = 0;
  const unsigned size = line.size;
  if (size < 1 || size > TANDEM_WIRE_LINE_LARGEST || !dmi_.find(line.address, size, platform))
    session_.fail("the adapter sent a transfer of " + std::to_string(size) + " bytes at " +
                  hex(line.address) + ", which is none");
  const bool writes = line.flags & TANDEM_WIRE_LINE_WRITE;
  prepare(payload_, !writes, platform, data.data(), size);
  if (writes) {
    payload_.set_byte_enable_ptr(const_cast<unsigned char *>(disabled.data()));
    payload_.set_byte_enable_length(size);
  }
  const sc_core::sc_time before = sc_core::sc_time_stamp();
  sc_core::sc_time delay;
  socket_->b_transport(payload_, delay);
  if (payload_.is_response_error())
    ++count_.errors;
  return sc_core::sc_time_stamp() + delay - before;
}

void qemu_accesses::observe(const observed_ranges &now)
{
  const std::uint64_t warm = config_.observes_later->warm;
  dmi_.observe(now, warm ? session_.request().instructions + warm : 0);
}

void qemu_accesses::prepare_ram()
{
  std::uint64_t missing = 0;
  if (!dmi_.probe_ram(missing))
    miss_ram(missing, "grants no direct access");
}

void qemu_accesses::confirm_ram()
{
  std::uint64_t missing = 0;
  if (dmi_.ram_in_doubt() && !dmi_.confirm_ram(missing))
    miss_ram(missing, "has taken back direct access" + at_time());
}

void qemu_accesses::miss_ram(std::uint64_t address, const std::string &what) const
{
  report_.error("the interconnect " + what + " to its RAM, at " + hex(address) +
                " of the platform, from which QEMU executes");
  std::abort(); // the report throws
}

void qemu_accesses::inspect()
{
  tandem_wire_debug request;
  if (!session_.debug_request(request))
    return;
  const unsigned size = request.size;
  std::uint64_t platform = 0, data = request.write ? request.data : 0;
  ++count_.debug;
  if (request.write)
    session_.cannot_repeat("a debugger or a device of QEMU wrote to the platform");
  tandem_wire_status status = TANDEM_WIRE_DECODE_ERROR;
  if ((size == 1 || size == 2 || size == 4 || size == 8) &&
      dmi_.find(request.address, size, platform)) {
    tlm::tlm_generic_payload payload;
    prepare(payload, !request.write, platform, data, size);
    if (socket_->transport_dbg(payload) == size)
      status = TANDEM_WIRE_OK;
  }
  session_.debug_reply(status, data);
}

access_outcome qemu_accesses::outside()
{
  const tandem_wire_request &request = session_.request();
  const access_outcome result = {TANDEM_WIRE_DECODE_ERROR, UINT64_MAX, sc_core::SC_ZERO_TIME};
  ++count_.outside;
  if (outside_addresses_.size() > reported_outside ||
      !outside_addresses_.insert(request.address).second)
    return result;
  if (outside_addresses_.size() > reported_outside)
    report_.warn("further accesses outside all windows are only counted");
  else
    report_.warn((request.kind == TANDEM_WIRE_READ ? "read of " : "write of ") +
                 std::to_string(request.size) + " bytes at " + hex(request.address) +
                 " is outside all windows" + at_time());
  return result;
}

} // namespace tandem
