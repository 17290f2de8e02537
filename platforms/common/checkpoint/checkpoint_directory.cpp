// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_directory.h"

#include "checkpoint_chain.h"
#include "fingerprint.h"
#include "page_file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <sys/syscall.h>
#include <systemc>
#include <thread>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tandem
{
namespace
{

constexpr const char *manifest_file = "manifest.json";
constexpr const char *magic = "Tandem checkpoint";
/// Of the files and what they mean.
constexpr unsigned format = 2;
constexpr unsigned exchange = 2; // RENAME_EXCHANGE, which old headers lack

int open_directory(const std::string &path)
{
  return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool is_checkpoint(const std::string &place)
{
  std::string text;
  return read_file(place + "/" + manifest_file, text) && text.find(magic) != std::string::npos;
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

std::string without_slash(std::string path)
{
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  return path;
}

bool read_file(const std::string &path, std::string &text)
{
  std::error_code error;
  std::ifstream file;
  if (fs::is_regular_file(path, error))
    file.open(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  text = content.str();
  return file.is_open() && file.good();
}

void take_place(const std::string &made, const std::string &place)
{
  std::error_code error;
  if (!fs::exists(place, error)) {
    fs::rename(made, place, error);
  } else if (syscall(SYS_renameat2, AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), exchange) ==
             0) {
    fs::remove_all(made, error); // what was there
    error.clear();
  } else {
    // A file system without exchange: for a moment there is none of the two.
    const std::string aside = place + ".old";
    fs::remove_all(aside, error);
    fs::rename(place, aside, error);
    if (!error)
      fs::rename(made, place, error);
    if (!error)
      fs::remove_all(aside);
  }
  if (error)
    refuse_checkpoint(place, "it cannot take its place: " + error.message());
}

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

void new_checkpoint::keep_changes_since(const std::string &base) const
{
  const fs::path base_path = fs::path(place_).parent_path() / base;
  std::vector<std::string> names;
  for (const fs::directory_entry &entry : fs::recursive_directory_iterator(path_))
    if (const std::string name = fs::relative(entry.path(), path_).string(); has_pages(name))
      names.push_back(name);
  for (const std::string &name : names) {
    const std::string before = (base_path / name).string();
    const fs::path up = name.find('/') == std::string::npos ? ".." : "../..";
    if (std::error_code ignored; !fs::exists(before, ignored))
      continue; // the instance had not begun
    if (!keep_changes(path_ + "/" + name, before, (up / base / name).string()))
      refuse_checkpoint(place_, "what changed of '" + name + "' since '" + base +
                                    "' cannot be stored: " + std::strerror(errno));
  }
}

void new_checkpoint::finish(const checkpoint_manifest &manifest)
{
  if (!manifest.base.empty())
    keep_changes_since(manifest.base);
  nlohmann::ordered_json m;
  m["what"] = magic;
  m["format"] = format;
  m["tandem"] = tandem_version();
  m["time_ns"] = manifest.time_ns;
  m["by"] = manifest.by;
  m["reached_ns"] = manifest.reached_ns;
  if (!manifest.base.empty())
    m["base"] = {{"name", manifest.base}, {"fingerprint", manifest.base_fingerprint}};
  m["common"] = manifest.common;
  m["timing"] = manifest.timing;
  m["settings"] = manifest.settings;
  m["files"] = describe_files(path_);
  m["fingerprint"] = text_fingerprint(m.dump());
  write(manifest_file, m.dump(1) + "\n");
  take_place(path_, place_);
}

// ---- one to start from ----

saved_checkpoint::saved_checkpoint(const std::string &place) : place_(without_slash(place))
{
  if (is_chain(place_))
    refuse_checkpoint(place_, "it is a chain of several; give one of them, NUMBER-TIMEns in it");
  if (!is_checkpoint(place_))
    refuse_checkpoint(place_, "there is none");
  const std::string text = read(manifest_file);
  try {
    auto m = nlohmann::ordered_json::parse(text);
    const std::string by = m.at("tandem");
    if (m.at("format") != format || by != tandem_version())
      refuse_checkpoint(place_,
                        "it is of Tandem " + by + ", and this is Tandem " + tandem_version());
    fingerprint_ = m.at("fingerprint");
    m.erase("fingerprint");
    if (m.at("what") != magic || text_fingerprint(m.dump()) != fingerprint_)
      refuse_checkpoint(place_, "it is damaged: manifest.json is not as it was written");
    manifest_.time_ns = m.at("time_ns");
    manifest_.by = m.at("by");
    manifest_.reached_ns = m.at("reached_ns");
    if (m.contains("base")) {
      manifest_.base = m.at("base").at("name");
      manifest_.base_fingerprint = m.at("base").at("fingerprint");
    }
    manifest_.common = m.at("common").get<std::map<std::string, std::string>>();
    manifest_.settings = m.at("settings").get<std::vector<std::pair<std::string, std::string>>>();
    manifest_.timing = m.at("timing");
    files_ = m.at("files").get<decltype(files_)>();
  } catch (const nlohmann::json::exception &) {
    refuse_checkpoint(place_, "it is damaged: manifest.json is not as it was written");
  }
}

saved_checkpoint::~saved_checkpoint()
{
  for (const int fd : opened_)
    close(fd);
}

bool saved_checkpoint::is_based_on(const std::string &place) const
{
  try {
    return is_checkpoint(place) &&
           saved_checkpoint(place).fingerprint() == manifest_.base_fingerprint;
  } catch (const sc_core::sc_report &) {
    return false; // a damaged one
  }
}

void saved_checkpoint::check_files() const
{
  check_files(true);
  std::unique_ptr<saved_checkpoint> before;
  for (const saved_checkpoint *here = this; !here->manifest_.base.empty(); here = before.get()) {
    const std::string base = (fs::path(here->place_).parent_path() / here->manifest_.base).string();
    if (!here->is_based_on(base))
      refuse_checkpoint(place_, "it has what changed since '" + base +
                                    "', and that is no longer there as it was");
    before = std::make_unique<saved_checkpoint>(base);
    before->check_files(false);
  }
}

/// All files, or only those of memories and their lists.
void saved_checkpoint::check_files(bool all) const
{
  std::vector<std::string> names;
  for (const auto &[name, unused] : files_)
    if (all || has_pages(fs::path(name).replace_extension().string()) || has_pages(name))
      names.push_back(name);
  std::vector<std::string> found(names.size()); // what is wrong
  std::atomic<std::size_t> next{0};
  const auto check = [&] {
    for (std::size_t i; (i = next++) < names.size();)
      found[i] = what_is_wrong(names[i]);
  };
  std::thread other(check); // it is most of what a restore takes before the QEMUs start
  check();
  other.join();
  for (const std::string &wrong : found)
    if (!wrong.empty())
      refuse_checkpoint(place_, "it is damaged: " + wrong);
}

/// Nothing, or what the file is not.
std::string saved_checkpoint::what_is_wrong(const std::string &name) const
{
  std::pair<std::uint64_t, std::string> now;
  if (!file_fingerprint(place_ + "/" + name, now.second, now.first))
    return "'" + name + "' cannot be read";
  return now == files_.at(name) ? "" : "'" + name + "' is not as it was written";
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
  std::string text;
  if (!read_file(place_ + "/" + name, text))
    refuse_checkpoint(place_, "it is damaged: '" + name + "' cannot be read");
  return text;
}

} // namespace tandem
