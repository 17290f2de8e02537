// SPDX-License-Identifier: Apache-2.0
// A DMA engine: copies bytes from one place of the platform to another, as an initiator of its own.
#include <tandem/interrupt.h>
#include <tandem/part.h>
#include <tandem/register_bank.h>
#include <tandem/sockets.h>
#include <tandem/transfer.h>

#include <algorithm>

struct mover : sc_core::sc_module {
  tandem::target_socket socket{"socket"};
  tandem::initiator_socket memory{"memory"};
  tandem::interrupt_out irq{"irq"};

  static tandem::part_info describe()
  {
    tandem::part_info info{"copies bytes",
                           {{"burst", "64", "bytes of a transaction"}},
                           {{"socket", 0x1000}},
                           {"memory"},
                           {"irq"}};
    info.device_tree = "example,mover";
    info.acpi = "EXMP0002";
    return info;
  }

  mover(sc_core::sc_module_name, const tandem::parameters &p) : burst_(p.number("burst", 1, 4096))
  {
    const char *const names[] = {"from", "from_high", "to", "to_high", "bytes"};
    for (unsigned i = 0; i < 5; ++i)
      registers_.declare(names[i], 4 * i,
                         {[this, i](unsigned) { return value_[i]; },
                          [this, i](unsigned, auto v) { value_[i] = v; }});
    registers_.declare("start", 0x14, {{}, [this](unsigned, auto) { start_.notify(); }});
    registers_.declare("clear", 0x18, {{}, [this](unsigned, auto) { irq.write(false); }});
    socket.on_b_transport([this](auto &access, auto &) { registers_.transport(0, access); });
    SC_HAS_PROCESS(mover);
    SC_THREAD(run);
  }

  void run()
  {
    for (;; irq.write(true)) {
      wait(start_);
      const std::uint64_t from = value_[0] | std::uint64_t{value_[1]} << 32,
                          to = value_[2] | std::uint64_t{value_[3]} << 32;
      for (std::uint64_t done = 0; done < value_[4]; done += burst_) {
        unsigned char data[4096];
        const auto count = static_cast<unsigned>(std::min(burst_, value_[4] - done));
        tandem::read_from(memory, from + done, data, count);
        tandem::write_to(memory, to + done, data, count);
      }
    }
  }

private:
  tandem::register_bank registers_{"mover", 0x1000};
  std::uint64_t burst_;
  sc_core::sc_event start_;
  std::uint32_t value_[5] = {};
};

TANDEM_REGISTER_PART("mover", mover)
