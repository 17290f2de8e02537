// SPDX-License-Identifier: Apache-2.0
#include "mark_trace.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace tandem
{

namespace
{

/// A name of VCD: one word, without the dots between scopes.
std::string word(std::string text)
{
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '_'; }, '_');
  return text;
}

std::string bits(std::uint64_t value)
{
  std::string text;
  for (; value != 0; value >>= 1)
    text.insert(text.begin(), value & 1 ? '1' : '0');
  return "b" + (text.empty() ? "0" : text);
}

/// The signals of a book and their changes.
class mark_signals
{
public:
  explicit mark_signals(const mark_book &book)
  {
    for (const guest_mark &mark : book.marks()) {
      maker &by = makers_[mark.by];
      if (by.code.empty())
        by.code = code(signals_ += 3);
      if (mark.what != guest_mark::kind::mark && !mark.stray) {
        region &of = regions_[mark.number];
        if (of.code.empty())
          of = {code(++signals_), word(book.region_name(mark.number)), 0};
      }
      changes_.push_back(&mark);
    }
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const guest_mark *a, const guest_mark *b) { return a->time < b->time; });
  }

  void define(std::ostream &out) const
  {
    out << "$scope module marks $end\n";
    for (const auto &[name, by] : makers_)
      out << "$scope module " << word(name) << " $end\n"
          << "$var wire 32 " << by.code << "n number [31:0] $end\n"
          << "$var wire 32 " << by.code << "v value [31:0] $end\n"
          << "$var wire 32 " << by.code << "c count [31:0] $end\n"
          << "$upscope $end\n";
    out << "$upscope $end\n";
    if (regions_.empty())
      return;
    out << "$scope module regions $end\n";
    for (const auto &[number, of] : regions_)
      out << "$var wire 1 " << of.code << " " << of.name << " $end\n";
    out << "$upscope $end\n";
  }

  void begin(std::ostream &out) const
  {
    for (const auto &[name, by] : makers_)
      for (const char *const part : {"n", "v", "c"})
        out << "b0 " << by.code << part << "\n";
    for (const auto &[number, of] : regions_)
      out << "0" << of.code << "\n";
  }

  /// Writes what changes before a time. now: time in the file.
  void write_before(std::uint64_t time, std::uint64_t &now, std::ostream &out)
  {
    for (; next_ < changes_.size() && changes_[next_]->time.value() < time; ++next_) {
      if (changes_[next_]->time.value() > now)
        out << "#" << (now = changes_[next_]->time.value()) << "\n";
      write(*changes_[next_], out);
    }
  }

private:
  struct maker {
    std::string code;
    std::uint32_t count = 0;
  };
  struct region {
    std::string code, name;
    unsigned depth = 0;
  };

  /// SystemC's own codes are of letters alone.
  static std::string code(unsigned number) { return "!" + std::to_string(number); }

  void write(const guest_mark &mark, std::ostream &out)
  {
    maker &by = makers_[mark.by];
    out << bits(mark.number) << " " << by.code << "n\n"
        << bits(mark.value) << " " << by.code << "v\n"
        << bits(++by.count) << " " << by.code << "c\n";
    if (mark.what == guest_mark::kind::mark || mark.stray)
      return;
    region &of = regions_[mark.number];
    const bool begins = mark.what == guest_mark::kind::begin;
    if (begins ? of.depth++ == 0 : of.depth != 0 && --of.depth == 0)
      out << (begins ? "1" : "0") << of.code << "\n";
  }

  std::map<std::string, maker> makers_;
  std::map<std::uint32_t, region> regions_;
  std::vector<const guest_mark *> changes_;
  std::size_t next_ = 0;
  unsigned signals_ = 0;
};

/// The definitions, with those of the marks within SystemC's outermost scope.
void merge_definitions(std::istream &from, const mark_signals &marks, std::ostream &to)
{
  std::ostringstream head;
  std::string line;
  while (std::getline(from, line) && line.rfind("$enddefinitions", 0) != 0)
    head << line << "\n";
  const std::string text = head.str();
  const std::size_t end = std::min(text.rfind("$upscope"), text.size());
  to << text.substr(0, end);
  marks.define(to);
  to << text.substr(end) << line << "\n";
}

void merge(std::istream &from, mark_signals &marks, std::ostream &to)
{
  merge_definitions(from, marks, to);
  std::uint64_t now = 0;
  for (std::string line; std::getline(from, line);) {
    if (!line.empty() && line[0] == '#') {
      const std::uint64_t time = std::strtoull(line.c_str() + 1, nullptr, 10);
      marks.write_before(time, now, to);
      now = time;
    }
    to << line << "\n";
    if (line == "$dumpvars")
      marks.begin(to);
  }
  marks.write_before(UINT64_MAX, now, to);
}

} // namespace

void insert_marks(const std::string &path, const mark_book &book)
{
  const std::string unfinished = path + ".partial";
  mark_signals marks(book);
  std::ifstream from(path);
  std::ofstream to(unfinished);
  merge(from, marks, to);
  to.close();
  if (to && std::rename(unfinished.c_str(), path.c_str()) == 0)
    return;
  const std::string cause = "the marks cannot be put into '" + path + "': " + std::strerror(errno);
  std::remove(unfinished.c_str());
  SC_REPORT_WARNING("/tandem/trace", cause.c_str());
}

} // namespace tandem
