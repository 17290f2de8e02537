// SPDX-License-Identifier: Apache-2.0
#include "tandem/cache.h"

#include "tandem/untimed_access.h"

#include <algorithm>
#include <sstream>

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

/// How many of the bytes are enabled.
enum class enabled { all, some, none };

enabled enabled_bytes(const tlm::tlm_generic_payload &payload)
{
  const unsigned char *const enables = payload.get_byte_enable_ptr();
  if (!enables)
    return enabled::all;
  const unsigned length =
      std::min(payload.get_byte_enable_length(), payload.get_data_length()); // what is used of them
  const auto on = std::count(enables, enables + length, TLM_BYTE_ENABLED);
  return on == 0 ? enabled::none : on == length ? enabled::all : enabled::some;
}

/// Calls visit(first, count) for each run of enabled bytes of the data that lie one after the other
/// in memory, until that returns false.
template <typename Visit> void for_each_run(const tlm::tlm_generic_payload &payload, Visit visit)
{
  const unsigned length = payload.get_data_length(), width = payload.get_streaming_width();
  const unsigned char *const enables = payload.get_byte_enable_ptr();
  const auto is_on = [&](unsigned i) {
    return !enables || enables[i % payload.get_byte_enable_length()] == TLM_BYTE_ENABLED;
  };
  for (unsigned first = 0; first < length;) {
    const unsigned end =
        std::min<std::uint64_t>(length, first / width * std::uint64_t{width} + width);
    unsigned next = first;
    while (next < end && is_on(next))
      ++next;
    if (next > first && !visit(first, next - first))
      return;
    first = std::max(next, first + 1);
  }
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

/// One access at a time is in the cache, in the order in which they came: a miss of one initiator
/// of several has the others wait.
class cache::turn
{
public:
  explicit turn(cache &owner) : owner_(owner)
  {
    for (const std::uint64_t mine = owner_.arrived_++; mine != owner_.served_;)
      sc_core::wait(owner_.next_);
  }
  ~turn()
  {
    ++owner_.served_;
    owner_.next_.notify();
  }

private:
  cache &owner_;
};

void cache::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  arrive(delay);
  const std::uint64_t address = payload.get_address();
  const bool odd = payload.get_data_length() == 0 || payload.get_streaming_width() == 0 ||
                   (payload.get_byte_enable_ptr() && payload.get_byte_enable_length() == 0);
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND || odd || !covers(address))
    return out->b_transport(payload, delay);
  const turn mine(*this);
  const access_extension *const given = payload.get_extension<access_extension>();
  const access_extension about = given ? *given : access_extension();
  if (about.is(lock_step::begin))
    send_order(out, about, address);
  access(payload, about, delay);
  if (!about.is(lock_step::end))
    return;
  arrive(delay);
  send_order(out, about, address);
}

void cache::access(tlm::tlm_generic_payload &payload, access_extension about,
                   sc_core::sc_time &delay)
{
  about.step = lock_step::hold;
  const verdict may_write =
      payload.is_write() ? move(payload, tlm::TLM_WRITE_COMMAND) : verdict::unknown;
  if (may_write == verdict::refused ||
      !touch_all(payload, may_write == verdict::allowed, about, delay))
    return pass(payload, about, delay);
  if (about.kind != access_kind::locked) {
    arrive(delay); // who has the lock by then goes first
    send_order(out, about, payload.get_address());
  }
  if (move(payload, tlm::TLM_IGNORE_COMMAND) == verdict::refused)
    return pass(payload, about, delay);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

/// Has all lines of an access in the cache; false when one cannot be had.
bool cache::touch_all(const tlm::tlm_generic_payload &payload, bool allowed,
                      access_extension &about, sc_core::sc_time &delay)
{
  // A line that another cache writes back has no byte enabled.
  const bool all = enabled_bytes(payload) != enabled::some;
  const std::uint64_t address = payload.get_address();
  const std::uint64_t last =
      address + std::min(payload.get_data_length(), payload.get_streaming_width()) - 1;
  for (std::uint64_t line = address / config_.line; line <= last / config_.line; ++line) {
    const std::uint64_t begin = line * config_.line;
    const bool whole = all && address <= begin && last >= begin + config_.line - 1;
    if (touch(line, payload.is_write(), whole, allowed, about, delay) != tlm::TLM_OK_RESPONSE)
      return false;
  }
  return true;
}

/// Lets the memory answer, within the sequence of the access.
void cache::pass(tlm::tlm_generic_payload &payload, access_extension &about,
                 sc_core::sc_time &delay)
{
  access_extension *const given = payload.get_extension<access_extension>();
  payload.set_extension(&about);
  arrive(delay);
  out->b_transport(payload, delay);
  payload.set_extension(given);
}

/// Moves the enabled bytes of an access by debug transport; or, when something is asked, finds out
/// whether that may be done to them. What debug transport does not reach is refused.
cache::verdict cache::move(tlm::tlm_generic_payload &payload, tlm::tlm_command asked)
{
  const tlm::tlm_command command = payload.get_command();
  const std::uint64_t address = payload.get_address();
  unsigned char *const data = payload.get_data_ptr(), *const enables =
                                                          payload.get_byte_enable_ptr();
  const unsigned length = payload.get_data_length(), width = payload.get_streaming_width();
  const bool asks = asked != tlm::TLM_IGNORE_COMMAND;
  verdict found = verdict::allowed;
  untimed_access how;
  how.asked = asked;
  if (asks) {
    payload.set_command(tlm::TLM_READ_COMMAND);
    scratch_.resize(std::max<std::size_t>(scratch_.size(), length));
  }
  payload.set_extension(&how);
  for_each_run(payload, [&](unsigned first, unsigned count) {
    payload.set_address(address + first % width);
    payload.set_data_ptr(asks ? scratch_.data() : data + first);
    payload.set_data_length(count);
    payload.set_streaming_width(count);
    payload.set_byte_enable_ptr(nullptr);
    how.honoured = false;
    const bool done = out->transport_dbg(payload) == count;
    if (!how.honoured)
      found = verdict::unknown;
    if (!done && (how.honoured || !asks))
      found = verdict::refused;
    payload.set_data_length(length);
    payload.set_streaming_width(width);
    payload.set_byte_enable_ptr(enables);
    return done;
  });
  payload.clear_extension(&how);
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  return found;
}

cache::entry *cache::find(std::uint64_t line)
{
  for (entry &item : sets_[line % sets_.size()])
    if (item.line == line)
      return &item;
  return nullptr;
}

void cache::drop(std::uint64_t line)
{
  set &lines = sets_[line % sets_.size()];
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [line](const entry &item) { return item.line == line; }),
              lines.end());
}

