// SPDX-License-Identifier: Apache-2.0
// Images as the platform looks at them, and as the runtime of a bare-metal master loads them.
#include "input.h"

#include <linux_image.h>
#include <memory>
#include <tandem/qemu_machine.h>
#include <vector>

extern "C" {
#include "tandem-sw/elf.h"
}
#include <systemc>

namespace
{

constexpr std::size_t memory_size = 0x10000;

void check(const std::string &path)
{
  tandem::qemu_config config;
  config.machine = "aarch64";
  config.kernel = path;
  try {
    tandem::check_config("fuzz", config);
  } catch (const sc_core::sc_report &) {
    // refused
  }
}

/// The program's loader: what it has taken lies in the memory that it was given.
void load(const std::uint8_t *data, std::size_t size)
{
  // Exactly as large as they say, so that the sanitizer sees the first byte beyond.
  const std::vector<std::uint8_t> image(data, data + size);
  std::vector<std::uint8_t> memory(memory_size);
  for (const elf_machine &to : {elf_machine{183, 64, 0x40000000, memory_size, memory.data()},
                                elf_machine{40, 32, 0x40000000, memory_size, memory.data()},
                                elf_machine{62, 64, 0, memory_size, memory.data()}}) {
    std::uint64_t entry = 0;
    elf_range range;
    if (!elf_load(image.data(), image.size(), &to, &entry))
      elf_section(image.data(), image.size(), ".resource_table", &range);
  }
}

} // namespace

int sc_main(int, char **)
{
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  static fuzz::file file;
  const std::string &path = file.fill({data, size});
  tandem::is_linux_image(path);
  check(path);
  load(data, size);
  return 0;
}
