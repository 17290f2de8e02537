// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_chain.h"

#include "checkpoint_directory.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

namespace tandem
{
namespace
{

constexpr const char *chain_file = "chain.json";
constexpr const char *chain_magic = "Tandem chain of checkpoints";

} // namespace

bool is_chain(const std::string &place)
{
  std::string text;
  return read_file(place + "/" + chain_file, text) && text.find(chain_magic) != std::string::npos;
}

checkpoint_chain::checkpoint_chain(const std::string &place, const std::string &restored)
    : place_(without_slash(place))
{
  std::error_code ignored;
  if (fs::exists(place_, ignored) && !is_chain(place_) &&
      !(fs::is_directory(place_, ignored) && fs::is_empty(place_, ignored)))
    refuse_checkpoint(place_, "there is something else than a chain of checkpoints in its place");
  if (!restored.empty() && is_chain(place_) &&
      fs::equivalent(fs::path(without_slash(restored)) / "..", place_, ignored))
    refuse_checkpoint(place_, "the run begins with a checkpoint of this chain, which a new one "
                              "would replace; give another directory");
}

std::string checkpoint_chain::next(std::uint64_t time_ns)
{
  std::string directory = place_;
  if (last_.empty()) {
    directory += ".partial";
    std::error_code error;
    fs::remove_all(directory, error); // of a run that was killed
    if (!fs::create_directories(directory, error))
      refuse_checkpoint(place_, "'" + directory + "' cannot be made: " + error.message());
    std::ofstream file(directory + "/" + chain_file);
    file << "{\"what\": \"" << chain_magic << "\"}\n";
    file.close();
    if (!file)
      refuse_checkpoint(place_, "'" + std::string(chain_file) + "' cannot be written");
  }
  char name[48];
  std::snprintf(name, sizeof name, "/%04u-%lluns", size_ + 1,
                static_cast<unsigned long long>(time_ns));
  next_ = name;
  return directory + next_;
}

void checkpoint_chain::add()
{
  if (last_.empty())
    take_place(place_ + ".partial", place_);
  last_ = place_ + next_;
  ++size_;
}

} // namespace tandem
