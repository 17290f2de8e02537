// SPDX-License-Identifier: Apache-2.0
// Two interconnects with a fixed latency: one annotates it, the other lets it pass.
#include <tandem/interconnect.h>

namespace
{

tandem::interconnect_info about(const char *help)
{
  return {help, {{"latency", "10ns", "of every access"}}};
}

class annotated : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe() { return about("a latency, annotated"); }
  annotated(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe()), latency_(parameter().time("latency"))
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    delay += latency_;
    forward(way, payload, delay);
  }

private:
  sc_core::sc_time latency_;
};

class waited : public tandem::interconnect
{
public:
  static tandem::interconnect_info describe() { return about("a latency, waited for"); }
  waited(sc_core::sc_module_name name, const tandem::interconnect_config &config)
      : interconnect(name, config, describe()), latency_(parameter().time("latency"))
  {
  }

protected:
  void transport(const route &way, tlm::tlm_generic_payload &payload,
                 sc_core::sc_time &delay) override
  {
    wait(delay + latency_);
    delay = sc_core::SC_ZERO_TIME;
    forward(way, payload, delay);
  }

private:
  sc_core::sc_time latency_;
};

} // namespace

TANDEM_REGISTER_INTERCONNECT("annotated", annotated)
TANDEM_REGISTER_INTERCONNECT("waited", waited)
