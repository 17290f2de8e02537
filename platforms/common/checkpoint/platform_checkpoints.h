// SPDX-License-Identifier: Apache-2.0
// What of a platform goes into a checkpoint, and how a run begins with one.
#pragma once

#include "checkpoint_chain.h"
#include "checkpoint_directory.h"

#include "../platform.h"

#include <memory>
#include <string>
#include <vector>

namespace tandem
{

/// Files beside those of the instances, which have a directory each: system.toml is the expanded
/// description, memory-NAME the content of a shared memory, rpmsg what the monitor of rpmsg has
/// read.
class platform_checkpoints
{
public:
  /// Arranges what --checkpoint-at and --restore ask for; before the start. All errors, here and
  /// when the time has come, are SC_ERROR "/tandem/checkpoint", one sentence.
  platform_checkpoints(class platform &platform, const system_plan &plan,
                       const platform_options &options, const system_description &system);
  ~platform_checkpoints();

  /// After the run: SC_ERROR when a checkpoint was asked for and there was no moment for it.
  void check_made() const;
  /// "DIR, at 5.0001 s" or, of a chain, "3 in DIR, the last at 5.0001 s", when one was made; else
  /// empty.
  const std::string &made() const { return made_; }

private:
  void prepare_save();
  void save_at(const sc_core::sc_time &time);
  sc_core::sc_time first_time() const;
  sc_core::sc_time next_time(const sc_core::sc_time &after) const;
  bool is_awaited(const guest_mark &mark) const;
  void prepare_restore();
  void save(qemu_instance &by);
  void save_to(const std::string &place, qemu_instance &by);
  void save_instances(new_checkpoint &to);
  void load();
  void fill_memories(const std::string &directory) const;
  void check_repeatable() const;
  std::vector<shared_memory *> memories() const;

  class platform &platform_;
  const system_plan &plan_;
  const platform_options &options_;
  std::string system_text_;  // when it is to be saved
  const std::string timing_; ///< see checkpoint_manifest
  std::map<std::string, std::string> common_;
  std::unique_ptr<saved_checkpoint> saved_;
  sc_core::sc_time restored_at_;
  std::unique_ptr<checkpoint_chain> chain_; ///< where several are made
  std::string made_;
  bool complete_ = false; ///< all that were asked for are made
};

} // namespace tandem
