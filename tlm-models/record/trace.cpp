// SPDX-License-Identifier: Apache-2.0
#include "tandem/trace.h"

#include "mark_trace.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace tandem
{

namespace
{

void trace_all(const std::vector<sc_core::sc_object *> &objects, sc_core::sc_trace_file *file)
{
  for (const sc_core::sc_object *const object : objects) {
    object->trace(file);
    trace_all(object->get_child_objects(), file);
  }
}

/// The kernel's resolution, so that no time is rounded in the file.
void set_unit(sc_core::sc_trace_file *file)
{
  const auto femtoseconds =
      static_cast<std::uint64_t>(sc_core::sc_get_time_resolution().to_seconds() * 1e15 + 0.5);
  constexpr sc_core::sc_time_unit units[] = {sc_core::SC_FS, sc_core::SC_PS, sc_core::SC_NS,
                                             sc_core::SC_US, sc_core::SC_MS, sc_core::SC_SEC};
  std::uint64_t size = femtoseconds;
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(units); size /= 1000)
    ++unit;
  file->set_time_unit(static_cast<double>(size), units[unit]);
}

std::string without_suffix(const std::string &path)
{
  const std::string suffix = ".vcd";
  const bool ends = path.size() > suffix.size() &&
                    path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0;
  return ends ? path.substr(0, path.size() - suffix.size()) : path;
}

/// SystemC writes the host's date into the head of the file.
void blank_date(const std::string &path)
{
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::string head(256, '\0');
  file.read(&head[0], static_cast<std::streamsize>(head.size()));
  file.clear();
  const std::string keyword = "$date\n";
  const std::size_t date = head.find(keyword) + keyword.size(), end = head.find("\n$end", date);
  if (head.rfind(keyword, 0) != 0 || end == std::string::npos)
    return;
  file.seekp(static_cast<std::streamoff>(date));
  file << std::string(end - date, ' ');
}

} // namespace

vcd_trace::vcd_trace(const std::string &path)
{
  const std::string base = without_suffix(path);
  path_ = base + ".vcd";
  std::ofstream probe(path_);
  if (!probe) {
    const std::string cause = "cannot write '" + path_ + "': " + std::strerror(errno);
    SC_REPORT_ERROR("/tandem/trace", cause.c_str());
    return;
  }
  file_ = sc_core::sc_create_vcd_trace_file(base.c_str());
  set_unit(file_);
  // That signals can be traced by their trace() is deprecated in the standard,
  // and said so once for a run; here it is what lets a walk find everything.
  const char *const deprecated = sc_core::SC_ID_IEEE_1666_DEPRECATION_;
  const sc_core::sc_actions before =
      sc_core::sc_report_handler::set_actions(deprecated, sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  trace_all(sc_core::sc_get_top_level_objects(), file_);
  sc_core::sc_report_handler::set_actions(deprecated, sc_core::SC_INFO, before);
}

vcd_trace::~vcd_trace()
{
  if (!file_)
    return;
  sc_core::sc_close_vcd_trace_file(file_);
  blank_date(path_);
  if (book_ && !book_->marks().empty())
    insert_marks(path_, *book_);
}

} // namespace tandem
