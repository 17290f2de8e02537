// SPDX-License-Identifier: Apache-2.0
#include "tandem/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace tandem
{

namespace
{

bool unit_femtoseconds(const std::string &unit, long double &femtoseconds)
{
  static const std::map<std::string, long double> units = {
      {"s", 1e15L}, {"ms", 1e12L}, {"us", 1e9L}, {"ns", 1e6L}, {"ps", 1e3L}, {"fs", 1.0L}};
  const auto found = units.find(unit);
  if (found == units.end())
    return false;
  femtoseconds = found->second;
  return true;
}

} // namespace

bool parse_number(const std::string &text, std::uint64_t &value)
{
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (!hexadecimal && text.size() > 1 && text[0] == '0')
    return false;
  const char *const begin = text.data() + (hexadecimal ? 2 : 0), *const end =
                                                                     text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value, hexadecimal ? 16 : 10);
  return error == std::errc() && stop == end && begin != end;
}

bool parse_size(const std::string &text, std::uint64_t &bytes)
{
  static const std::map<char, unsigned> units = {{'k', 10}, {'K', 10}, {'M', 20}, {'G', 30}};
  const auto unit = units.find(text.empty() ? ' ' : text.back());
  const unsigned shift = unit == units.end() ? 0 : unit->second;
  std::uint64_t number = 0;
  if (!parse_number(shift ? text.substr(0, text.size() - 1) : text, number) ||
      number > UINT64_MAX >> shift)
    return false;
  bytes = number << shift;
  return true;
}

bool parse_fraction(const std::string &text, double &value)
{
  if (text.empty() || text == "." || text.find_first_not_of("0123456789.") != std::string::npos ||
      std::count(text.begin(), text.end(), '.') > 1)
    return false;
  value = std::strtod(text.c_str(), nullptr);
  return std::isfinite(value);
}

std::vector<std::string> split(const std::string &text, const char *separators)
{
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size() && !text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool split_pair(const std::string &text, std::string &name, std::string &value)
{
  const std::size_t equals = text.find('=');
  const bool is_pair = equals != std::string::npos && equals != 0;
  name = is_pair ? text.substr(0, equals) : text;
  value = is_pair ? text.substr(equals + 1) : "";
  return is_pair;
}

std::string join(const std::vector<std::string> &items)
{
  std::string text;
  for (const std::string &item : items)
    text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string parameter_help(const std::vector<parameter_info> &declared)
{
  std::string text;
  for (const parameter_info &info : declared)
    text += "  " + info.name + " = " + info.default_value + "  " + info.help + "\n";
  return text;
}

bool parse_time(const std::string &text, sc_core::sc_time &time)
{
  const std::size_t end = text.find_first_not_of("0123456789.");
  const std::string digits = text.substr(0, end);
  if (digits.empty() || digits == "." || std::count(digits.begin(), digits.end(), '.') > 1)
    return false;
  const long double amount = std::strtold(digits.c_str(), nullptr);
  std::string unit = end == std::string::npos ? "" : text.substr(end);
  unit.erase(0, unit.find_first_not_of(' '));
  long double size = 0;
  if (!(unit.empty() && amount == 0) && !unit_femtoseconds(unit, size))
    return false;
  const long double resolution =
      std::round(static_cast<long double>(sc_core::sc_get_time_resolution().to_seconds()) * 1e15L);
  const long double ticks = amount * size / resolution;
  const long double rounded = std::round(ticks);
  if (rounded > 9e18L || std::fabs(ticks - rounded) > 1e-6L)
    return false;
  time = sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(rounded));
  return true;
}

parameters::parameters(std::string owner, std::vector<parameter_info> declared,
                       parameter_values given)
    : owner_(std::move(owner)), declared_(std::move(declared))
{
  std::vector<std::string> known;
  for (const parameter_info &info : declared_) {
    values_[info.name] = info.default_value;
    known.push_back(info.name);
  }
  for (const auto &[name, value] : given) {
    if (values_.find(name) == values_.end())
      fail("unknown parameter '" + name + "'; " +
           (known.empty() ? "there are none" : "known are " + join(known)));
    values_[name] = value;
  }
}

void parameters::fail(const std::string &cause) const
{
  SC_REPORT_ERROR("/tandem/parameters", (owner_ + ": " + cause).c_str());
  std::abort(); // only reached when a user has taken the throw from SC_ERROR
}

void parameters::refuse(const std::string &name, const std::string &expected) const
{
  fail("parameter " + name + " is '" + values_.at(name) + "' but must be " + expected);
}

const std::string &parameters::text(const std::string &name) const
{
  const auto found = values_.find(name);
  if (found == values_.end())
    fail("asks for parameter '" + name + "' that it does not declare");
  return found->second;
}

std::uint64_t parameters::number(const std::string &name, std::uint64_t minimum,
                                 std::uint64_t maximum) const
{
  std::uint64_t value = 0;
  if (!parse_number(text(name), value) || value < minimum || value > maximum) {
    const std::string upper = maximum == UINT64_MAX ? " or more" : " to " + std::to_string(maximum);
    refuse(name, "a whole number, " + std::to_string(minimum) + upper);
  }
  return value;
}

std::vector<std::uint64_t> parameters::numbers(const std::string &name, std::size_t count,
                                               std::uint64_t minimum, std::uint64_t maximum) const
{
  std::vector<std::uint64_t> values;
  for (const std::string &part : split(text(name), ",:")) {
    std::uint64_t value = 0;
    if (!parse_number(part, value) || value < minimum || value > maximum)
      break;
    values.push_back(value);
  }
  const std::size_t given = split(text(name), ",:").size();
  if (given != 0 && (given != count || values.size() != given))
    refuse(name, std::to_string(count) + " numbers of " + std::to_string(minimum) + " to " +
                     std::to_string(maximum) + ", such as 3,1,1");
  return values;
}

std::uint64_t parameters::size(const std::string &name, std::uint64_t minimum,
                               std::uint64_t maximum) const
{
  std::uint64_t bytes = 0;
  if (!parse_size(text(name), bytes) || bytes < minimum || bytes > maximum)
    refuse(name, "bytes such as 64k or 16M, from " + std::to_string(minimum) + " to " +
                     std::to_string(maximum));
  return bytes;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>>
parameters::ranges(const std::string &name) const
{
  std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
  for (const std::string &item : split(text(name), ","))
    if (const auto plus = item.find('+');
        plus == std::string::npos ||
        !parse_size(item.substr(0, plus), result.emplace_back().first) ||
        !parse_size(item.substr(plus + 1), result.back().second) || result.back().second == 0)
      refuse(name, "ADDRESS+SIZE,...");
  return result;
}

sc_core::sc_time parameters::time(const std::string &name, const sc_core::sc_time &minimum) const
{
  sc_core::sc_time value;
  if (!parse_time(text(name), value))
    refuse(name,
           "a time such as 10ns, in multiples of " + sc_core::sc_get_time_resolution().to_string());
  if (value < minimum)
    refuse(name, "at least " + minimum.to_string());
  return value;
}

bool parameters::flag(const std::string &name) const
{
  const std::string &value = text(name);
  for (const char *yes : {"true", "yes", "on", "1"})
    if (value == yes)
      return true;
  for (const char *no : {"false", "no", "off", "0"})
    if (value == no)
      return false;
  refuse(name, "true or false");
}

const std::string &parameters::choice(const std::string &name,
                                      const std::vector<std::string> &choices) const
{
  const std::string &value = text(name);
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    refuse(name, "one of " + join(choices));
  return value;
}

} // namespace tandem
