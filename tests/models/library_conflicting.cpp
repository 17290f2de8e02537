// SPDX-License-Identifier: Apache-2.0
// A shared object that registers a name that exists already.
#include <tandem/interconnect.h>

namespace
{

class second_router : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe() { return {"not the router", {}}; }
  second_router(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe())
  {
  }
};

TANDEM_REGISTER_INTERCONNECT("router", second_router)

} // namespace
