// SPDX-License-Identifier: Apache-2.0
// A checkpoint as a directory: how it comes into being as a whole, and how it is known to be whole.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tandem
{

/// What a checkpoint says of itself; manifest.json, which has size and fingerprint of every other
/// file besides.
struct checkpoint_manifest {
  std::uint64_t time_ns = 0; ///< at which it was made
  std::string by;            ///< the instance at whose window's end that was
  /// What a run that is restored must have in common with the one that was saved.
  std::map<std::string, std::string> common;
  /// Of all that decides how long accesses take and who runs when: in a run with the same one they
  /// are repeated at their times.
  std::string timing;
  /// Options of the run, in their order.
  std::vector<std::pair<std::string, std::string>> settings;
};

/// All errors of both are SC_ERROR "/tandem/checkpoint", one sentence that names the directory.
[[noreturn]] void refuse_checkpoint(const std::string &directory, const std::string &cause);

/// A checkpoint in the making: beside its place, which it takes at once when it is whole. Whatever
/// happens before, an older checkpoint there stays as it was.
class new_checkpoint
{
public:
  /// Refuses a place where there is something else than a checkpoint.
  explicit new_checkpoint(const std::string &place);
  /// Removes what is not finished.
  ~new_checkpoint();
  new_checkpoint(const new_checkpoint &) = delete;
  new_checkpoint &operator=(const new_checkpoint &) = delete;

  /// Whether something else lies there; to be known before a run that is to save.
  static void check_place(const std::string &place);

  /// Where its files go.
  const std::string &path() const { return path_; }
  /// Makes a directory in it, and returns a descriptor that lives as long as this.
  int subdirectory(const std::string &name);
  void write(const std::string &name, const std::string &text) const;
  /// Adds the manifest, and takes the place.
  void finish(const checkpoint_manifest &manifest);

private:
  const std::string place_, path_;
  std::vector<int> opened_;
};

/// A checkpoint to start from.
class saved_checkpoint
{
public:
  /// Reads the manifest. Refuses what is no checkpoint, or of another Tandem.
  explicit saved_checkpoint(const std::string &place);
  ~saved_checkpoint();
  saved_checkpoint(const saved_checkpoint &) = delete;
  saved_checkpoint &operator=(const saved_checkpoint &) = delete;

  const std::string &path() const { return place_; }
  const checkpoint_manifest &manifest() const { return manifest_; }
  /// Reads all files, and refuses a checkpoint in which one is not as it was written.
  void check_files() const;
  /// A descriptor that lives as long as this.
  int subdirectory(const std::string &name);
  std::string read(const std::string &name) const;

private:
  const std::string place_;
  checkpoint_manifest manifest_;
  nlohmann::json files_;
  std::vector<int> opened_;
};

} // namespace tandem
