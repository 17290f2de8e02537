// SPDX-License-Identifier: Apache-2.0
// A two-dimensional mesh of routers.
#pragma once

#include "tandem/network.h"

namespace tandem
{

/// Kind "mesh": `columns` by `rows` nodes (4 by 4), a link in each direction between
/// neighbours, and XY routing: first along the row to the right column, then along
/// the column. The distance of two nodes is h = |x1 - x2| + |y1 - y2|; for the
/// times see network.
///
/// `place` puts initiators and targets on nodes, `place=master@0,0;shm@3,3`, column first;
/// several may share a node. Those that it does not name go to the nodes row by row:
/// initiators from 0,0 on, targets from the last node backwards.
class mesh : public network
{
public:
  static interconnect_info describe();
  mesh(sc_core::sc_module_name name, const interconnect_config &config);
};

} // namespace tandem
