// SPDX-License-Identifier: Apache-2.0
#include "ram.h"

#include "tandem/shared_memory.h"

#include <algorithm>

namespace tandem
{
namespace
{

/// Where the memories that are made for RAM lie on the interconnect, in the order of the instances.
constexpr std::uint64_t first_address = 0x2000000000, room = shared_memory_config::max_size;
constexpr unsigned most_mib = 1 << 20;
constexpr const char *on_platform = "platform";

/// "SIZE", or "platform[:SIZE][@PLACE]", or nonsense with some of it.
struct memory_words {
  bool on_platform = false, has_colon = false, has_place = false;
  std::string size, place;
};

memory_words split_memory(const std::string &text)
{
  memory_words words;
  const std::size_t at = text.find('@');
  const std::string head = text.substr(0, at);
  const std::size_t colon = head.find(':');
  words.on_platform = head.substr(0, colon) == on_platform;
  words.has_colon = colon != std::string::npos;
  words.has_place = at != std::string::npos;
  words.size = words.has_colon ? head.substr(colon + 1) : words.on_platform ? "" : head;
  words.place = words.has_place ? text.substr(at + 1) : "";
  return words;
}

std::string memory_name(const described_instance &instance)
{
  return instance.name + "_memory";
}

std::string key(const described_instance &instance, const std::string &name)
{
  const auto found = instance.values.find(name);
  return found == instance.values.end() ? "" : found->second;
}

bool is_booted_by_master(const described_instance &instance)
{
  return key(instance, "boot") == "master";
}

/// Bytes.
std::uint64_t size_of_ram(const described_instance &instance)
{
  qemu_config config;
  config.machine = key(instance, "machine");
  config.memory_mib = read_ram(instance).mib;
  try {
    return ram_size(config);
  } catch (const sc_core::sc_report &report) {
    refuse_system(instance.place("machine"), report.get_msg());
  }
}

/// The interconnect that an instance leads to, through parts with one initiator socket; nullptr:
/// none.
described_interconnect *network_of(system_description &system, std::string end)
{
  const auto is = [&end](const std::string &text) { return text.substr(0, text.find('.')) == end; };
  for (std::size_t step = 0; step <= system.parts.size(); ++step) {
    for (described_interconnect &network : system.interconnects)
      for (const described_initiator &from : network.from)
        if (is(from.end))
          return &network;
    const auto link = std::find_if(system.links.begin(), system.links.end(),
                                   [&is](const described_link &l) { return is(l.from); });
    if (link == system.links.end())
      return nullptr;
    end = link->to.substr(0, link->to.find('.'));
  }
  return nullptr;
}

bool is_known_as(const system_view &view, const std::string &name)
{
  const described_range &range = *view.range;
  return range.name == name || view.target.part->name == name ||
         std::any_of(range.to.begin(), range.to.end(), [&name](const std::string &to) {
           return to == name || to.substr(0, to.find('.')) == name;
         });
}

/// "PART", "PART+OFFSET" or an address, in what the instance sees.
ram_place find_place(const described_instance &instance, const std::vector<system_view> &views)
{
  const std::string given = read_ram(instance).place, place = instance.place("memory");
  const std::string text = given.empty() ? memory_name(instance) : given;
  const std::size_t plus = text.find('+');
  const std::string name = text.substr(0, plus);
  std::uint64_t number = 0;
  const bool is_address = parse_number(text, number);
  if (!is_address && plus != std::string::npos && !parse_size(text.substr(plus + 1), number))
    refuse_system(place, "impossible place '" + text + "' for the RAM of " + instance.name +
                             "; give PART, PART+OFFSET, or an address of the platform");
  const std::uint64_t size = size_of_ram(instance);
  for (const system_view &view : views) {
    if (is_address ? number - view.address >= view.size : !is_known_as(view, name))
      continue;
    const std::uint64_t offset = is_address ? number - view.address : number;
    if (offset > view.size || size > view.size - offset)
      refuse_system(view.range->where, "the RAM of " + instance.name + " of " +
                                           std::to_string(size >> 20) + " MiB does not fit into '" +
                                           text + "'");
    const bool named = !view.range->name.empty();
    return {view.address + offset, view.range, offset,
            named ? view.range->name : view.target.part->name};
  }
  refuse_system(place, instance.name + " sees no '" + text + "' in which its RAM could lie");
}

bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size)
{
  return a < b ? b - a < a_size : a - b < b_size;
}

} // namespace

