// SPDX-License-Identifier: Apache-2.0
#include "tandem/statistics.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <systemc>

namespace tandem
{

namespace
{

void collect(const std::vector<sc_core::sc_object *> &objects, nlohmann::ordered_json &into)
{
  for (const sc_core::sc_object *const object : objects) {
    if (const auto *provider = dynamic_cast<const statistics_provider *>(object))
      into[object->name()] = provider->statistics();
    collect(object->get_child_objects(), into);
  }
}

} // namespace

nlohmann::ordered_json collect_statistics()
{
  nlohmann::ordered_json report = nlohmann::ordered_json::object();
  collect(sc_core::sc_get_top_level_objects(), report);
  return report;
}

void write_statistics(const nlohmann::ordered_json &object, const std::string &path)
{
  std::ofstream file(path);
  file << object.dump(2) << "\n";
  file.close();
  if (!file) {
    const std::string cause = "cannot write statistics to '" + path + "': " + std::strerror(errno);
    SC_REPORT_ERROR("/tandem/statistics", cause.c_str());
  }
}

} // namespace tandem
