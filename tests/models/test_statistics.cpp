// SPDX-License-Identifier: Apache-2.0
#include "traffic.h"

#include <tandem/statistics.h>

#include <fstream>
#include <unistd.h>

namespace statistics_tests
{

using namespace traffic;

namespace
{

class counter : public sc_core::sc_module, public tandem::statistics_provider
{
public:
  explicit counter(sc_core::sc_module_name) {}
  nlohmann::ordered_json statistics() const override { return {{"count", 7}}; }
};

class parent : public sc_core::sc_module
{
public:
  counter child{"child"};
  explicit parent(sc_core::sc_module_name) {}
};

} // namespace

TEST(statistics, providers_are_found_at_any_depth_by_full_name)
{
  parent top("top");
  counter other("other");
  const auto report = tandem::collect_statistics();
  EXPECT_EQ(report.size(), 2u);
  EXPECT_EQ(report["top.child"]["count"], 7);
  EXPECT_EQ(report["other"]["count"], 7);
}

TEST(statistics, file_is_json_and_failure_is_one_sentence)
{
  const std::string path = testing::TempDir() + "tandem-statistics-" + std::to_string(getpid());
  tandem::write_statistics({{"a", 1}}, path);
  std::ifstream file(path);
  EXPECT_EQ(nlohmann::json::parse(file)["a"], 1);
  unlink(path.c_str());
  EXPECT_EQ(error_of([] { tandem::write_statistics({}, "/nowhere/s.json"); }),
            "cannot write statistics to '/nowhere/s.json': No such file or directory");
}

} // namespace statistics_tests
