// SPDX-License-Identifier: Apache-2.0
// A platform of one guest and one memory that grants direct access in its own way. Prints one JSON
// object with what was seen.
//
//   integration-session SCENE MACHINE IMAGE LOG WORDS [QEMU-PREFIX]
//
// SCENE  pieces=N   direct access to every second page, N of them, one grant each
//        instant=N  the same, and interrupt lines that rise while the guest is told of them
//        read-only  direct access for reading; a write is answered with an error
//        foreign    direct access by a pointer that no other process can map
//        plain      direct access to all of it
//        delay=NS   no direct access; a transaction takes so long
// WORDS  parameters of the guest's program
#include "tandem/dmi_descriptor.h"
#include "tandem/interrupt.h"
#include "tandem/qemu_instance.h"

#include <cstring>
#include <iostream>
#include <sys/mman.h>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>
#include <unistd.h>

namespace
{

constexpr std::uint64_t page = 4096, guest_address = 0x90000000, platform_address = 0x1000000000;
constexpr unsigned lines = 8;

struct memory : sc_core::sc_module {
  tlm_utils::simple_target_socket<memory> socket{"socket"};
  std::string kind;
  std::uint64_t size;
  sc_core::sc_time delay;
  unsigned reads = 0, writes = 0, debug_reads = 0, debug_writes = 0;

  memory(const sc_core::sc_module_name &name, const std::string &how, std::uint64_t bytes)
      : sc_module(name), kind(how), size(bytes),
        fd_(memfd_create("integration-session", MFD_CLOEXEC))
  {
    if (fd_ < 0 || ftruncate(fd_, static_cast<off_t>(size)) != 0)
      throw std::runtime_error("no memory");
    data_ = static_cast<unsigned char *>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0));
    for (std::uint64_t i = 0; i < size; i += 4) {
      const auto word = static_cast<std::uint32_t>(i ^ 0x5a5a5a5a);
      std::memcpy(data_ + i, &word, sizeof word);
    }
    socket.register_b_transport(this, &memory::b_transport);
    socket.register_transport_dbg(this, &memory::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &memory::get_direct_mem_ptr);
  }

private:
  void b_transport(tlm::tlm_generic_payload &p, sc_core::sc_time &time)
  {
    ++(p.is_read() ? reads : writes);
    time += delay;
    if (p.is_write() && kind == "read-only")
      return p.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    copy(p);
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  unsigned transport_dbg(tlm::tlm_generic_payload &p)
  {
    ++(p.is_read() ? debug_reads : debug_writes);
    copy(p);
    return p.get_data_length();
  }

  void copy(tlm::tlm_generic_payload &p)
  {
    unsigned char *const place = data_ + (p.get_address() - platform_address);
    if (p.is_read())
      std::memcpy(p.get_data_ptr(), place, p.get_data_length());
    else
      std::memcpy(place, p.get_data_ptr(), p.get_data_length());
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload &p, tlm::tlm_dmi &dmi)
  {
    const std::uint64_t offset = p.get_address() - platform_address;
    const bool pieces = kind == "pieces" || kind == "instant";
    const std::uint64_t start = pieces ? offset / page * page : 0;
    dmi.init();
    dmi.set_start_address(platform_address + start);
    dmi.set_end_address(platform_address + (pieces ? start + page : size) - 1);
    if (kind == "delay" || (pieces && start / page % 2))
      return false;
    dmi.set_dmi_ptr(data_ + start);
    if (kind == "read-only")
      dmi.allow_read();
    else
      dmi.allow_read_write();
    auto *const descriptor = p.get_extension<tandem::dmi_descriptor>();
    if (descriptor && kind != "foreign") {
      descriptor->fd = fd_;
      descriptor->base = data_;
      descriptor->offset = 0;
    }
    return true;
  }

  int fd_;
  unsigned char *data_;
};

/// Raises a line in each of the first delta cycles.
struct riser : sc_core::sc_module {
  std::vector<std::unique_ptr<sc_core::sc_port<tandem::interrupt_if>>> out;

  explicit riser(const sc_core::sc_module_name &name) : sc_module(name)
  {
    for (unsigned i = 0; i < lines; ++i)
      out.push_back(std::make_unique<sc_core::sc_port<tandem::interrupt_if>>());
    SC_HAS_PROCESS(riser);
    SC_THREAD(run);
  }

  void run()
  {
    for (auto &line : out) {
      wait(sc_core::SC_ZERO_TIME);
      (*line)->set_level(true);
    }
  }
};

int run(int argc, char **argv)
{
  const std::string scene = argv[1], kind = scene.substr(0, scene.find('='));
  const std::uint64_t number = kind == scene ? 0 : std::stoull(scene.substr(scene.find('=') + 1));
  tlm::tlm_global_quantum::instance().set(sc_core::sc_time(100, sc_core::SC_US));
  tandem::time_domain::config timing;
  tandem::time_domain domain("time", timing);
  const bool pieces = kind == "pieces" || kind == "instant";
  memory target("target", kind, pieces ? 2 * number * page : 1 << 20);
  if (kind == "delay")
    target.delay = tandem::from_ns(number);

  tandem::qemu_config config;
  config.machine = argv[2];
  config.kernel = argv[3];
  config.log_path = argv[4];
  config.append = argv[5];
  config.prefix = argc > 6 ? argv[6] : "";
  config.windows = {{"target", guest_address, target.size, platform_address}};
  if (kind == "instant")
    for (unsigned i = 0; i < lines; ++i)
      config.interrupt_pins.push_back(i);
  tandem::check_config("guest", config);
  tandem::qemu_instance guest("guest", domain, config);
  guest.socket.bind(target.socket);
  std::unique_ptr<riser> rises;
  if (kind == "instant") {
    rises = std::make_unique<riser>("rises");
    for (unsigned i = 0; i < lines; ++i)
      rises->out[i]->bind(guest.irq[i]);
  }

  sc_core::sc_start();
  const std::uint64_t end_ns = tandem::to_ns(sc_core::sc_time_stamp());
  domain.finish();
  std::cout << nlohmann::ordered_json{{"end", domain.stop_reason() ? domain.stop_reason() : ""},
                                      {"end_ns", end_ns},
                                      {"reads", target.reads},
                                      {"writes", target.writes},
                                      {"debug_reads", target.debug_reads},
                                      {"debug_writes", target.debug_writes},
                                      {"guest", guest.statistics()}}
                   .dump(1)
            << "\n";
  return 0;
}

void print_report(const sc_core::sc_report &report, const sc_core::sc_actions &actions)
{
  if (actions & sc_core::SC_THROW)
    throw report;
  if (std::strncmp(report.get_msg_type(), "/tandem/", 8) == 0)
    std::cerr << "warning: " << report.get_msg() << "\n";
}

} // namespace

int sc_main(int argc, char **argv)
{
  sc_core::sc_report_handler::set_handler(print_report);
  try {
    return argc > 5 ? run(argc, argv) : 9;
  } catch (const std::exception &error) {
    const auto *report = dynamic_cast<const sc_core::sc_report *>(&error);
    std::cerr << "error: " << (report ? report->get_msg() : error.what()) << "\n";
  }
  return 1;
}
