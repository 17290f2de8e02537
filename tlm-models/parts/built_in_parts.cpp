// SPDX-License-Identifier: Apache-2.0
// The models of the library as parts.
#include "tandem/cache.h"
#include "tandem/dram.h"
#include "tandem/idm.h"
#include "tandem/part.h"
#include "tandem/protocol_checker.h"
#include "tandem/shared_memory.h"
#include "tandem/traffic_generator.h"

namespace tandem
{
namespace
{

std::unique_ptr<sc_core::sc_module> make_memory(const char *name, const parameters &p)
{
  shared_memory_config config;
  config.size = p.size("size", 1);
  config.backing = p.text("backing");
  config.read_latency = p.time("read_latency");
  config.write_latency = p.time("write_latency");
  for (const auto &[offset, size] : p.ranges("transactions"))
    config.ranges.push_back({offset, size, true, true, false});
  return std::make_unique<shared_memory>(name, config);
}

part_info memory_info()
{
  part_info info{
      "memory that guests can share, by DMI or by transactions",
      {{"size", "64M", "bytes, in whole pages, to 16G"},
       {"backing", "memfd", "memfd, hugetlbfs or file:PATH"},
       {"read_latency", "0", "of each read transaction"},
       {"write_latency", "0", "of each write transaction"},
       {"transactions", "", "OFFSET+SIZE,... without DMI: every access is a transaction"}},
      {{"socket", 0, "size"}},
      {},
      {}};
  info.place = guest_place::shared_memory;
  return info;
}

std::unique_ptr<sc_core::sc_module> make_idm(const char *name, const parameters &p)
{
  idm_config config;
  config.participants = static_cast<unsigned>(p.number("participants", 1, UINT32_MAX));
  config.fifo_depth = static_cast<unsigned>(p.number("fifo_depth", 1, TANDEM_IDM_MB_STATUS_LEVEL));
  config.locks = static_cast<unsigned>(p.number("locks", 0, TANDEM_IDM_MAX_LOCKS));
  config.masters = static_cast<std::uint32_t>(p.number("masters", 0, UINT32_MAX));
  config.memory_size = p.size("memory_size");
  config.access_latency = p.time("latency");
  return std::make_unique<idm>(name, config);
}

part_info idm_info()
{
  part_info info{
      "inter-processor device: doorbells, mailboxes, locks, boot blocks",
      {{"participants", "2", "1 to 32"},
       {"fifo_depth", "64", "words in a mailbox FIFO"},
       {"locks", "32", "hardware locks"},
       {"masters", "1", "bit p: participant p boots others"},
       {"memory_size", "0", "of the shared memory in which booted slaves have their windows"},
       {"latency", "0", "of a register access"}},
      {{"port", TANDEM_IDM_PORT_SIZE}},
      {},
      {"irq"}};
  info.for_each = true;
  info.place = guest_place::idm;
  return info;
}

std::unique_ptr<sc_core::sc_module> make_cache(const char *name, const parameters &p)
{
  cache_config config;
  config.line = static_cast<unsigned>(p.size("line", 0, UINT32_MAX));
  config.size = p.size("size");
  config.ways = static_cast<unsigned>(p.number("ways", 0, UINT32_MAX));
  config.replacement = p.text("replacement");
  for (const auto &[address, size] : p.ranges("ranges"))
    config.ranges.push_back({address, size});
  return std::make_unique<cache>(name, config);
}

part_info cache_info()
{
  part_info info{"write-back cache of transactions",
                 {{"line", "64", "bytes, a power of two from 8 to 4096"},
                  {"size", "32k", "bytes"},
                  {"ways", "4", "of a set"},
                  {"replacement", "lru", "lru or fifo"},
                  {"ranges", "", "ADDRESS+SIZE,... that is cached; the rest passes"}},
                 {{"in", 0}},
                 {"out"},
                 {}};
  info.passes_on = true;
  return info;
}

std::unique_ptr<sc_core::sc_module> make_traffic(const char *name, const parameters &p)
{
  traffic_config config;
  config.initiator = static_cast<unsigned>(p.number("index", 0, UINT32_MAX));
  for (const auto &[address, size] : p.ranges("ranges"))
    config.map.push_back({"range" + std::to_string(config.map.size()), address, size, "", 0, {}});
  for (const parameter_info &declared : traffic_generator::describe())
    config.parameters[declared.name] = p.text(declared.name);
  return std::make_unique<traffic_generator>(name, config);
}

part_info traffic_info()
{
  part_info info{"generator of requests, an initiator without software", {}, {}, {"socket"}, {}};
  info.parameters = traffic_generator::describe();
  info.parameters.push_back({"index", "0", "chooses the random numbers, and its neighbour"});
  info.parameters.push_back({"ranges", "", "ADDRESS+SIZE,... that it accesses"});
  info.replayable = true; // whatever it reads
  return info;
}

std::unique_ptr<sc_core::sc_module> make_dram(const char *name, const parameters &p)
{
  parameter_values values;
  for (const parameter_info &declared : dram::describe())
    values[declared.name] = p.text(declared.name);
  return std::make_unique<dram>(name, values);
}

part_info dram_info()
{
  part_info info{
      "timing of a DRAM, in front of a memory", dram::describe(), {{"socket", 0}}, {"memory"}, {}};
  info.passes_on = true;
  return info;
}

std::unique_ptr<sc_core::sc_module> make_checker(const char *name, const parameters &)
{
  return std::make_unique<protocol_checker>(name);
}

part_info checker_info()
{
  part_info info{
      "checker of the TLM-2.0 base protocol, between two sockets", {}, {{"in", 0}}, {"out"}, {}};
  info.passes_on = true;
  return info;
}

[[maybe_unused]] const bool entered[] = {
    register_part("memory", make_memory, memory_info()),
    register_part("idm", make_idm, idm_info()),
    register_part("dram", make_dram, dram_info()),
    register_part("cache", make_cache, cache_info()),
    register_part("checker", make_checker, checker_info()),
    register_part("traffic", make_traffic, traffic_info()),
};

} // namespace
} // namespace tandem
