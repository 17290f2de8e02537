// SPDX-License-Identifier: Apache-2.0
#include "tandem/mesh.h"

namespace tandem
{

interconnect_info mesh::describe()
{
  return network::describe(
      "two-dimensional mesh with XY routing",
      {{"columns", "4", "nodes in a row"},
       {"rows", "4", "nodes in a column"},
       {"place", "",
        "NAME@COLUMN,ROW;... (default: initiators from 0,0 on, targets from the end)"}});
}

mesh::mesh(sc_core::sc_module_name module_name, const interconnect_config &config)
    : network(module_name, config, describe())
{
  constexpr std::uint64_t largest = 64;
  const auto columns = static_cast<unsigned>(parameter().number("columns", 1, largest));
  const auto rows = static_cast<unsigned>(parameter().number("rows", 1, largest));
  shape form;
  form.name =
      "the mesh of " + std::to_string(columns) + " columns and " + std::to_string(rows) + " rows";
  form.coordinates = "COLUMN,ROW";
  form.size = {columns, rows};
  for (unsigned node = 0; node < columns * rows; ++node) {
    if (node % columns + 1 < columns) {
      form.links.push_back({node, node + 1});
      form.links.push_back({node + 1, node});
    }
    if (node / columns + 1 < rows) {
      form.links.push_back({node, node + columns});
      form.links.push_back({node + columns, node});
    }
  }
  form.next = [columns](unsigned here, unsigned there) {
    const unsigned column = here % columns, wanted = there % columns;
    if (column != wanted)
      return column < wanted ? here + 1 : here - 1;
    return here < there ? here + columns : here - columns;
  };
  build(form);
}

TANDEM_REGISTER_INTERCONNECT("mesh", mesh)

} // namespace tandem
