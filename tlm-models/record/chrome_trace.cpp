// SPDX-License-Identifier: Apache-2.0
#include "tandem/chrome_trace.h"

#include "tandem/marks.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <systemc>
#include <tlm>

namespace tandem
{

namespace
{

/// Rows of one initiator: slices in a row must not overlap.
class lanes
{
public:
  std::size_t take(std::uint64_t start, std::uint64_t end)
  {
    const auto free = std::find_if(ends_.begin(), ends_.end(),
                                   [start](std::uint64_t taken) { return taken <= start; });
    const auto lane = static_cast<std::size_t>(free - ends_.begin());
    if (free == ends_.end())
      ends_.push_back(end);
    else
      *free = end;
    return lane;
  }

private:
  std::vector<std::uint64_t> ends_;
};

/// The format counts in microseconds; all digits are kept.
std::string microseconds(std::uint64_t ticks)
{
  static const double ps_per_tick = sc_core::sc_get_time_resolution().to_seconds() * 1e12;
  const auto ps = static_cast<unsigned long long>(static_cast<double>(ticks) * ps_per_tick + 0.5);
  char text[40];
  std::snprintf(text, sizeof text, "%llu.%06llu", ps / 1000000, ps % 1000000);
  return text;
}

const char *command_name(int command)
{
  return command == tlm::TLM_READ_COMMAND    ? "read"
         : command == tlm::TLM_WRITE_COMMAND ? "write"
                                             : "ignore";
}

std::string response_name(int response)
{
  tlm::tlm_generic_payload payload;
  payload.set_response_status(static_cast<tlm::tlm_response_status>(response));
  return payload.get_response_string();
}

std::string quoted(const std::string &text)
{
  return nlohmann::json(text).dump();
}

void write_slice(std::ostream &out, const logged_transaction &t, std::size_t pid,
                 const transaction_log_reader &log, std::size_t lane)
{
  const std::string target = t.target < 0 ? "nowhere" : log.target(t);
  char address[24];
  std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(t.address));
  out << ",\n{\"ph\":\"X\",\"pid\":" << pid << ",\"tid\":" << lane
      << ",\"ts\":" << microseconds(t.start) << ",\"dur\":" << microseconds(t.end - t.start)
      << ",\"name\":" << quoted(std::string(command_name(t.command)) + " " + target)
      << ",\"args\":{\"id\":" << t.id << ",\"address\":\"" << address
      << "\",\"origin\":" << quoted(log.origin(t)) << ",\"length\":" << t.length
      << ",\"response\":" << quoted(response_name(t.response))
      << ",\"waiting_us\":" << microseconds(t.waiting)
      << ",\"target_us\":" << microseconds(t.target_time) << "}}";
}

void write_process(std::ostream &out, std::size_t pid, const std::string &name)
{
  out << (pid ? ",\n" : "\n") << "{\"ph\":\"M\",\"pid\":" << pid
      << ",\"name\":\"process_name\",\"args\":{\"name\":" << quoted(name) << "}}";
}

/// Messages of one sender to one receiver.
struct conversation {
  std::size_t pid = 0;
  lanes rows;
  std::multimap<std::uint64_t, int> changes; ///< of the buffers in use, by time
};

void write_message(std::ostream &out, const logged_message &m, conversation &in)
{
  const std::uint64_t end = m.returned.value_or(m.sent);
  const std::string name = m.endpoint + (m.endpoint.empty() ? "" : " ") + std::to_string(m.source) +
                           " to " + std::to_string(m.destination);
  out << ",\n{\"ph\":\"X\",\"pid\":" << in.pid << ",\"tid\":" << in.rows.take(m.sent, end)
      << ",\"ts\":" << microseconds(m.sent) << ",\"dur\":" << microseconds(end - m.sent)
      << ",\"cat\":\"message\",\"name\":" << quoted(name) << ",\"args\":{\"id\":" << m.id
      << ",\"source\":" << m.source << ",\"destination\":" << m.destination
      << ",\"length\":" << m.length << ",\"buffer\":" << m.buffer
      << ",\"returned\":" << (m.returned ? "true" : "false") << "}}";
  in.changes.emplace(m.sent, 1);
  if (m.returned)
    in.changes.emplace(*m.returned, -1);
}

void write_counter(std::ostream &out, const conversation &of)
{
  int in_use = 0;
  for (auto change = of.changes.begin(); change != of.changes.end();) {
    const std::uint64_t time = change->first;
    for (; change != of.changes.end() && change->first == time; ++change)
      in_use += change->second;
    out << ",\n{\"ph\":\"C\",\"pid\":" << of.pid << ",\"ts\":" << microseconds(time)
        << ",\"name\":\"buffers in use\",\"args\":{\"buffers\":" << in_use << "}}";
  }
}

/// first_pid: of the processes for them. Returns the next one that is free.
std::size_t write_messages(std::ostream &out, const transaction_log_reader &log,
                           std::size_t first_pid)
{
  const std::vector<std::string> &guests = log.guests();
  std::map<std::pair<int, int>, conversation> conversations; // by sender and receiver
  log.for_each_message([&](const logged_message &m) {
    const auto [found, is_new] = conversations.try_emplace({m.sender, m.receiver});
    conversation &here = found->second;
    if (is_new) {
      here.pid = first_pid + conversations.size() - 1;
      write_process(out, here.pid,
                    "rpmsg " + guests[static_cast<std::size_t>(m.sender)] + " to " +
                        guests[static_cast<std::size_t>(m.receiver)]);
    }
    write_message(out, m, here);
  });
  for (const auto &[pair, here] : conversations)
    write_counter(out, here);
  return first_pid + conversations.size();
}

/// Marks as instants, a row for each guest.
void write_instants(std::ostream &out, const std::vector<logged_mark> &marks, std::size_t pid)
{
  std::map<std::string, std::size_t> rows;
  write_process(out, pid, "marks");
  for (const logged_mark &m : marks) {
    const auto [row, is_new] = rows.try_emplace(m.guest, rows.size());
    if (is_new)
      out << ",\n{\"ph\":\"M\",\"pid\":" << pid << ",\"tid\":" << row->second
          << ",\"name\":\"thread_name\",\"args\":{\"name\":" << quoted(m.guest) << "}}";
    const std::string what =
        m.region.empty() ? "mark " + std::to_string(m.number) : m.kind + " of " + m.region;
    out << ",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":" << pid << ",\"tid\":" << row->second
        << ",\"ts\":" << microseconds(m.time)
        << ",\"cat\":\"mark\",\"name\":" << quoted(what + (m.stray ? " without a begin" : ""))
        << ",\"args\":{\"number\":" << m.number << ",\"value\":" << m.value << "}}";
  }
}

struct span {
  std::uint64_t start = 0, end = 0;
  std::string name;
};

/// The times for which regions had begun; end: of those that have not ended.
std::vector<span> region_spans(const std::vector<logged_mark> &marks, std::uint64_t end)
{
  std::vector<span> spans;
  std::map<std::string, std::pair<unsigned, std::size_t>> open; // depth, and which span
  for (const logged_mark &m : marks) {
    if (m.region.empty() || m.stray)
      continue;
    auto &[depth, which] = open[m.region];
    if (m.kind == name_of(guest_mark::kind::begin) && depth++ == 0) {
      which = spans.size();
      spans.push_back({m.time, std::max(m.time, end), m.region});
    } else if (m.kind == name_of(guest_mark::kind::end) && depth != 0 && --depth == 0) {
      spans[which].end = std::max(m.time, spans[which].start);
    }
  }
  std::stable_sort(spans.begin(), spans.end(),
                   [](const span &a, const span &b) { return a.start < b.start; });
  return spans;
}

void write_regions(std::ostream &out, const std::vector<span> &spans, std::size_t pid)
{
  lanes rows;
  write_process(out, pid, "regions");
  for (const span &one : spans)
    out << ",\n{\"ph\":\"X\",\"pid\":" << pid << ",\"tid\":" << rows.take(one.start, one.end)
        << ",\"ts\":" << microseconds(one.start) << ",\"dur\":" << microseconds(one.end - one.start)
        << ",\"cat\":\"region\",\"name\":" << quoted(one.name) << "}";
}

} // namespace

