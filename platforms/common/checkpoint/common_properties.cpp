// SPDX-License-Identifier: Apache-2.0
#include "common_properties.h"

#include "fingerprint.h"

#include <sstream>

namespace tandem
{
namespace
{

/// What is in a file, not where it lies.
std::string content(const std::string &path)
{
  std::string fingerprint;
  std::uint64_t size = 0;
  if (path.empty())
    return "none";
  return file_fingerprint(path, fingerprint, size) ? fingerprint : "unreadable";
}

std::string windows_text(const std::vector<qemu_window> &windows)
{
  std::ostringstream text;
  for (const qemu_window &w : windows)
    text << (text.tellp() > 0 ? " " : "") << w.name << "@0x" << std::hex << w.guest_address << "+0x"
         << w.size << "=0x" << w.platform_address;
  return text.str();
}

std::string numbers_text(const std::vector<unsigned> &numbers)
{
  std::string text;
  for (const unsigned number : numbers)
    text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

void add_instance(const planned_instance &one, std::map<std::string, std::string> &all)
{
  const qemu_config &q = one.config;
  const auto add = [&all, &one](const std::string &key, const std::string &value) {
    all[one.name + "." + key] = value;
  };
  add("machine", q.machine);
  add("cpu", q.cpu);
  add("cpus", std::to_string(q.cpus));
  add("memory", std::to_string(q.memory_mib));
  if (q.ram)
    add("memory on the platform", std::to_string(*q.ram));
  add("image", content(q.kernel));
  add("firmware", content(q.firmware));
  add("initrd", content(q.initrd));
  add("dtb", content(q.dtb));
  add("append", q.append);
  add("icount-shift", std::to_string(q.icount_shift));
  add("boot", q.held ? "master" : "self");
  add("window", std::to_string(one.share.offset) + "+" + std::to_string(one.share.size));
  add("windows", windows_text(q.windows));
  add("interrupt inputs", numbers_text(q.interrupt_pins));
  add("qemu-args", shell_line(q.extra));
}

} // namespace

std::map<std::string, std::string> common_properties(const system_plan &plan,
                                                     const platform_options &options)
{
  std::map<std::string, std::string> all;
  std::string names;
  for (const planned_instance &one : plan.instances) {
    names += (names.empty() ? "" : " ") + one.name;
    add_instance(one, all);
  }
  all["instances"] = names;
  for (const described_part &part : plan.parts) {
    const part_info &info = part_description(part.kind);
    if (info.targets.empty() || info.passes_on)
      continue;
    all[part.name + ".kind"] = part.kind;
    if (!info.library.empty())
      all[part.name + ".library"] = content(info.library);
    for (const part_target &target : info.targets)
      all[part.name + "." + target.name + " bytes"] =
          std::to_string(target_size(part.name, info, target, part.values));
  }
  all["seed"] = std::to_string(options.seed);
  all["param"] = options.parameters;
  all["input"] = content(options.input);
  return all;
}

std::string first_difference(const std::map<std::string, std::string> &saved,
                             const std::map<std::string, std::string> &now)
{
  const auto value = [](const std::map<std::string, std::string> &all, const std::string &key) {
    const auto found = all.find(key);
    return found == all.end() ? "not there" : "'" + found->second + "'";
  };
  std::map<std::string, std::string> keys = saved;
  keys.insert(now.begin(), now.end());
  for (const auto &[key, unused] : keys)
    if (value(saved, key) != value(now, key))
      return key + " was " + value(saved, key) + " and is " + value(now, key);
  return "";
}

} // namespace tandem
