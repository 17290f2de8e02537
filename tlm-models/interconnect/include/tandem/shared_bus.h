// SPDX-License-Identifier: Apache-2.0
// A bus that carries one access at a time.
#pragma once

#include "tandem/arbitrated_interconnect.h"

namespace tandem
{

/// Kind "bus": one resource for all targets. Times and parameters: see arbitrated_interconnect.
class shared_bus : public arbitrated_interconnect
{
public:
  static interconnect_info describe();
  shared_bus(sc_core::sc_module_name name, const interconnect_config &config);

  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

private:
  shared_resource &resource_for(unsigned) override { return *wires_; }

  std::unique_ptr<shared_resource> wires_;
};

} // namespace tandem
