// SPDX-License-Identifier: Apache-2.0
// Several checkpoints of one run, in one directory.
#pragma once

#include <cstdint>
#include <string>

namespace tandem
{

/// The directory has chain.json, by which it is known, and each checkpoint as NUMBER-TIMEns
/// (0002-15000000ns), in the order in which they were made. Each but the first has only the pages
/// that changed since the one before, and needs those before it.
///
/// The first one is made beside the directory and takes its place with it, so that a chain that is
/// there stays whole until then. Errors are those of a checkpoint.
class checkpoint_chain
{
public:
  /// Nothing is made yet. Refuses a directory with something else than a chain, and the chain to
  /// which the checkpoint `restored` belongs (empty: none), which would be lost.
  checkpoint_chain(const std::string &place, const std::string &restored);

  /// Where the next checkpoint is to be made.
  std::string next(std::uint64_t time_ns);
  /// It is made.
  void add();
  /// The one that was added last; empty: none was.
  const std::string &last() const { return last_; }
  std::string last_name() const { return last_.substr(last_.rfind('/') + 1); }
  unsigned size() const { return size_; }

private:
  const std::string place_;
  std::string next_, last_;
  unsigned size_ = 0;
};

/// Whether a directory is a chain of checkpoints.
bool is_chain(const std::string &place);

} // namespace tandem
