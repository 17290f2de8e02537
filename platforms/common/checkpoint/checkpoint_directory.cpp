// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_directory.h"

#include "fingerprint.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/syscall.h>
#include <systemc>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tandem
{
namespace
{

constexpr const char *manifest_file = "manifest.json";
constexpr const char *magic = "Tandem checkpoint";
/// Of the files and what they mean.
constexpr unsigned format = 1;
constexpr unsigned exchange = 2; // RENAME_EXCHANGE, which old headers lack

std::string without_slash(std::string path)
{
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  return path;
}

int open_directory(const std::string &path)
{
  return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool is_checkpoint(const std::string &place)
{
  std::ifstream file(place + "/" + manifest_file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str().find(magic) != std::string::npos;
}

/// Size and fingerprint of all files below a directory, but for the manifest's.
nlohmann::json describe_files(const std::string &directory)
{
  nlohmann::json files = nlohmann::json::object();
  for (const fs::directory_entry &entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = fs::relative(entry.path(), directory).string();
    if (!entry.is_regular_file() || name == manifest_file)
      continue;
    std::string fingerprint;
    std::uint64_t size = 0;
    if (!file_fingerprint(entry.path().string(), fingerprint, size))
      refuse_checkpoint(directory, "'" + name + "' cannot be read again");
    files[name] = {size, fingerprint};
  }
  return files;
}

std::string tandem_version()
{
  return TANDEM_VERSION;
}

} // namespace

void refuse_checkpoint(const std::string &directory, const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/checkpoint", ("checkpoint '" + directory + "': " + cause).c_str());
  std::abort(); // the report throws
}

// ---- a new one ----

new_checkpoint::new_checkpoint(const std::string &place)
    : place_(without_slash(place)), path_(place_ + ".partial")
{
  check_place(place_);
  std::error_code error;
  fs::remove_all(path_, error); // of a run that was killed
  if (!fs::create_directories(path_, error))
    refuse_checkpoint(place_, "'" + path_ + "' cannot be made: " + error.message());
}

new_checkpoint::~new_checkpoint()
{
  for (const int fd : opened_)
    close(fd);
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void new_checkpoint::check_place(const std::string &place)
{
  std::error_code ignored;
  if (fs::exists(place, ignored) && !is_checkpoint(place) &&
      !(fs::is_directory(place, ignored) && fs::is_empty(place, ignored)))
    refuse_checkpoint(place, "there is something else in its place");
}

int new_checkpoint::subdirectory(const std::string &name)
{
  const std::string path = path_ + "/" + name;
  std::error_code error;
  fs::create_directory(path, error);
  opened_.push_back(open_directory(path));
  if (error || opened_.back() < 0)
    refuse_checkpoint(place_, "'" + path + "' cannot be made");
  return opened_.back();
}

void new_checkpoint::write(const std::string &name, const std::string &text) const
{
  std::ofstream file(path_ + "/" + name, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    refuse_checkpoint(place_, "'" + name + "' cannot be written: " + std::strerror(errno));
}

void new_checkpoint::finish(const checkpoint_manifest &manifest)
{
  nlohmann::ordered_json m;
  m["what"] = magic;
  m["format"] = format;
  m["tandem"] = tandem_version();
  m["time_ns"] = manifest.time_ns;
  m["by"] = manifest.by;
  m["common"] = manifest.common;
  m["timing"] = manifest.timing;
  m["settings"] = manifest.settings;
  m["files"] = describe_files(path_);
  m["fingerprint"] = text_fingerprint(m.dump());
  write(manifest_file, m.dump(1) + "\n");
  std::error_code error;
  if (!fs::exists(place_, error)) {
    fs::rename(path_, place_, error);
  } else if (syscall(SYS_renameat2, AT_FDCWD, path_.c_str(), AT_FDCWD, place_.c_str(), exchange) !=
             0) {
    // A file system without exchange: for a moment there is none of the two.
    const std::string aside = place_ + ".old";
    fs::remove_all(aside, error);
    fs::rename(place_, aside, error);
    if (!error)
      fs::rename(path_, place_, error);
    if (!error)
      fs::remove_all(aside);
  }
  if (error)
    refuse_checkpoint(place_, "it cannot take its place: " + error.message());
}

// ---- one to start from ----

saved_checkpoint::saved_checkpoint(const std::string &place) : place_(without_slash(place))
{
  if (!is_checkpoint(place_))
    refuse_checkpoint(place_, "there is none");
  const std::string text = read(manifest_file);
  try {
    auto m = nlohmann::ordered_json::parse(text);
    const std::string by = m.at("tandem");
    if (m.at("format") != format || by != tandem_version())
      refuse_checkpoint(place_,
                        "it is of Tandem " + by + ", and this is Tandem " + tandem_version());
    const std::string fingerprint = m.at("fingerprint");
    m.erase("fingerprint");
    if (m.at("what") != magic || text_fingerprint(m.dump()) != fingerprint)
      refuse_checkpoint(place_, "it is damaged: manifest.json is not as it was written");
    manifest_.time_ns = m.at("time_ns");
    manifest_.by = m.at("by");
    manifest_.common = m.at("common").get<std::map<std::string, std::string>>();
    manifest_.settings = m.at("settings").get<std::vector<std::pair<std::string, std::string>>>();
    manifest_.timing = m.at("timing");
    files_ = m.at("files");
  } catch (const nlohmann::json::exception &) {
    refuse_checkpoint(place_, "it is damaged: manifest.json is not as it was written");
  }
}

saved_checkpoint::~saved_checkpoint()
{
  for (const int fd : opened_)
    close(fd);
}

void saved_checkpoint::check_files() const
{
  for (const auto &[name, about] : files_.items()) {
    std::string fingerprint;
    std::uint64_t size = 0;
    if (!file_fingerprint(place_ + "/" + name, fingerprint, size))
      refuse_checkpoint(place_, "it is damaged: '" + name + "' cannot be read");
    if (about.at(0) != size || about.at(1) != fingerprint)
      refuse_checkpoint(place_, "it is damaged: '" + name + "' is not as it was written");
  }
}

int saved_checkpoint::subdirectory(const std::string &name)
{
  opened_.push_back(open_directory(place_ + "/" + name));
  if (opened_.back() < 0)
    refuse_checkpoint(place_, "it is damaged: '" + name + "' is missing");
  return opened_.back();
}

std::string saved_checkpoint::read(const std::string &name) const
{
  std::ifstream file(place_ + "/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file)
    refuse_checkpoint(place_, "it is damaged: '" + name + "' cannot be read");
  return text.str();
}

} // namespace tandem
