// SPDX-License-Identifier: Apache-2.0
// Offers check_config() what no platform of the project can be made to offer it by options.
// Argument: the name of a case. Prints the sentence of the refusal.
#include "tandem/qemu_machine.h"

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <systemc>

int sc_main(int argc, char **argv)
{
  tandem::qemu_config config;
  config.machine = "arm";
  config.kernel = argc > 2 ? argv[2] : "";
  config.windows = {{"first", 0x10000000, 0x2000, 0}, {"second", 0x10002000, 0x1000, 0}};
  config.interrupt_pins = {223};
  auto &second = config.windows[1];
  const std::map<std::string, std::function<void()>> cases = {
      {"good", [] {}},
      {"overlap", [&] { second.guest_address = 0x10001000; }},
      {"inside", [&] { config.windows[0].size = 0x10000; }},
      {"same", [&] { second = config.windows[0]; }},
      {"overlap_at_the_top",
       [&] {
         config.windows[0] = {"first", 0xfffffffffffff000, 0x1000, 0};
         second = {"second", 0xffffffffffffe000, 0x2000, 0};
       }},
      {"wraps",
       [&] {
         second = {"second", 0xfffffffffffff000, 0x2000, 0};
       }},
      {"unaligned", [&] { second.guest_address += 1; }},
      {"unaligned_size", [&] { second.size = 0x1001; }},
      {"unaligned_platform", [&] { second.platform_address = 8; }},
      {"empty", [&] { second.size = 0; }},
      {"too_many",
       [&] {
         for (unsigned i = 0; i < 20; ++i)
           config.windows.push_back({"more", 0x20000000 + i * 0x1000, 0x1000, 0});
       }},
      {"pin", [&] { config.interrupt_pins = {224}; }},
  };
  const auto chosen = cases.find(argc > 1 ? argv[1] : "");
  if (chosen == cases.end())
    return 9;
  chosen->second();
  try {
    tandem::check_config("guest", config);
  } catch (const sc_core::sc_report &report) {
    std::printf("%s\n", report.get_msg());
    return 1;
  }
  return 0;
}
