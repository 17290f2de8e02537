// SPDX-License-Identifier: Apache-2.0
#include "option_descriptions.h"

#include "tandem/dram.h"
#include "tandem/interconnect_registry.h"
#include "tandem/part.h"

#include <cstring>
#include <sstream>

namespace po = boost::program_options;

namespace tandem
{
namespace
{

po::options_description general_options()
{
  po::options_description d("Run");
  auto add = d.add_options();
  auto text = [] { return po::value<std::string>(); };
  add("help,h", "print this text");
  add("config", text(), "INI file with the same names; the command line goes before it");
  add("dry-run", "print QEMU's command lines and each instance's memory map, start nothing");
  add("dump-dtb", text()->default_value(""),
      "directory to write each instance's device tree to; nothing is started");
  add("interactive", "your terminal is the master's console; ctrl-] leaves");
  add("realtime", text(),
      "simulated time goes at most this many times as fast as real time; 0: as fast as it can "
      "(default: 0, or 1 with --interactive)");
  add("quantum", text()->default_value("100us"), "longest time that instances may be apart");
  add("mode", text()->default_value("parallel"), "parallel, serial or free");
  add("lookahead", text()->default_value("on"), "longer windows while nothing can happen: on, off");
  add("time-limit", text()->default_value("0"), "end at this simulated time; 0: no limit");
  add("seed", text()->default_value("1"), "seed of all that is drawn at random");
  add("on-slave-crash", text(),
      "report: the master sees the state, the run goes on; fail: the run ends; default: report "
      "for slaves that the master boots");
  add("hang-timeout", text()->default_value("60"),
      "seconds without a sign of life after which a QEMU counts as hung; 0: never");
  add("qemu-prefix", text()->default_value(""),
      "directory with another QEMU: DIR/usr/bin/qemu-system-*; default: the installed one");
  return d;
}

using list_of_texts = po::typed_value<std::vector<std::string>>;

list_of_texts *list()
{
  return po::value<std::vector<std::string>>()->composing();
}

/// What makes a master with slaves.
po::options_description master_and_slaves_options()
{
  po::options_description d("System");
  auto add = d.add_options();
  auto text = [] { return po::value<std::string>(); };
  add("interconnect", text()->default_value("router"), "kind of interconnect, see below");
  add("set", list(), "NAME=VALUE: parameter of the interconnect; may be repeated");
  add("default-target", text()->default_value(""),
      "shm or idm_NAME: gets accesses of the interconnect to addresses that nothing has");
  add("slaves", text()->default_value("1"), "number of slaves, 0 to 15");
  add("shared-memory", text()->default_value("64M"), "its size, to 16G");
  add("backing", text()->default_value("memfd"), "memfd, hugetlbfs or file:PATH");
  add("read-latency", text()->default_value("0"), "of the shared memory, each transaction");
  add("write-latency", text()->default_value("0"), "of the shared memory, each transaction");
  add("idm-latency", text()->default_value("0"), "of a register access");
  add("fifo-depth", text()->default_value("64"), "words in a mailbox FIFO");
  add("locks", text()->default_value("32"), "hardware locks");
  add("dram", list(),
      "on, or NAME=VALUE: a DRAM model in front of the shared memory, see below; may be repeated");
  return d;
}

po::options_description described_options()
{
  po::options_description d("System");
  d.add_options()(
      "set", list(),
      "NAME.KEY=VALUE: a key of an instance, a part or an interconnect, in place of what "
      "the file says; may be repeated");
  return d;
}

/// Of any system.
po::options_description system_options()
{
  po::options_description d("Parts and guests");
  auto add = d.add_options();
  auto text = [] { return po::value<std::string>(); };
  add("load", list(), "shared object with more interconnects and parts; may be repeated");
  add("add", list(),
      "NAME=KIND[@ADDRESS][,on=INTERCONNECT][,irq=N][,trigger=edge|level][,for=INSTANCE+...]"
      "[,guest=ADDRESS][,PARAMETER=VALUE...]: a part at this address of the interconnect, see "
      "below; "
      "may be repeated");
  add("observe", list(),
      "[OFFSET+SIZE=]direct|every|cached|every-cached: accesses to this part of the shared memory, "
      "or to all of it, are not seen, are transactions, go through a cache model in QEMU whose "
      "misses are, or are transactions to such a cache in SystemC; may be repeated");
  add("cache", list(),
      "NAME=VALUE of the cache model: line, replacement (lru, fifo, random), fetches (on, "
      "off), batch, l1.size, l1.ways, l2.size, l2.ways; may be repeated");
  add("route", list(),
      "SOURCE>INSTANCE[:edge|:level][:invert]: one more interrupt route; sources are idm_INSTANCE");
  add("input", text()->default_value(""), "file whose bytes are put into the shared memory");
  add("param", list(), "NAME=VALUE or I.NAME=VALUE (participant I) for the guest programs");
  return d;
}

po::options_description output_options()
{
  po::options_description d("Output");
  auto add = d.add_options();
  auto text = [] { return po::value<std::string>(); };
  add("out", text()->default_value(""),
      "directory for trace.vcd, stats.json and INSTANCE.log; default: none is written");
  add("vcd", text()->default_value(""), "VCD file, or off");
  add("stats", text()->default_value(""), "statistics file, or off");
  add("log", text()->default_value(""),
      "SQLite file for every transaction on the interconnect; --out does not imply it");
  add("progress", text()->default_value("on"), "progress line on standard error: on, off");
  add("consoles", text()->default_value("on"), "consoles on standard output, prefixed: on, off");
  add("check", text()->default_value("off"),
      "TLM protocol checkers on the interconnect's sockets: on, off");
  add("measure", text()->default_value("off"),
      "host time between reads, as percentiles in the statistics: on, off");
  add("verbosity", text()->default_value("normal"), "quiet, normal, verbose");
  return d;
}

struct instance_option {
  const char *name, *help;
};
const instance_option instance_options[] = {
    {"machine", "kind of machine, see below"},
    {"boot", "self: starts with its image; master: the master's software boots it (slaves)"},
    {"window", "its share of the shared memory, for a slave that the master boots"},
    {"shm", "guest address of the shared memory; default: the machine's, see --dry-run"},
    {"image", "guest program: a file, the name of one that comes with Tandem, or linux"},
    {"memory", "own RAM in MiB"},
    {"cpus", "number of CPUs, 1 to 8"},
    {"cpu", "CPU model of QEMU"},
    {"icount-shift", "instruction rate: an instruction takes 2^N ns; 0 to 10"},
    {"append", "command line of the guest"},
    {"initrd", "initial RAM disk: a file, or linux for that of the guest kit"},
    {"dtb", "device tree"},
    {"gdb", "port on which a debugger may attach"},
    {"qmp", "Unix socket for QEMU's monitor"},
    {"console", "log, pty, socket:PATH, tcp:PORT or none"},
    {"qemu-args", "more arguments for QEMU, split at blanks"},
};

void add_instance_options(po::options_description &d, const std::string &instance)
{
  for (const instance_option &o : instance_options)
    d.add_options()((instance + "." + o.name).c_str(), po::value<std::string>(), o.help);
}

} // namespace

std::string help_text(const platform_defaults &defaults)
{
  std::ostringstream text;
  const bool described = defaults.takes_file;
  text << "Usage: " << defaults.name << (described ? " FILE" : "") << " [OPTION...]\n\n"
       << defaults.help << "\n\n";
  text << general_options() << "\n"
       << (described ? described_options() : master_and_slaves_options()) << "\n"
       << system_options() << "\n"
       << output_options() << "\n";
  text << (described ? "Each instance, by its name in the file:\n"
                     : "Each instance: master.NAME, slave.NAME (all slaves), slave0.NAME, "
                       "slave1.NAME, ...\n");
  for (const instance_option &o : instance_options)
    text << "  --INSTANCE." << o.name << std::string(14 - std::strlen(o.name), ' ') << o.help
         << "\n";
  text << "\nMachines:\n";
  for (const qemu_machine &m : all_machines())
    text << "  " << m.name << std::string(10 - std::strlen(m.name), ' ') << m.help << "\n";
  text << "\nInterconnects, with the parameters that " << (described ? "they take" : "--set takes")
       << ":\n"
       << interconnect_help();
  text << "\nParts, with the parameters that --add takes:\n" << part_help();
  if (!described)
    text << "\nDRAM model, with the parameters that --dram takes:\n"
         << parameter_help(dram::describe());
  return text.str();
}

std::vector<std::string> default_instances()
{
  std::vector<std::string> names = {"master", "slave"};
  for (unsigned i = 0; i < max_slaves; ++i)
    names.push_back("slave" + std::to_string(i));
  return names;
}

po::options_description all_options(bool described, const std::vector<std::string> &instances)
{
  po::options_description all;
  all.add(general_options()).add(output_options()).add(system_options());
  all.add(described ? described_options() : master_and_slaves_options());
  po::options_description of_instances;
  for (const std::string &name : instances)
    add_instance_options(of_instances, name);
  all.add(of_instances);
  return all;
}

} // namespace tandem
