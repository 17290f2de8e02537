// SPDX-License-Identifier: Apache-2.0
#include "tandem/shared_memory.h"

#include "memory_backing.h"
#include "tandem/dmi_descriptor.h"
#include "tandem/untimed_access.h"

#include <algorithm>
#include <cstring>

namespace tandem
{

namespace
{

/// One host access where the size allows it, so that a process that maps the
/// same page never sees half of an aligned word.
void copy(unsigned char *to, const unsigned char *from, std::uint64_t length)
{
  switch (length) {
  case 1:
    std::memcpy(to, from, 1);
    break;
  case 2:
    std::memcpy(to, from, 2);
    break;
  case 4:
    std::memcpy(to, from, 4);
    break;
  case 8:
    std::memcpy(to, from, 8);
    break;
  default:
    std::memcpy(to, from, length);
  }
}

/// Bytes of memory that an access can touch: with a streaming width below the
/// length, the same ones are accessed again and again.
std::uint64_t extent(const tlm::tlm_generic_payload &payload)
{
  return std::min(payload.get_data_length(), payload.get_streaming_width());
}

void access_bytes(const tlm::tlm_generic_payload &payload, unsigned char *memory)
{
  const bool write = payload.is_write();
  const std::uint64_t width = payload.get_streaming_width();
  const unsigned char *const enables = payload.get_byte_enable_ptr();
  unsigned char *const data = payload.get_data_ptr();
  for (std::uint64_t i = 0; i < payload.get_data_length(); ++i) {
    if (enables && enables[i % payload.get_byte_enable_length()] != TLM_BYTE_ENABLED)
      continue;
    unsigned char &byte = memory[i % width];
    if (write)
      byte = data[i];
    else
      data[i] = byte;
  }
}

void access(const tlm::tlm_generic_payload &payload, unsigned char *memory)
{
  const std::uint64_t length = payload.get_data_length();
  if (payload.get_byte_enable_ptr() || payload.get_streaming_width() < length)
    access_bytes(payload, memory);
  else if (payload.is_write())
    copy(memory, payload.get_data_ptr(), length);
  else
    copy(payload.get_data_ptr(), memory, length);
}

} // namespace

shared_memory::shared_memory(sc_core::sc_module_name, const shared_memory_config &config)
    : socket("socket"), config_(config),
      backing_(std::make_unique<memory_backing>(name(), config.backing, config.size)),
      runs_{{0, config.size - 1, true, true, true}}
{
  for (const memory_range &range : config.ranges)
    change(range.offset, range.size, [&range](run &part) {
      part.read = range.read;
      part.write = range.write;
      part.dmi = range.dmi;
    });
  socket.register_b_transport(this, &shared_memory::b_transport, serving::at_once);
  socket.register_transport_dbg(this, &shared_memory::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &shared_memory::get_direct_mem_ptr);
}

shared_memory::~shared_memory() = default;

int shared_memory::fd() const
{
  return backing_->fd();
}

unsigned char *shared_memory::data() const
{
  return backing_->data();
}

void shared_memory::set_dmi(std::uint64_t offset, std::uint64_t size, bool allowed)
{
  change(offset, size, [allowed](run &part) { part.dmi = allowed; });
  socket->invalidate_direct_mem_ptr(offset, offset + size - 1);
}

void shared_memory::set_rights(std::uint64_t offset, std::uint64_t size, bool read, bool write)
{
  change(offset, size, [read, write](run &part) {
    part.read = read;
    part.write = write;
  });
  socket->invalidate_direct_mem_ptr(offset, offset + size - 1);
}

template <typename Change>
void shared_memory::change(std::uint64_t offset, std::uint64_t size, Change apply)
{
  if (size == 0 || offset >= config_.size || size > config_.size - offset) {
    const std::string cause = std::string("memory ") + name() + ": range of " +
                              std::to_string(size) + " bytes at offset " + std::to_string(offset) +
                              " is empty or leaves the memory";
    SC_REPORT_ERROR("/tandem/memory", cause.c_str());
    return;
  }
  split_before(offset);
  split_before(offset + size);
  for (run &part : runs_) {
    if (part.first >= offset && part.last <= offset + size - 1)
      apply(part);
  }
  merge();
}

void shared_memory::split_before(std::uint64_t offset)
{
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i].first < offset && offset <= runs_[i].last) {
      run upper = runs_[i];
      upper.first = offset;
      runs_[i].last = offset - 1;
      runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(i) + 1, upper);
      return;
    }
  }
}

