// SPDX-License-Identifier: Apache-2.0
#include "platform_checkpoints.h"

#include "common_properties.h"
#include "fingerprint.h"
#include "memory_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
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

std::string memory_path(const std::string &directory, const shared_memory &memory)
{
  return directory + "/memory-" + memory.name();
}

std::string timing_of(system_description system)
{
  static const char *const matters[] = {"quantum", "mode", "lookahead", "observe", "cache"};
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

} // namespace

platform_checkpoints::platform_checkpoints(class platform &platform, const system_plan &plan,
                                           const platform_options &options,
                                           const system_description &system)
    : platform_(platform), plan_(plan), options_(options), system_text_(system_text(system)),
      timing_(timing_of(system))
{
  if (options.checkpoint_path.empty() && options.restore_path.empty())
    return;
  common_ = common_properties(plan, options);
  if (!options.restore_path.empty())
    prepare_restore();
  if (!options.checkpoint_path.empty())
    prepare_save();
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
  new_checkpoint::check_place(options_.checkpoint_path);
  for (const described_part &part : plan_.parts)
    if (!part_description(part.kind).replayable)
      refuse_checkpoint(options_.checkpoint_path, part.name + " is a " + part.kind +
                                                      ", which says that it cannot be restored");
  for (const planned_instance &one : plan_.instances)
    for (const std::string &argument : one.config.extra)
      for (const char *const outside : outside_arguments)
        if (argument.rfind(outside, 0) == 0)
          refuse_checkpoint(options_.checkpoint_path, one.name + ".qemu-args has '" + argument +
                                                          "', and what is behind it is outside");
  if (platform_.rpmsg_memory())
    platform_.rpmsg_memory()->record();
  const bool has_time = options_.checkpoint_when == checkpoint_cause::time;
  platform_.domain().save_at(has_time ? options_.checkpoint_at : sc_core::sc_max_time(),
                             [this](qemu_instance &by) { save(by); });
  platform_.on_mark([this](const guest_mark &mark) {
    if (is_awaited(mark))
      platform_.domain().save_soon();
  });
}

/// A guest may ask for it at any time.
bool platform_checkpoints::is_awaited(const guest_mark &mark) const
{
  const bool mark_alone = mark.what == guest_mark::kind::mark;
  if (mark_alone && mark.number == TANDEM_IDM_MARK_CHECKPOINT)
    return true;
  const bool kind = options_.checkpoint_when == checkpoint_cause::mark ? mark_alone
                    : options_.checkpoint_when == checkpoint_cause::region
                        ? mark.what == guest_mark::kind::begin
                        : false;
  return kind && mark.number == options_.checkpoint_number;
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
  check_repeatable();
  new_checkpoint to(options_.checkpoint_path);
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
  manifest.common = common_;
  manifest.timing = timing_;
  manifest.settings = options_.settings;
  to.finish(manifest);
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
  if (!options_.checkpoint_path.empty() && made_.empty() &&
      options_.checkpoint_when != checkpoint_cause::request)
    refuse_checkpoint(
        options_.checkpoint_path,
        "none was made: until the run ended there was no end of a window, at or after "
        "--checkpoint-at, at which no guest was in the middle of an access");
}

// ---- restore ----

void platform_checkpoints::prepare_restore()
{
  saved_ = std::make_unique<saved_checkpoint>(options_.restore_path);
  const checkpoint_manifest &manifest = saved_->manifest();
  const std::string difference = first_difference(manifest.common, common_);
  if (!difference.empty())
    refuse_checkpoint(options_.restore_path, "it is of another system: " + difference);
  if (options_.time_limit != sc_core::SC_ZERO_TIME &&
      to_ns(options_.time_limit) <= manifest.time_ns)
    refuse_checkpoint(options_.restore_path,
                      "it was made at " + from_ns(manifest.time_ns).to_string() +
                          ", and the time limit is " + options_.time_limit.to_string());
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
