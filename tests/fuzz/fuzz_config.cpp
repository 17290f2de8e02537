// SPDX-License-Identifier: Apache-2.0
// Configuration files of the platforms and descriptions of systems: each is read, or refused in one
// sentence.
#include "input.h"

#include <options.h>
#include <string>
#include <vector>

int sc_main(int, char **)
{
  return 0;
}

namespace
{

/// The words of a command line, as sc_main gets them.
void parse(std::vector<std::string> words, const tandem::platform_definition &platform)
{
  std::vector<char *> arguments;
  for (std::string &word : words)
    arguments.push_back(word.data());
  tandem::platform_options options;
  tandem::system_description system;
  try {
    if (tandem::parse_options(static_cast<int>(arguments.size()), arguments.data(), platform,
                              options, system))
      tandem::expand(system);
  } catch (const sc_core::sc_report &report) {
    if (*report.get_msg() == 0)
      std::abort();
  }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  static fuzz::file file;
  static const tandem::platform_definition system = {"system", "", {}, true};
  static const tandem::platform_definition platform = {"platform", "x86-arm"};
  const std::string &path = file.fill({data, size});
  // A dry run makes no directories.
  parse({"platform", "--dry-run", "--config", path}, platform);
  parse({"system", path, "--dry-run"}, system);
  return 0;
}
