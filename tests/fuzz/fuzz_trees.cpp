// SPDX-License-Identifier: Apache-2.0
// Device trees as the platform completes them and as the runtime of a bare-metal guest reads the
// completed ones.
#include "input.h"

#include <device_tree.h>
#include <libfdt.h>
#include <systemc>

extern "C" const char *fdt_bootargs(const void *tree);

namespace
{

[[noreturn]] void found(const char *what)
{
  std::fprintf(stderr, "fuzz_trees: %s\n", what);
  std::abort();
}

void complete(const std::vector<char> &bytes)
{
  tandem::tree_additions additions;
  additions.idm = tandem::tree_idm{{0x0a000000, 0x1000}, {5}};
  additions.devices = {{"device", "example,device", {{0x0b000000, 0x1000}}, {6}}};
  additions.shared_memory = tandem::guest_range{0x80000000, 0x100000};
  additions.ram = tandem::guest_range{0x40000000, 0x8000000};
  additions.bootargs = "console=ttyAMA0";
  const tandem::device_tree tree = tandem::complete_tree("fuzz", bytes, additions);
  if (fdt_check_full(tree.data(), tree.size()) != 0)
    found("a good tree was completed to a bad one");
  const char *const arguments = fdt_bootargs(tree.data());
  if (!arguments || *additions.bootargs != arguments)
    found("the guest does not find its boot arguments");
}

} // namespace

int sc_main(int, char **)
{
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  try {
    complete({data, data + size});
  } catch (const sc_core::sc_report &) {
    // refused
  }
  return 0;
}