void shared_memory::merge()
{
  std::vector<run> merged;
  for (const run &part : runs_) {
    if (!merged.empty() && merged.back().read == part.read && merged.back().write == part.write &&
        merged.back().dmi == part.dmi)
      merged.back().last = part.last;
    else
      merged.push_back(part);
  }
  runs_ = std::move(merged);
}

const shared_memory::run &shared_memory::run_at(std::uint64_t offset) const
{
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), offset,
                       [](std::uint64_t at, const run &part) { return at < part.first; });
  return *(after - 1);
}

/// Bytes that are not enabled are not touched, and need no right.
bool shared_memory::permitted(const tlm::tlm_generic_payload &payload) const
{
  const std::uint64_t first = payload.get_address(), width = extent(payload);
  const unsigned char *const enables = payload.get_byte_enable_ptr();
  if (!enables)
    return permitted(first, first + width - 1, payload.is_write());
  for (std::uint64_t i = 0; i < payload.get_data_length(); ++i) {
    const std::uint64_t at = first + i % width;
    if (enables[i % payload.get_byte_enable_length()] == TLM_BYTE_ENABLED &&
        !permitted(at, at, payload.is_write()))
      return false;
  }
  return true;
}

bool shared_memory::permitted(std::uint64_t first, std::uint64_t last, bool write) const
{
  const run *part = &run_at(first);
  for (;; ++part) {
    if (!(write ? part->write : part->read))
      return false;
    if (last <= part->last)
      return true;
  }
}

tlm::tlm_response_status shared_memory::check(const tlm::tlm_generic_payload &payload) const
{
  const std::uint64_t first = payload.get_address();
  const std::uint64_t length = extent(payload);
  if (length == 0)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() && payload.get_byte_enable_length() == 0)
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if (first >= config_.size || length > config_.size - first)
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return tlm::TLM_OK_RESPONSE;
  return permitted(payload) ? tlm::TLM_OK_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE;
}

void shared_memory::b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
{
  const tlm::tlm_response_status status = check(payload);
  payload.set_response_status(status);
  if (status != tlm::TLM_OK_RESPONSE) {
    ++errors_;
    return;
  }
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return;
  const std::uint64_t offset = payload.get_address();
  access(payload, data() + offset);
  if (payload.is_write()) {
    ++writes_;
    written_bytes_ += payload.get_data_length();
    delay += config_.write_latency;
  } else {
    ++reads_;
    read_bytes_ += payload.get_data_length();
    delay += config_.read_latency;
  }
  payload.set_dmi_allowed(run_at(offset).dmi);
}

unsigned shared_memory::transport_dbg(tlm::tlm_generic_payload &payload)
{
  const std::uint64_t offset = payload.get_address();
  if (offset >= config_.size) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  const std::uint64_t length =
      std::min<std::uint64_t>(payload.get_data_length(), config_.size - offset);
  auto *const access = payload.get_extension<untimed_access>();
  const bool asks = access && access->asked != tlm::TLM_IGNORE_COMMAND;
  if (access) {
    access->honoured = true;
    const tlm::tlm_command command = asks ? access->asked : payload.get_command();
    if (!permitted(offset, offset + length - 1, command == tlm::TLM_WRITE_COMMAND)) {
      payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
      return 0;
    }
  }
  if (payload.is_write())
    copy(data() + offset, payload.get_data_ptr(), length);
  else if (payload.is_read() && !asks)
    copy(payload.get_data_ptr(), data() + offset, length);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return static_cast<unsigned>(length);
}

bool shared_memory::get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
{
  const std::uint64_t offset = payload.get_address();
  dmi.allow_none();
  if (offset >= config_.size) {
    dmi.set_start_address(config_.size);
    dmi.set_end_address(UINT64_MAX);
    return false;
  }
  const run &part = run_at(offset);
  dmi.set_start_address(part.first);
  dmi.set_end_address(part.last);
  if (!(part.dmi || is_told(payload)) || !(payload.is_write() ? part.write : part.read))
    return false;
  dmi.set_dmi_ptr(data() + part.first);
  dmi.set_read_latency(config_.read_latency);
  dmi.set_write_latency(config_.write_latency);
  if (part.read && part.write)
    dmi.allow_read_write();
  else if (part.read)
    dmi.allow_read();
  else
    dmi.allow_write();
  if (auto *descriptor = payload.get_extension<dmi_descriptor>()) {
    descriptor->fd = fd();
    descriptor->base = data();
    descriptor->offset = 0;
  }
  return true;
}

nlohmann::ordered_json shared_memory::statistics() const
{
  return {{"size", statistic::level(config_.size)},
          {"reads", reads_},
          {"writes", writes_},
          {"read_bytes", read_bytes_},
          {"written_bytes", written_bytes_},
          {"errors", errors_}};
}

} // namespace tandem
