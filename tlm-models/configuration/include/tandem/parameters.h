// SPDX-License-Identifier: Apache-2.0
// Parameters given as text (name=value), checked against what a model declares.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

namespace tandem
{

/// A parameter as its model declares it.
struct parameter_info {
  std::string name;
  std::string default_value;
  std::string help; ///< one line
};

/// Values by name, as a command line or a file gives them.
using parameter_values = std::map<std::string, std::string>;

/// The parameters of one model. Every error is one SC_ERROR "/tandem/parameters"
/// that begins with `owner`, such as
///   interconnect bus: unknown parameter 'widht'; known are clock, width
class parameters
{
public:
  /// owner: what the values are for, such as "interconnect bus". Reports an
  /// error when `given` names a parameter that is not declared.
  parameters(std::string owner, std::vector<parameter_info> declared, parameter_values given);

  /// The getters return the value given, else the declared default. Asking for a
  /// name that is not declared is an error.
  const std::string &text(const std::string &name) const;
  /// Decimal or 0x...; minimum and maximum are inclusive.
  std::uint64_t number(const std::string &name, std::uint64_t minimum = 0,
                       std::uint64_t maximum = UINT64_MAX) const;
  /// `count` numbers with commas (or colons) between them, or none at all.
  std::vector<std::uint64_t> numbers(const std::string &name, std::size_t count,
                                     std::uint64_t minimum = 0,
                                     std::uint64_t maximum = UINT64_MAX) const;
  /// Bytes, such as 64k, 16M or a whole number; minimum and maximum are inclusive.
  std::uint64_t size(const std::string &name, std::uint64_t minimum = 0,
                     std::uint64_t maximum = UINT64_MAX) const;
  /// "ADDRESS+SIZE,...", each a number or a size; or none at all.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges(const std::string &name) const;
  /// A number and a unit (s, ms, us, ns, ps, fs) such as "10ns" or "0.5 us"; "0" needs
  /// none. Must be a multiple of the time resolution and at least minimum.
  sc_core::sc_time time(const std::string &name,
                        const sc_core::sc_time &minimum = sc_core::SC_ZERO_TIME) const;
  /// true, yes, on, 1 or false, no, off, 0.
  bool flag(const std::string &name) const;
  /// One of the choices.
  const std::string &choice(const std::string &name, const std::vector<std::string> &choices) const;

  /// Reports that a value is wrong: "parameter x is 'y' but must be `expected`".
  [[noreturn]] void refuse(const std::string &name, const std::string &expected) const;

  const std::vector<parameter_info> &declared() const { return declared_; }

private:
  [[noreturn]] void fail(const std::string &cause) const;

  std::string owner_;
  std::vector<parameter_info> declared_;
  parameter_values values_; // of all declared parameters
};

/// Reads a time such as "10ns"; false when the text is none or is not a multiple
/// of the time resolution.
bool parse_time(const std::string &text, sc_core::sc_time &time);
/// The parts between any of the separators; none for an empty text.
std::vector<std::string> split(const std::string &text, const char *separators);
/// "NAME=VALUE". False when there is no name or no '='; then the text is the name.
bool split_pair(const std::string &text, std::string &name, std::string &value);
/// A whole number below 2^64, decimal or 0x... Not with a zero in front, which is octal for some.
bool parse_number(const std::string &text, std::uint64_t &value);
/// Bytes: a whole number, or one with k, M or G (powers of 1024) behind it.
bool parse_size(const std::string &text, std::uint64_t &bytes);
/// A number with a fraction, such as 0.5; no sign, no exponent.
bool parse_fraction(const std::string &text, double &value);
/// "a, b, c"
std::string join(const std::vector<std::string> &items);
/// A line for each: "  name = default  help".
std::string parameter_help(const std::vector<parameter_info> &declared);

} // namespace tandem
