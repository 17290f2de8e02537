// SPDX-License-Identifier: Apache-2.0
// A part that says what it is told to say, when it is told to; two kinds with interrupt outputs
// whose names run into each other; and two with sockets of tlm_utils that can be bound several
// times.
#include <tandem/interrupt.h>
#include <tandem/part.h>
#include <tandem/statistics.h>

#include <cstring>
#include <stdexcept>
#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/multi_passthrough_target_socket.h>

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

/// A word behind a socket that several may be bound to.
struct many_target : sc_core::sc_module {
  tlm_utils::multi_passthrough_target_socket<many_target> socket{"socket"};

  static tandem::part_info describe() { return {"a word", {}, {{"socket", 0x1000}}, {}, {}}; }

  many_target(sc_core::sc_module_name, const tandem::parameters &)
  {
    socket.register_b_transport(this, &many_target::transport);
  }

private:
  void transport(int, tlm::tlm_generic_payload &access, sc_core::sc_time &)
  {
    if (access.is_write())
      std::memcpy(&word_, access.get_data_ptr(), 4);
    else
      std::memcpy(access.get_data_ptr(), &word_, 4);
    access.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  std::uint32_t word_ = 0;
};

struct plain_memory : many_target {
  using many_target::many_target;
  static tandem::part_info describe()
  {
    tandem::part_info info{"a word at each address",
                           {{"size", "64M", ""}, {"backing", "", ""}},
                           {{"socket", 0, "size"}},
                           {},
                           {}};
    info.place = tandem::guest_place::shared_memory;
    return info;
  }
};

struct two_targets : sc_core::sc_module {
  tlm_utils::multi_passthrough_target_socket<two_targets> a{"a"}, b{"b"};

  static tandem::part_info describe()
  {
    return {"two windows", {}, {{"a", 0x1000}, {"b", 0x1000}}, {}, {}};
  }
  two_targets(sc_core::sc_module_name, const tandem::parameters &) {}
};

/// Writes a number to an address, and adds one to it, by a socket that can be bound several times.
struct many_initiator : sc_core::sc_module, tandem::statistics_provider {
  tlm_utils::multi_passthrough_initiator_socket<many_initiator> out{"out"};

  static tandem::part_info describe()
  {
    return {"adds one", {{"address", "0", "of a word"}}, {}, {"out"}, {}};
  }

  many_initiator(sc_core::sc_module_name, const tandem::parameters &p)
      : address_(p.number("address"))
  {
    SC_HAS_PROCESS(many_initiator);
    SC_THREAD(add);
  }

  nlohmann::ordered_json statistics() const override { return {{"word", word_}}; }

private:
  void add()
  {
    word_ = 41;
    access(tlm::TLM_WRITE_COMMAND);
    word_ = 0;
    access(tlm::TLM_READ_COMMAND);
    ++word_;
  }
  void access(tlm::tlm_command command)
  {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address_);
    payload.set_data_ptr(reinterpret_cast<unsigned char *>(&word_));
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    sc_core::sc_time delay;
    out[0]->b_transport(payload, delay);
  }

  const std::uint64_t address_;
  std::uint32_t word_ = 0;
};

using ringer1 = ringer<1>;
using ringer2 = ringer<2>;
TANDEM_REGISTER_PART("plain_memory", plain_memory)
TANDEM_REGISTER_PART("reporter", reporter)
TANDEM_REGISTER_PART("many_initiator", many_initiator)
TANDEM_REGISTER_PART("many_target", many_target)
TANDEM_REGISTER_PART("two_targets", two_targets)
TANDEM_REGISTER_PART("ringer1", ringer1)
TANDEM_REGISTER_PART("ringer2", ringer2)