instance_ram read_ram(const described_instance &instance)
{
  const std::string text = key(instance, "memory"), option = instance.name + ".memory";
  instance_ram ram;
  if (text.empty())
    return ram;
  const memory_words words = split_memory(text);
  const bool has_size = words.has_colon || !words.on_platform;
  if ((has_size && (!parse_number(words.size, ram.mib) || ram.mib > most_mib)) ||
      (!words.on_platform && (words.has_colon || words.has_place)))
    refuse_system(instance.place("memory"),
                  "impossible " + option + " '" + text + "'; give MIB, a whole number from 0 to " +
                      std::to_string(most_mib) + ", or platform[:MIB][@PLACE]");
  if (words.has_place && words.place.empty())
    refuse_system(instance.place("memory"), "the place in " + option + " '" + text + "' is empty");
  ram.on_platform = words.on_platform;
  ram.place = words.place;
  return ram;
}

std::string with_size_of(const std::string &text, const std::string &other)
{
  const memory_words words = split_memory(text), others = split_memory(other);
  if (!words.on_platform || words.has_colon || others.size.empty())
    return text;
  return std::string(on_platform) + ":" + others.size + (words.has_place ? "@" + words.place : "");
}

bool has_ram_on_platform(const described_instance &instance)
{
  return !is_booted_by_master(instance) && read_ram(instance).on_platform;
}

void add_ram_memories(system_description &system)
{
  for (std::size_t i = 0; i < system.instances.size(); ++i) {
    const described_instance &instance = system.instances[i];
    if (!has_ram_on_platform(instance) || !read_ram(instance).place.empty())
      continue;
    described_interconnect *const network = network_of(system, instance.name);
    if (!network)
      refuse_system(instance.place("memory"),
                    instance.name + " leads to no interconnect on which its RAM could lie");
    described_part part;
    part.name = memory_name(instance);
    part.kind = "memory";
    part.values["size"] = std::to_string(size_of_ram(instance));
    part.where = instance.place("memory");
    system.parts.push_back(part);
    described_range range;
    range.address = first_address + i * room;
    range.to = {part.name};
    range.where = part.where;
    network->map.push_back(range);
  }
}

std::vector<std::optional<ram_place>> place_ram(const std::vector<described_instance> &instances,
                                                const std::vector<std::vector<system_view>> &views)
{
  std::vector<std::optional<ram_place>> places(instances.size());
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const described_instance &instance = instances[i];
    const instance_ram ram = read_ram(instance);
    if (!ram.on_platform)
      continue;
    if (!is_booted_by_master(instance))
      places[i] = find_place(instance, views[i]);
    else if (ram.mib || !ram.place.empty())
      refuse_system(instance.place("memory"),
                    "the RAM of " + instance.name +
                        " is what its master gives it of the shared memory; see --" +
                        instance.name + ".window");
  }
  for (std::size_t i = 0; i < places.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (places[i] && places[j] && places[i]->range == places[j]->range &&
          overlap(places[i]->offset, size_of_ram(instances[i]), places[j]->offset,
                  size_of_ram(instances[j])))
        refuse_system(places[i]->range->where, "the RAM of " + instances[j].name + " and that of " +
                                                   instances[i].name + " overlap in '" +
                                                   places[i]->memory + "'");
  return places;
}

bool is_ram(const std::vector<std::optional<ram_place>> &rams, const system_view &view)
{
  return !view.guest && std::any_of(rams.begin(), rams.end(), [&view](const auto &ram) {
    return ram && ram->range == view.range;
  });
}

std::vector<qemu_range> observed_ram(const std::vector<observation> &all,
                                     const described_instance &instance, std::uint64_t address,
                                     const std::string &mode)
{
  std::vector<qemu_range> ranges;
  for (const memory_share &part :
       observed(all, instance.name + ".memory", size_of_ram(instance), mode))
    ranges.push_back({address + part.offset, part.size});
  return ranges;
}

void check_observed_names(const std::vector<observation> &all,
                          const std::vector<described_instance> &instances, bool has_shared)
{
  std::vector<std::string> known;
  if (has_shared)
    known.push_back("shm");
  for (const described_instance &instance : instances)
    if (has_ram_on_platform(instance))
      known.push_back(instance.name + ".memory");
  if (known.empty() && !all.empty())
    refuse_system("",
                  "there is no memory to observe: none is shared, and no RAM is on the platform");
  for (const observation &o : all)
    if (!o.memory.empty() && std::find(known.begin(), known.end(), o.memory) == known.end())
      refuse_system("",
                    "there is no memory '" + o.memory + "' to observe; known are " + join(known));
}

} // namespace tandem
