// SPDX-License-Identifier: Apache-2.0
#include "moment.h"

#include "tandem/parameters.h"

#include <utility>

namespace tandem
{

std::optional<moment> read_moment(const std::string &text)
{
  static const std::pair<const char *, moment::kind> words[] = {
      {"mark", moment::kind::mark},
      {"region", moment::kind::region},
      {"region-end", moment::kind::region_end}};
  moment result;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos)
    return parse_time(text, result.at) ? std::optional(result) : std::nullopt;
  std::uint64_t number = 0;
  if (!parse_number(text.substr(colon + 1), number) || number > UINT32_MAX)
    return std::nullopt;
  result.number = static_cast<std::uint32_t>(number);
  for (const auto &[word, what] : words)
    if (text.compare(0, colon, word) == 0) {
      result.what = what;
      return result;
    }
  return std::nullopt;
}

} // namespace tandem