/// Has a line in the cache, and knows that it may be read or written.
/// allowed: the memory has said so.
tlm::tlm_response_status cache::touch(std::uint64_t line, bool write, bool whole, bool allowed,
                                      access_extension &about, sc_core::sc_time &delay)
{
  ++(write ? count_.writes : count_.reads);
  if (entry *const found = find(line)) {
    set &lines = sets_[line % sets_.size()];
    if (config_.replacement == "lru")
      std::rotate(lines.begin(), lines.begin() + (found - lines.data()),
                  lines.begin() + (found - lines.data()) + 1);
  } else {
    const tlm::tlm_response_status status = fill(line, write, whole, about, delay);
    if (status != tlm::TLM_OK_RESPONSE)
      return status;
  }
  const auto is_known = [write](const entry &item) {
    return write ? item.writable : item.readable;
  };
  const tlm::tlm_command command = write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND;
  const entry *const here = find(line);
  if (!allowed && here && !is_known(*here) && !allows(line, command)) {
    const tlm::tlm_response_status status = transfer(command, line, about, delay);
    if (status != tlm::TLM_OK_RESPONSE)
      return status;
  }
  if (entry *const item = find(line)) { // another access may have replaced it meanwhile
    item->dirty |= write;
    (write ? item->writable : item->readable) = true;
  }
  return tlm::TLM_OK_RESPONSE;
}

/// Whether the memory says, without cost, that a line may be read or written: by DMI, or as one
/// that looks at each access itself.
bool cache::allows(std::uint64_t line, tlm::tlm_command command)
{
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(line * config_.line);
  payload.set_data_ptr(data_.data());
  payload.set_data_length(config_.line);
  payload.set_streaming_width(config_.line);
  if (command == tlm::TLM_READ_COMMAND && move(payload, command) != verdict::unknown)
    return true;
  tlm::tlm_dmi dmi;
  return out->get_direct_mem_ptr(payload, dmi) &&
         (payload.is_write() ? dmi.is_write_allowed() : dmi.is_read_allowed()) &&
         dmi.get_start_address() <= payload.get_address() &&
         dmi.get_end_address() - payload.get_address() >= config_.line - 1;
}

/// Puts a line in the place of the one that is next to go.
tlm::tlm_response_status cache::fill(std::uint64_t line, bool write, bool whole,
                                     access_extension &about, sc_core::sc_time &delay)
{
  ++(write ? count_.write_misses : count_.read_misses);
  set &lines = sets_[line % sets_.size()];
  entry victim = {0, false};
  if (lines.size() == config_.ways) {
    victim = lines.back();
    lines.pop_back();
  }
  lines.insert(lines.begin(), {line, false, !whole || !write, false});
  if (victim.dirty)
    write_back(victim.line, about, delay);
  const tlm::tlm_response_status status =
      write && whole ? tlm::TLM_OK_RESPONSE : transfer(tlm::TLM_READ_COMMAND, line, about, delay);
  if (status != tlm::TLM_OK_RESPONSE)
    drop(line);
  return status;
}

/// The bytes are in the memory already. A memory that refuses this had its chance when they were
/// written; the access that needs the place is not to blame.
void cache::write_back(std::uint64_t line, access_extension &about, sc_core::sc_time &delay)
{
  ++count_.write_backs;
  if (transfer(tlm::TLM_WRITE_COMMAND, line, about, delay) == tlm::TLM_OK_RESPONSE)
    return;
  std::ostringstream text;
  text << name() << ": the memory refuses a line that is written back, at address 0x" << std::hex
       << line * config_.line;
  if (count_.failed_write_backs++ == 0)
    SC_REPORT_WARNING("/tandem/cache", text.str().c_str());
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
          {"write_backs", count_.write_backs},
          {"failed_write_backs", count_.failed_write_backs}};
}

} // namespace tandem
