// SPDX-License-Identifier: Apache-2.0
// A device with four registers and an interrupt: squares a number, which takes a while.
#include <tandem/interrupt.h>
#include <tandem/part.h>
#include <tandem/register_bank.h>
#include <tandem/sockets.h>

struct square : sc_core::sc_module {
  tandem::target_socket socket{"socket"};
  tandem::interrupt_out irq{"irq"};

  static tandem::part_info describe()
  {
    tandem::part_info info{
        "squares a number", {{"time", "1us", "of a square"}}, {{"socket", 0x1000}}, {}, {"irq"}};
    info.device_tree = "example,square";
    info.acpi = "EXMP0001";
    return info;
  }

  square(sc_core::sc_module_name, const tandem::parameters &p) : time_(p.time("time"))
  {
    registers_.declare("id", 0x0, {[](unsigned) { return 0x53515552u; }});
    registers_.declare(
        "value", 0x4,
        {[this](unsigned) { return value_; }, [this](unsigned, std::uint32_t v) { value_ = v; }});
    registers_.declare("start", 0x8, {{}, [this](unsigned, std::uint32_t) { end_.notify(time_); }});
    registers_.declare("clear", 0xc, {{}, [this](unsigned, std::uint32_t) { irq.write(false); }});
    socket.on_b_transport([this](auto &access, auto &) { registers_.transport(0, access); });
    SC_HAS_PROCESS(square);
    SC_METHOD(finish);
    sensitive << end_;
    dont_initialize();
  }

  void finish() { value_ *= value_, irq.write(true); }

private:
  tandem::register_bank registers_{"square", 0x1000};
  sc_core::sc_time time_;
  sc_core::sc_event end_;
  std::uint32_t value_ = 0;
};

TANDEM_REGISTER_PART("square", square)
