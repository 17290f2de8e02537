// SPDX-License-Identifier: Apache-2.0
#include "option_descriptions.h"

#include "tandem/interconnect_registry.h"
#include "tandem/part.h"

#include <algorithm>
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
  add("dump-system", text()->default_value(""),
      "file to write the whole description to, as this command line makes it; nothing is started");
  add("dump-common", text()->default_value(""),
      "file to write to, as JSON, what a run must have in common with this one to begin with a "
      "checkpoint of it; nothing is started");
  add("interactive", "your terminal is the console of the first instance; ctrl-] leaves");
  add("realtime", text(),
      "simulated time goes at most this many times as fast as real time; 0: as fast as it can "
      "(default: 0, or 1 with --interactive)");
  add("quantum", text()->default_value("100us"), "longest time that instances may be apart");
  add("mode", text()->default_value("parallel"), "parallel, serial or free");
  add("lookahead", text()->default_value("on"), "longer windows while nothing can happen: on, off");
  add("time-limit", text()->default_value("0"), "end at this simulated time; 0: no limit");
  add("checkpoint-at", text(),
      "save the run at the first end of a window at or after this simulated time at which no guest "
      "is in the middle of an access; mark:NUMBER, region:NUMBER: after a guest has made this mark "
      "or has begun this region; TIME,TIME,...: several, see checkpoint-every");
  add("checkpoint-every", text(),
      "save the run again and again, at the multiples of this simulated time (after checkpoint-at, "
      "if that is given): the directory has the checkpoints as NUMBER-TIMEns, each with what has "
      "changed since the one before");
  add("checkpoint", text(),
      "directory for that, which replaces a checkpoint that is there; without --checkpoint-at the "
      "run is saved when a guest (idmctl checkpoint) or signal USR1 asks for it");
  add("checkpoint-exit", "end the run then");
  add("restore", text(),
      "begin with the checkpoint in this directory; options of the run that was saved hold, where "
      "this command line says nothing else");
  add("stop-at", text(),
      "have all guests stand still at exactly this simulated time, for debuggers (--INSTANCE.gdb); "
      "the run goes on when one that was attached lets its guest go on");
  add("stop-exit", "end the run then");
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

/// What a key is before anybody sets it, for the help.
std::string value_of(const system_description &system, const std::string &name_and_key)
{
  const std::size_t dot = name_and_key.find('.');
  const std::string name = name_and_key.substr(0, dot), key = name_and_key.substr(dot + 1);
  const auto given = [&key](const described_thing &thing) {
    const auto found = thing.values.find(key);
    return found == thing.values.end() ? "" : found->second;
  };
  for (const described_instance &i : system.instances)
    if (i.name == name)
      return key == "count" ? std::to_string(i.count.value_or(1)) : given(i);
  for (const described_interconnect &n : system.interconnects)
    if (n.name == name)
      return key == "kind" ? n.kind : key == "default" ? n.default_target : given(n);
  for (const described_part &p : system.parts) {
    if (p.name != name || key == "kind" || !given(p).empty() || !is_part(p.kind))
      continue;
    for (const parameter_info &info : part_description(p.kind).parameters)
      if (info.name == key)
        return info.default_value;
  }
  for (const described_part &p : system.parts)
    if (p.name == name)
      return key == "kind" ? p.kind : given(p);
  return "";
}

