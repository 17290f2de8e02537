// SPDX-License-Identifier: Apache-2.0
// A part that says what it is told to say, when it is told to; and two kinds with interrupt outputs
// whose names run into each other.
#include <tandem/interrupt.h>
#include <tandem/part.h>
#include <tandem/statistics.h>

#include <stdexcept>

struct reporter : sc_core::sc_module, tandem::statistics_provider {
  static tandem::part_info describe()
  {
    return {"says something",
            {{"what", "nothing", "info, warning, error, fatal, number, exception, stop"},
             {"at_end", "off", "at the end of the simulation, else at 1 us"},
             {"number", "0", "shown in the statistics"}},
            {},
            {},
            {}};
  }

  reporter(sc_core::sc_module_name, const tandem::parameters &p)
      : what_(p.text("what")), at_end_(p.text("at_end") == "on"), number_(p.text("number"))
  {
    SC_HAS_PROCESS(reporter);
    SC_THREAD(later);
  }

  nlohmann::ordered_json statistics() const override { return {{"number", number_}}; }

private:
  void later()
  {
    wait(sc_core::sc_time(1, sc_core::SC_US));
    if (!at_end_)
      say();
  }
  void end_of_simulation() override
  {
    if (at_end_)
      say();
  }
  void say()
  {
    if (what_ == "info")
      SC_REPORT_INFO("/test/reporter", "all is well");
    if (what_ == "warning")
      SC_REPORT_WARNING("/test/reporter", "less is well");
    if (what_ == "error")
      SC_REPORT_ERROR("/test/reporter", "little is well");
    if (what_ == "fatal")
      SC_REPORT_FATAL("/test/reporter", "nothing is well");
    if (what_ == "number")
      throw 42;
    if (what_ == "exception")
      throw std::runtime_error("thrown by a part");
    if (what_ == "stop")
      sc_core::sc_stop();
  }

  const std::string what_;
  const bool at_end_;
  const std::string number_;
};

template <int outputs> struct ringer : sc_core::sc_module {
  tandem::interrupt_out irq{"irq"};
  std::unique_ptr<tandem::interrupt_out> err;

  static tandem::part_info describe()
  {
    std::vector<std::string> names = {"irq", "err"};
    names.resize(outputs);
    return {"has " + std::to_string(outputs) + " interrupt outputs", {}, {}, {}, names};
  }

  ringer(sc_core::sc_module_name, const tandem::parameters &)
  {
    if (outputs == 2)
      err = std::make_unique<tandem::interrupt_out>("err");
  }
};

using ringer1 = ringer<1>;
using ringer2 = ringer<2>;
TANDEM_REGISTER_PART("reporter", reporter)
TANDEM_REGISTER_PART("ringer1", ringer1)
TANDEM_REGISTER_PART("ringer2", ringer2)
