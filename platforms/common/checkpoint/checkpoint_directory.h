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
  /// Where the instances were then: what has come of them later is not before this time.
  std::uint64_t reached_ns = 0;
  /// The checkpoint beside it that has the pages which this one has not, and its fingerprint; both
  /// empty: it has all.
  std::string base, base_fingerprint;
  /// Options of the run, in their order.
  std::vector<std::pair<std::string, std::string>> settings;
};

/// All errors of both are SC_ERROR "/tandem/checkpoint", one sentence that names the directory.
[[noreturn]] void refuse_checkpoint(const std::string &directory, const std::string &cause);

/// A path without slashes at its end.
std::string without_slash(std::string path);
/// The text of a file. False when it cannot be read or is none: devices and pipes may have no end,
/// or nothing for ever.
bool read_file(const std::string &path, std::string &text);
/// Has a directory take its place at once, and removes what was there.
void take_place(const std::string &made, const std::string &place);

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
  /// Adds the manifest, and takes the place. What the base, if the manifest has one, has of
  /// memories is left out.
  void finish(const checkpoint_manifest &manifest);

private:
  void keep_changes_since(const std::string &base) const;

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
  /// Of the manifest, and so of all that there is.
  const std::string &fingerprint() const { return fingerprint_; }
  /// Reads all files, and those of memories in the checkpoints that it is based on, and refuses it
  /// when one is not as it was written.
  void check_files() const;
  /// A descriptor that lives as long as this.
  int subdirectory(const std::string &name);
  std::string read(const std::string &name) const;

private:
  bool is_based_on(const std::string &place) const;
  void check_files(bool all) const;
  std::string what_is_wrong(const std::string &name) const;

  const std::string place_;
  std::string fingerprint_;
  checkpoint_manifest manifest_;
  std::map<std::string, std::pair<std::uint64_t, std::string>> files_; ///< size and fingerprint
  std::vector<int> opened_;
};

} // namespace tandem
