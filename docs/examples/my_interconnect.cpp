// SPDX-License-Identifier: Apache-2.0
// An interconnect with a fixed cost for each byte, as a shared object.
#include <tandem/interconnect.h>

class my_interconnect : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe()
  {
    return {"a fixed cost for each byte", {{"per_byte", "2ns", "delay of each byte"}}};
  }
  my_interconnect(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe()), per_byte_(parameter().time("per_byte"))
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    delay += per_byte_ * payload.get_data_length();
    forward(way, payload, delay);
  }

private:
  sc_core::sc_time per_byte_;
};

TANDEM_REGISTER_INTERCONNECT("my_interconnect", my_interconnect)
