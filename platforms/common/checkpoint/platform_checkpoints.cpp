// SPDX-License-Identifier: Apache-2.0
#include "platform_checkpoints.h"

#include "common_properties.h"
#include "fingerprint.h"
#include "memory_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <sys/stat.h>

namespace tandem
{
namespace
{

/// Arguments by which a QEMU has what is in no checkpoint: disks, host directories, networks.
constexpr const char *outside_arguments[] = {
    "-drive", "-blockdev", "-hd",     "-sd",  "-mtdblock", "-pflash",  "-cdrom",    "-fd",
    "-fsdev", "-virtfs",   "-netdev", "-nic", "-net",      "-chardev", "-usbdevice"};

constexpr const char *rpmsg_file = "rpmsg";

/// Of a chain, every so many checkpoints one has all pages: who restores one opens the files of all
/// that it is based on.
constexpr unsigned most_changes = 100;

std::string memory_path(const std::string &directory, const shared_memory &memory)
{
  return directory + "/memory-" + memory.name();
}

std::string timing_of(system_description system)
{
  static const char *const matters[] = {"quantum", "mode",         "lookahead", "observe",
                                        "cache",   "observe-from", "warm"};
  std::string texts;
  for (const auto &s : system.run)
    if (std::find(std::begin(matters), std::end(matters), s.name) != std::end(matters))
      texts += s.name + "=" + s.value + "\n";
  system.run.clear();
  return text_fingerprint(texts + system_text(system));
}

/// Which file a descriptor is of.
std::pair<dev_t, ino_t> identity(int fd)
{
  struct stat about = {};
  fstat(fd, &about);
  return {about.st_dev, about.st_ino};
}

/// The same files, named so that they are found from any directory.
system_description with_whole_paths(system_description system)
{
  const auto complete = [](std::string &value) {
    std::error_code error;
    if (!value.empty() && std::filesystem::exists(value, error))
      value = std::filesystem::absolute(value, error).lexically_normal().string();
  };
  for (described_instance &one : system.instances)
    for (const char *const key : instance_files)
      if (const auto found = one.values.find(key); found != one.values.end())
        complete(found->second);
  for (system_description::setting &setting : system.run)
    if (setting.name == "load" || setting.name == "input")
      complete(setting.value);
  return system;
}

} // namespace

platform_checkpoints::platform_checkpoints(class platform &platform, const system_plan &plan,
                                           const platform_options &options,
                                           const system_description &system)
    : platform_(platform), plan_(plan), options_(options), timing_(timing_of(system))
{
  if (options.checkpoint_path.empty() && options.restore_path.empty())
    return;
  common_ = common_properties(plan, options);
  if (!options.restore_path.empty())
    prepare_restore();
  if (!options.checkpoint_path.empty()) {
    system_text_ = system_text(with_whole_paths(system));
    prepare_save();
  }
}

platform_checkpoints::~platform_checkpoints() = default;

std::vector<shared_memory *> platform_checkpoints::memories() const
{
  std::vector<shared_memory *> all;
  for (const auto &[name, part] : platform_.parts())
    if (auto *memory = dynamic_cast<shared_memory *>(part.get()))
      all.push_back(memory);
  return all;
}

// ---- save ----

void platform_checkpoints::prepare_save()
{
  if (options_.checkpoint_chain)
    chain_ = std::make_unique<checkpoint_chain>(options_.checkpoint_path, options_.restore_path);
  else
    new_checkpoint::check_place(options_.checkpoint_path);
  for (const described_part &part : plan_.parts)
    if (const part_info &info = part_description(part.kind); !info.is_replayable())
      refuse_checkpoint(options_.checkpoint_path,
                        part.name + " is a " + part.kind +
                            (info.replayable ? ", which says that it cannot be restored"
                                             : ", which has initiators and does not say that what "
                                               "it reads by them does not matter (replayable)"));
  for (const planned_instance &one : plan_.instances)
    for (const std::string &argument : one.config.extra)
      for (const char *const outside : outside_arguments)
        if (argument.rfind(outside, 0) == 0)
          refuse_checkpoint(options_.checkpoint_path, one.name + ".qemu-args has '" + argument +
                                                          "', and what is behind it is outside");
  if (platform_.rpmsg_memory())
    platform_.rpmsg_memory()->record();
  save_at(options_.checkpoint_chain ? next_time(restored_at_) : first_time());
  platform_.on_mark([this](const guest_mark &mark) {
    if (is_awaited(mark))
      platform_.domain().save_soon();
  });
}

void platform_checkpoints::save_at(const sc_core::sc_time &time)
{
  platform_.domain().save_at(time, [this](qemu_instance &by) { save(by); });
}

/// Of a run that makes one checkpoint.
sc_core::sc_time platform_checkpoints::first_time() const
{
  return options_.checkpoint_at.empty() ? sc_core::sc_max_time() : options_.checkpoint_at.front();
}

/// When the next checkpoint of a chain is due, after that time. Never: when somebody asks for it.
sc_core::sc_time platform_checkpoints::next_time(const sc_core::sc_time &after) const
{
  const auto &times = options_.checkpoint_at;
  if (!saved_ && !chain_->size() && !times.empty())
    return times.front();
  const auto listed = std::upper_bound(times.begin(), times.end(), after);
  if (listed != times.end())
    return *listed;
  const bool begun = chain_->size() || !options_.checkpoint_mark;
  if (options_.checkpoint_every == sc_core::SC_ZERO_TIME || !begun)
    return sc_core::sc_max_time();
  const std::uint64_t every = options_.checkpoint_every.value();
  return sc_core::sc_time::from_value((after.value() / every + 1) * every);
}

/// A guest may ask for it at any time.
bool platform_checkpoints::is_awaited(const guest_mark &mark) const
{
  const bool mark_alone = mark.what == guest_mark::kind::mark;
  if (mark_alone && mark.number == TANDEM_IDM_MARK_CHECKPOINT)
    return true;
  const std::optional<moment> &awaited = options_.checkpoint_mark;
  return awaited && mark.number == awaited->number &&
         mark.what == (awaited->what == moment::kind::mark ? guest_mark::kind::mark
                                                           : guest_mark::kind::begin);
}

/// What would make a restored run another one.
void platform_checkpoints::check_repeatable() const
{
  std::set<std::pair<dev_t, ino_t>> saved;
  for (const shared_memory *memory : memories())
    saved.insert(identity(memory->fd()));
  for (const auto &instance : platform_.instances()) {
    const std::string name = instance->basename(), why = instance->unrepeatable();
    if (!why.empty())
      refuse_checkpoint(options_.checkpoint_path,
                        "the run of " + name + " cannot be repeated: " + why);
    for (const int fd : instance->direct_files())
      if (!saved.count(identity(fd)))
        refuse_checkpoint(options_.checkpoint_path,
                          name + " has direct access to a memory that is no shared_memory");
  }
}

void platform_checkpoints::save(qemu_instance &by)
{
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  check_repeatable();
  if (!chain_)
    return save_to(options_.checkpoint_path, by);
  save_to(chain_->next(to_ns(now)), by);
  chain_->add();
  made_ = std::to_string(chain_->size()) + " in " + options_.checkpoint_path + ", the last at " +
          now.to_string();
  const sc_core::sc_time next = next_time(now);
  complete_ = next == sc_core::sc_max_time() || options_.checkpoint_every != sc_core::SC_ZERO_TIME;
  if (complete_ && options_.checkpoint_exit)
    platform_.domain().stop("the checkpoints are made");
  else
    save_at(next);
}

void platform_checkpoints::save_to(const std::string &place, qemu_instance &by)
{
  new_checkpoint to(place);
  to.write("system.toml", system_text_);
  for (const shared_memory *memory : memories())
    if (!save_memory(*memory, memory_path(to.path(), *memory)))
      refuse_checkpoint(options_.checkpoint_path,
                        "it cannot be written: " + std::string(std::strerror(errno)));
  if (debug_tape *const read = platform_.rpmsg_memory())
    to.write(rpmsg_file, read->take());
  save_instances(to);
  checkpoint_manifest manifest;
  manifest.time_ns = to_ns(sc_core::sc_time_stamp());
  manifest.by = by.basename();
  manifest.reached_ns = manifest.time_ns;
  for (const auto &instance : platform_.instances())
    manifest.reached_ns = std::max(manifest.reached_ns, instance->reached_ns());
  if (chain_ && chain_->size() % most_changes != 0) {
    manifest.base = chain_->last_name();
    manifest.base_fingerprint = saved_checkpoint(chain_->last()).fingerprint();
  }
  manifest.common = common_;
  manifest.timing = timing_;
  manifest.settings = options_.settings;
  to.finish(manifest);
  if (chain_)
    return;
  complete_ = true;
  made_ = options_.checkpoint_path + ", at " + sc_core::sc_time_stamp().to_string();
  if (options_.checkpoint_exit)
    platform_.domain().stop("the checkpoint is made");
}

void platform_checkpoints::save_instances(new_checkpoint &to)
{
  const auto &instances = platform_.instances();
  std::vector<int> directories;
  for (const auto &instance : instances)
    directories.push_back(to.subdirectory(instance->basename()));
  for (std::size_t i = 0; i < instances.size(); ++i)
    instances[i]->begin_save(directories[i]);
  for (std::size_t i = 0; i < instances.size(); ++i)
    instances[i]->end_save(directories[i]);
  for (std::size_t i = 0; i < instances.size(); ++i)
    instances[i]->begin_replace(directories[i]);
  const auto has_ram = [](const planned_instance &one) {
    return one.config.ram && one.config.cpus > 1;
  };
  if (std::any_of(plan_.instances.begin(), plan_.instances.end(), has_ram))
    fill_memories(to.path());
  for (const auto &instance : instances)
    instance->end_replace();
}

void platform_checkpoints::check_made() const
{
  const bool asked = options_.checkpoint_mark || !options_.checkpoint_at.empty() ||
                     options_.checkpoint_every != sc_core::SC_ZERO_TIME;
  if (options_.checkpoint_path.empty() || complete_ || !asked)
    return;
  const std::string made = chain_ && chain_->size() ? "only " + made_ : "none was made";
  refuse_checkpoint(options_.checkpoint_path,
                    made + ": until the run ended there was no end of a window, at or after the "
                           "time asked for, at which no guest was in the middle of an access");
}

// ---- restore ----

void platform_checkpoints::prepare_restore()
{
  saved_ = std::make_unique<saved_checkpoint>(options_.restore_path);
  const checkpoint_manifest &manifest = saved_->manifest();
  restored_at_ = from_ns(manifest.time_ns);
  const std::string difference = first_difference(manifest.common, common_);
  if (!difference.empty())
    refuse_checkpoint(options_.restore_path, "it is of another system: " + difference);
  if (options_.time_limit != sc_core::SC_ZERO_TIME &&
      to_ns(options_.time_limit) <= manifest.time_ns)
    refuse_checkpoint(options_.restore_path,
                      "it was made at " + from_ns(manifest.time_ns).to_string() +
                          ", and the time limit is " + options_.time_limit.to_string());
  if (options_.stop_at != sc_core::SC_ZERO_TIME && to_ns(options_.stop_at) <= manifest.reached_ns)
    refuse_checkpoint(options_.restore_path,
                      "its guests are at " + from_ns(manifest.reached_ns).to_string() +
                          ", and --stop-at is " + options_.stop_at.to_string());
  saved_->check_files();
  qemu_instance *by = nullptr;
  for (const auto &instance : platform_.instances()) {
    if (manifest.by == instance->basename())
      by = instance.get();
    instance->restore(saved_->subdirectory(instance->basename()));
  }
  if (debug_tape *const read = platform_.rpmsg_memory();
      read && !read->play(saved_->read(rpmsg_file)))
    refuse_checkpoint(options_.restore_path, "it is damaged: '" + std::string(rpmsg_file) +
                                                 "' is not what the monitor of rpmsg has read");
  if (!by)
    refuse_checkpoint(options_.restore_path, "it is damaged: there is no " + manifest.by);
  platform_.domain().resume(*by, manifest.timing != timing_, [this] { load(); });
}

void platform_checkpoints::fill_memories(const std::string &directory) const
{
  for (shared_memory *memory : memories())
    if (!load_memory(*memory, memory_path(directory, *memory)))
      refuse_checkpoint(directory,
                        std::string("the content of ") + memory->name() + " cannot be restored");
}

void platform_checkpoints::load()
{
  fill_memories(saved_->path());
  if (platform_.rpmsg_memory())
    platform_.rpmsg_memory()->stop();
}

} // namespace tandem
