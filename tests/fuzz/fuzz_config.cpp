// SPDX-License-Identifier: Apache-2.0
// Configuration files of the platforms: each is read, or refused in one sentence.
#include "input.h"

#include <options.h>

int sc_main(int, char **)
{
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  static fuzz::file file;
  const std::string &path = file.fill({data, size});
  // A dry run makes no directories.
  std::string words[] = {"platform", "--dry-run", "--config", path};
  char *arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data()};
  tandem::platform_options options;
  try {
    tandem::parse_options(4, arguments, {}, options);
  } catch (const sc_core::sc_report &report) {
    if (*report.get_msg() == 0)
      std::abort();
  }
  return 0;
}
