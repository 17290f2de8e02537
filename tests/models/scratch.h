// SPDX-License-Identifier: Apache-2.0
// A place for the files of a test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

/// A directory that goes when the test ends.
class scratch
{
public:
  scratch()
  {
    std::string name = (std::filesystem::temp_directory_path() / "tandem-test-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error("no temporary directory can be made");
    path_ = name;
  }
  ~scratch()
  {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch(const scratch &) = delete;
  scratch &operator=(const scratch &) = delete;

  std::string file(const std::string &name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};
