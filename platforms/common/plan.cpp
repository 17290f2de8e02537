// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include "planning.h"

#include <algorithm>
#include <cstdio>

namespace tandem
{
namespace
{

std::vector<std::vector<system_view>> all_views(const system_description &system,
                                                const topology &ends)
{
  std::vector<std::vector<system_view>> views;
  for (const described_instance &instance : system.instances)
    views.push_back(ends.views(instance));
  return views;
}

/// The first memory that guests can share.
shared_range find_shared_memory(const std::vector<std::vector<system_view>> &views,
                                const std::vector<std::optional<ram_place>> &rams)
{
  for (std::size_t i = 0; i < views.size(); ++i)
    for (const system_view &v : views[i])
      if (v.target.info->place == guest_place::shared_memory && !is_ram(rams, v))
        return {v.address, v.size, v.range->to.size() == 1 ? v.target.part->name : "",
                v.target_address, i};
  return {};
}

/// Parameters that follow from the rest of the system.
std::vector<described_part> complete_parts(const planning &from, const shared_range &shared)
{
  std::vector<described_part> parts = from.system.parts;
  for (described_part &part : parts) {
    const part_info &info = part_description(part.kind);
    if (info.for_each)
      part.values["participants"] = std::to_string(from.ports.participants(part.name).size());
    if (info.place != guest_place::idm)
      continue;
    std::string &size = part.values["memory_size"];
    if (size.empty() || size == "0")
      size = std::to_string(shared.size);
  }
  return parts;
}

} // namespace

std::string hex(std::uint64_t value)
{
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

instance_ports::instance_ports(const system_description &system,
                               const std::vector<std::vector<system_view>> &views)
{
  for (std::size_t i = 0; i < views.size(); ++i)
    for (const system_view &v : views[i])
      if (v.target.info->for_each) {
        auto &who = participants_[v.target.part->name];
        if (std::find(who.begin(), who.end(), i) == who.end())
          who.push_back(i);
        // One that comes through a cache has the cache's name there.
        if (!v.direct || v.initiator != system.instances[i].name)
          spread_.insert(v.target.part->name);
      }
}

const std::vector<std::size_t> &instance_ports::participants(const std::string &part) const
{
  static const std::vector<std::size_t> nobody;
  const auto found = participants_.find(part);
  return found == participants_.end() ? nobody : found->second;
}

std::size_t instance_ports::participant(const std::string &part, std::size_t instance) const
{
  const auto &who = participants(part);
  return static_cast<std::size_t>(std::find(who.begin(), who.end(), instance) - who.begin());
}

std::uint64_t instance_ports::address(const system_end &target, std::uint64_t address,
                                      std::size_t instance) const
{
  return is_spread(target.part->name)
             ? address + participant(target.part->name, instance) * size(target)
             : address;
}

std::uint64_t instance_ports::size(const system_end &target)
{
  return target.info->targets.front().size;
}

planned_device &device_of(planned_instance &one, const system_end &part)
{
  for (planned_device &device : one.devices)
    if (device.name == part.part->name)
      return device;
  one.devices.push_back({part.part->name, part.info->device_tree, part.info->acpi, {}, {}});
  return one.devices.back();
}

planning::planning(const system_description &described, const platform_options &with)
    : system(described), options(with), ends(system), views(all_views(system, ends)),
      rams(place_ram(system.instances, views)), ports(system, views)
{
}

std::string planning::port_name(const std::string &part, std::size_t instance) const
{
  return part + "_" + system.instances[instance].name;
}

namespace
{

/// Whoever talks by an IDM needs a memory to share.
bool has_idm(const system_description &system)
{
  return std::any_of(system.parts.begin(), system.parts.end(), [](const described_part &part) {
    return part_description(part.kind).place == guest_place::idm;
  });
}

/// Finds the shared memory, and has it and RAM on the platform observed.
shared_range prepare_memories(system_description &system, const platform_options &options)
{
  const topology ends(system);
  const auto views = all_views(system, ends);
  const auto rams = place_ram(system.instances, views);
  const shared_range shared = find_shared_memory(views, rams);
  if (shared.size == 0 && has_idm(system) && find_shared_memory(views, {}).size)
    refuse_system("", "the shared memory is no place for RAM; add a memory for it");
  check_observed_names(all_observations(options.observations, options.observation_changes),
                       system.instances, shared.size != 0);
  std::vector<std::vector<qemu_range>> cached(rams.size());
  for (std::size_t i = 0; i < rams.size(); ++i)
    if (rams[i])
      cached[i] =
          observed_ram(options.observations, system.instances[i], rams[i]->address, "every-cached");
  observe(system, shared, cached, options.observations, options.cache, options.mode,
          !options.observation_changes.empty());
  return shared;
}

} // namespace

system_plan resolve(const system_description &expanded, const platform_options &options)
{
  system_description system = expanded;
  add_ram_memories(system);
  system_plan plan;
  plan.shared = prepare_memories(system, options);
  const planning from(system, options);
  plan.parts = complete_parts(from, plan.shared);
  plan_networks(from, plan);
  plan_instances(from, plan);
  plan_interrupts(from, plan);
  return plan;
}

void print_plan(const system_plan &plan, bool free_mode)
{
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  for (const planned_instance &one : plan.instances) {
    const qemu_config &config = one.config;
    std::printf("%s: %s\n", one.name.c_str(),
                shell_line(qemu_arguments(config, free_mode)).c_str());
    for (const qemu_window &w : config.windows)
      std::printf("  0x%010llx to 0x%010llx  %s (platform 0x%010llx)\n", number(w.guest_address),
                  number(w.guest_address + w.size - 1), w.name.c_str(), number(w.platform_address));
    for (const qemu_window &w : ram_windows(config))
      std::printf("  0x%010llx to 0x%010llx  own RAM, in %s (platform 0x%010llx)\n",
                  number(w.guest_address), number(w.guest_address + w.size - 1),
                  one.ram_memory.c_str(), number(w.platform_address));
    if (config.held)
      std::printf("  0x%010llx to 0x%010llx  memory, given by the master (its share: platform "
                  "0x%010llx)\n",
                  number(config.boot_memory.guest_address),
                  number(config.boot_memory.guest_address + one.share.size - 1),
                  number(plan.shared.address + one.share.offset));
    for (std::size_t i = 0; i < config.interrupt_pins.size(); ++i) {
      const std::string to = one.name + ".irq_" + std::to_string(i);
      for (const auto &[from, input] : plan.wires)
        if (input == to)
          for (const interrupt_route &route : plan.fabric.routes)
            if ("fabric.out_" + route.destination == from)
              std::printf("  interrupt input %u of %s  %s%s\n", config.interrupt_pins[i],
                          find_machine(config.machine).interrupt_device, route.source.c_str(),
                          route.mode == interrupt_mode::edge ? " (edge)" : "");
    }
  }
}

} // namespace tandem