po::options_description own_options(const system_description &system)
{
  po::options_description d("System");
  for (const described_option &o : system.options)
    d.add_options()(o.name.c_str(),
                    is_list(o) ? static_cast<po::value_semantic *>(list())
                               : po::value<std::string>()->default_value(value_of(system, o.sets)),
                    o.help.c_str());
  d.add_options()(
      "set", list(),
      "NAME.KEY=VALUE: a key of an instance, a part or an interconnect, or run.KEY; KEY=VALUE: a "
      "parameter of the only interconnect; may be repeated");
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
      "[MEMORY=|[MEMORY:]OFFSET+SIZE=]direct|every|cached|every-cached: accesses to this part of a "
      "memory (shm, or INSTANCE.memory on the platform; without a name, of shm), or to all of all, "
      "are not seen, are transactions, go through a cache model in QEMU whose misses are, or are "
      "transactions to such a cache in SystemC; may be repeated");
  add("observe-from", list(),
      "WHEN=WHAT: from then on, WHAT as for --observe, but for every-cached; WHEN is a simulated "
      "time, or mark:NUMBER, region:NUMBER, region-end:NUMBER: whenever a guest makes this mark, "
      "this region begins or ends; may be repeated");
  add("warm", text()->default_value("0"),
      "instructions of each instance that only fill the cache model, in no time and uncounted, "
      "when "
      "--observe-from begins cached");
  add("cache", list(),
      "NAME=VALUE of the cache model: line, replacement (lru, fifo, random), fetches (on, "
      "off), batch, l1.size, l1.ways, l2.size, l2.ways; may be repeated");
  add("route", list(),
      "SOURCE>INSTANCE[:edge|:level][:invert]: one more interrupt route; sources are idm_INSTANCE");
  add("input", text()->default_value(""), "file whose bytes are put into the shared memory");
  add("param", list(),
      "NAME=VALUE or I.NAME=VALUE (participant I) for the guest programs, who take the first of a "
      "name");
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
  add("region", list(),
      "NUMBER=NAME: what the statistics call the region of interest that guests have given this "
      "number, else region NUMBER; may be repeated");
  add("progress", text()->default_value("on"), "progress line on standard error: on, off");
  add("consoles", text()->default_value("on"), "consoles on standard output, prefixed: on, off");
  add("check", text()->default_value("off"),
      "TLM protocol checkers on the interconnect's sockets: on, off");
  add("measure", text()->default_value("off"),
      "host time between reads, as percentiles in the statistics: on, off");
  add("verbosity", text()->default_value("normal"), "quiet, normal, verbose");
  return d;
}

/// The instances that options may be of: those of the system, and each of those that stand for
/// several.
std::vector<std::string> instance_names(const system_description &system)
{
  std::vector<std::string> names;
  const auto add = [&names](const std::string &name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  for (const described_instance &one : system.instances) {
    add(one.name);
    for (unsigned i = 0; one.count && i < most_of_a_kind; ++i)
      add(one.name + std::to_string(i));
  }
  return names;
}

std::string instances_help(const system_description &system)
{
  std::string text;
  for (const described_instance &one : system.instances) {
    text += (text.empty() ? "" : ", ") + one.name + ".NAME";
    if (one.count)
      text += " (all), " + one.name + "0.NAME, " + one.name + "1.NAME, ...";
  }
  return text;
}

} // namespace

bool is_list(const described_option &option)
{
  return option.sets.size() > 2 && option.sets.substr(option.sets.size() - 2) == ".*";
}

std::string help_text(const std::string &name, bool takes_source, const system_description &system)
{
  std::ostringstream text;
  text << "Usage: " << name << (takes_source ? " SYSTEM" : "") << " [OPTION...]\n\n"
       << system.help << "\n\n"
       << general_options() << "\n"
       << own_options(system) << "\n"
       << system_options() << "\n"
       << output_options() << "\n"
       << "Each instance: " << (system.instances.empty() ? "INSTANCE.NAME" : instances_help(system))
       << "\n";
  for (const instance_key &key : instance_keys())
    text << "  --INSTANCE." << key.name << std::string(14 - std::strlen(key.name), ' ') << key.help
         << "\n";
  text << "\nMachines:\n";
  for (const qemu_machine &m : all_machines())
    text << "  " << m.name << std::string(10 - std::strlen(m.name), ' ') << m.help << "\n";
  text << "\nInterconnects, with the parameters that --set takes:\n"
       << interconnect_help() << "\nParts, with the parameters that --add and --set take:\n"
       << part_help();
  return text.str();
}

po::options_description all_options(const system_description &system)
{
  po::options_description all;
  all.add(general_options()).add(output_options()).add(system_options()).add(own_options(system));
  po::options_description of_instances;
  for (const std::string &name : instance_names(system))
    for (const instance_key &key : instance_keys())
      of_instances.add_options()((name + "." + key.name).c_str(), po::value<std::string>(),
                                 key.help);
  all.add(of_instances);
  return all;
}

} // namespace tandem