void export_chrome_trace(const transaction_log_reader &log, const std::string &path,
                         const transaction_filter &shown)
{
  std::error_code none;
  if (std::filesystem::equivalent(path, log.path(), none)) {
    const std::string cause = "the timeline '" + path + "' would take the place of its log";
    SC_REPORT_ERROR("/tandem/log", cause.c_str());
  }
  std::ofstream out(path);
  out << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  std::vector<std::size_t> first; // pid of an interconnect's first initiator
  std::size_t pid = 0;
  for (std::size_t n = 0; n < log.systems().size(); ++n) {
    const logged_system &system = log.system(n);
    first.push_back(pid);
    if (!shown.has_interconnect(n))
      continue;
    for (const std::string &initiator : system.initiators)
      write_process(out, pid++,
                    log.systems().size() == 1 ? initiator : system.name + ": " + initiator);
  }
  std::vector<lanes> rows(pid);
  std::uint64_t end = 0;
  log.for_each([&](const logged_transaction &t) {
    end = std::max(end, t.end);
    if (!shown.has(t, log))
      return;
    const std::size_t process =
        first[static_cast<std::size_t>(t.interconnect)] + static_cast<std::size_t>(t.initiator);
    write_slice(out, t, process, log, rows[process].take(t.start, t.end));
  });
  pid = write_messages(out, log, pid);
  if (const std::vector<logged_mark> marks = log.marks(); !marks.empty()) {
    for (const logged_mark &m : marks)
      end = std::max(end, m.time);
    write_instants(out, marks, pid);
    write_regions(out, region_spans(marks, end), pid + 1);
  }
  out << "\n]}\n";
  out.close();
  if (!out) {
    const std::string cause = "cannot write '" + path + "': " + std::strerror(errno);
    SC_REPORT_ERROR("/tandem/log", cause.c_str());
  }
}

} // namespace tandem
