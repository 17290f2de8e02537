// SPDX-License-Identifier: Apache-2.0
// A ring of routers.
#pragma once

#include "tandem/network.h"

namespace tandem
{

/// Kind "ring": `stations` nodes, a link in each direction between neighbours. A packet
/// goes the shorter way round, and up when both are as long. The distance of two
/// stations is h = min(|a - b|, stations - |a - b|); for the times see network.
///
/// `stations` is by default (0) the number of initiators and targets. `place` puts
/// them on stations, `place=master@0;shm@2`; several may share a station. Of those that it
/// does not name, initiators go to the stations from 0 on, targets from the last
/// one backwards.
class ring : public network
{
public:
  static interconnect_info describe();
  ring(sc_core::sc_module_name name, const interconnect_config &config);
};

} // namespace tandem
