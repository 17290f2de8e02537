// SPDX-License-Identifier: Apache-2.0
#include "tandem/cache.h"

#include <algorithm>

namespace tandem
{
namespace
{

constexpr unsigned largest_line = 4096;

void check(const std::string &name, const cache_config &config)
{
  const auto fail = [&name](const std::string &cause) {
    SC_REPORT_ERROR("/tandem/cache", (name + ": " + cause).c_str());
  };
  if (config.line < 8 || config.line > largest_line || (config.line & (config.line - 1)))
    fail("impossible line of " + std::to_string(config.line) +
         " bytes; it must be a power of two from 8 to 4096");
  else if (config.ways == 0 || config.size == 0 ||
           config.size % (std::uint64_t{config.line} * config.ways))
    fail("impossible size of " + std::to_string(config.size) + " bytes in " +
         std::to_string(config.ways) + " ways of lines of " + std::to_string(config.line));
  if (config.replacement != "lru" && config.replacement != "fifo")
    fail("unknown replacement '" + config.replacement + "'; known are lru, fifo");
}

} // namespace

cache::cache(sc_core::sc_module_name, const cache_config &config)
    : in("in"), out("out"), config_(config)
{
  check(name(), config);
  sets_.resize(config.size / config.line / config.ways);
  data_.resize(config.line);
  in.register_b_transport(this, &cache::b_transport);
  in.register_transport_dbg(this, &cache::transport_dbg);
  in.register_get_direct_mem_ptr(this, &cache::get_direct_mem_ptr);
  out.register_invalidate_direct_mem_ptr(this, &cache::invalidate);
}

bool cache::covers(std::uint64_t address) const
{
  return std::any_of(
      config_.ranges.begin(), config_.ranges.end(),
      [address](const cache_config::range &r) { return address - r.address < r.size; });
}

void cache::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  arrive(delay);
  const std::uint64_t address = payload.get_address();
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND || !covers(address))
    return out->b_transport(payload, delay);
  const access_extension *const given = payload.get_extension<access_extension>();
  const access_extension about = given ? *given : access_extension();
  if (about.is(lock_step::begin))
    send_order(out, about, address);
  payload.set_response_status(access(payload, about, delay));
  if (!about.is(lock_step::end))
    return;
  arrive(delay);
  send_order(out, about, address);
}

tlm::tlm_response_status cache::access(tlm::tlm_generic_payload &payload, access_extension about,
                                       sc_core::sc_time &delay)
{
  const std::uint64_t address = payload.get_address(), length = payload.get_data_length();
  const std::uint64_t last = address + length - 1;
  about.step = lock_step::hold;
  for (std::uint64_t line = address / config_.line; line <= last / config_.line; ++line) {
    const std::uint64_t begin = line * config_.line;
    const bool whole = address <= begin && last >= begin + config_.line - 1;
    const tlm::tlm_response_status status = touch(line, payload.is_write(), whole, about, delay);
    if (status != tlm::TLM_OK_RESPONSE)
      return status;
  }
  if (about.kind != access_kind::locked)
    send_order(out, about, address);
  // A line that another cache writes back has no byte to move.
  const bool moved = payload.get_byte_enable_ptr() || out->transport_dbg(payload) == length;
  return moved ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

/// Looks a line up; when it is not there, puts it in the place of the victim.
bool cache::hits(std::uint64_t line, bool dirty, entry &victim)
{
  set &lines = sets_[line % sets_.size()];
  const auto found =
      std::find_if(lines.begin(), lines.end(), [line](const entry &e) { return e.line == line; });
  if (found != lines.end()) {
    found->dirty |= dirty;
    if (config_.replacement == "lru")
      std::rotate(lines.begin(), found, found + 1);
    return true;
  }
  if (lines.size() == config_.ways) {
    victim = lines.back();
    lines.pop_back();
  }
  lines.insert(lines.begin(), {line, dirty});
  return false;
}

tlm::tlm_response_status cache::touch(std::uint64_t line, bool write, bool whole,
                                      access_extension &about, sc_core::sc_time &delay)
{
  entry victim = {0, false};
  ++(write ? count_.writes : count_.reads);
  if (hits(line, write, victim))
    return tlm::TLM_OK_RESPONSE;
  ++(write ? count_.write_misses : count_.read_misses);
  if (victim.dirty) {
    ++count_.write_backs;
    const tlm::tlm_response_status status =
        transfer(tlm::TLM_WRITE_COMMAND, victim.line, about, delay);
    if (status != tlm::TLM_OK_RESPONSE)
      return status;
  }
  return write && whole ? tlm::TLM_OK_RESPONSE
                        : transfer(tlm::TLM_READ_COMMAND, line, about, delay);
}

tlm::tlm_response_status cache::transfer(tlm::tlm_command command, std::uint64_t line,
                                         access_extension &about, sc_core::sc_time &delay)
{
  arrive(delay); // what follows must not reach the interconnect before others' earlier accesses
  unsigned char disabled = TLM_BYTE_DISABLED;
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(line * config_.line);
  payload.set_data_ptr(data_.data());
  payload.set_data_length(config_.line);
  payload.set_streaming_width(config_.line);
  if (command == tlm::TLM_WRITE_COMMAND) {
    payload.set_byte_enable_ptr(&disabled);
    payload.set_byte_enable_length(1);
  }
  const attached_extension attached(payload, about);
  out->b_transport(payload, delay);
  return payload.get_response_status();
}

unsigned cache::transport_dbg(tlm::tlm_generic_payload &payload)
{
  return out->transport_dbg(payload);
}

bool cache::get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  return out->get_direct_mem_ptr(payload, dmi);
}

void cache::invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
{
  in->invalidate_direct_mem_ptr(first, last);
}

nlohmann::ordered_json cache::statistics() const
{
  return {{"reads", count_.reads},
          {"writes", count_.writes},
          {"read_misses", count_.read_misses},
          {"write_misses", count_.write_misses},
          {"write_backs", count_.write_backs}};
}

} // namespace tandem
