// SPDX-License-Identifier: Apache-2.0
// A QEMU process that sends whatever it likes: requests, cache lines, bytes on the socket, and
// writes to the shared page at any time, also while a request of it is being served. The
// simulation goes on without the process when it must, and nothing else is harmed.
//
// The instance, the wire, the map of DMI and the time domain are the real ones; the process is a
// fake_process. One simulation serves all inputs: each starts a new process.
#include "fake_process.h"
#include "input.h"
#include "qemu_session.h"

#include <array>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/socket.h>
#include <tandem/interrupt.h>
#include <tandem/qemu_instance.h>
#include <tandem/shared_memory.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

namespace
{

constexpr std::uint64_t memory_size = 1 << 20, memory_at = 0x80000000; // for the guest
constexpr std::uint64_t device_at = 0xd0000000, device_size = 0x10000;
constexpr std::uint64_t ram_at = 0x40000000; // of the held instance
constexpr std::uint64_t platform_memory = 0x1000000, platform_device = 0x8000000;
constexpr unsigned line_bytes = 64, pins = 4;
constexpr std::uint64_t cached_at = 0x40000, cached_size = 0x10000; // in the memory
constexpr std::uint64_t boot_at = 0x20000, boot_size = 0x80000;     // the same
constexpr std::uint64_t page_size = 0x1000;

/// An input is played for so many quanta, and then for so many windows, which last longer as
/// nobody else does anything.
constexpr unsigned short_steps = 32, long_steps = 32, window_quanta = 2000;

[[noreturn]] void found(const char *what)
{
  std::fprintf(stderr, "fuzz_bridge: %s\n", what);
  std::abort();
}

/// SystemC tells the address sanitizer of the stack of each process that it switches to, but not of
/// the main one when it returns there.
void announce_main_stack()
{
  static void *bottom = nullptr;
  static std::size_t size = 0;
  if (!bottom) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &bottom, &size);
    pthread_attr_destroy(&attributes);
  }
  void *fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, bottom, size);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
}

/// The master of the platform: sleeps for ever, so that the simulation does not end.
struct sleeper : fuzz::fake_process {
  sleeper() : fake_process("cortex-a15") {}
  void turn() override
  {
    page->request = {};
    page->request.kind = page->request_seq == 0 ? TANDEM_WIRE_READY : TANDEM_WIRE_HALTED;
    page->request.time_ns = page->reply.window_end_ns;
    page->request.next_timer_ns = TANDEM_WIRE_NEVER;
    post();
  }
};

/// What stands behind the guest's windows: memory, and a device that calls back.
struct bench : sc_core::sc_module {
  tlm_utils::simple_target_socket<bench> from;
  tlm_utils::simple_initiator_socket<bench> to;
  std::array<tandem::interrupt_out, pins> lines = {
      tandem::interrupt_out("line0"), tandem::interrupt_out("line1"),
      tandem::interrupt_out("line2"), tandem::interrupt_out("line3")};
  tandem::interrupt_out reset{"reset"};
  std::function<void()> accessed;

  explicit bench(const sc_core::sc_module_name &name) : sc_module(name), from("from"), to("to")
  {
    from.register_b_transport(this, &bench::b_transport);
    from.register_transport_dbg(this, &bench::transport_dbg);
    from.register_get_direct_mem_ptr(this, &bench::get_direct_mem_ptr);
    to.register_invalidate_direct_mem_ptr(this, &bench::invalidate);
  }

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
  {
    const std::uint64_t address = payload.get_address();
    if (address < platform_memory || payload.get_data_length() > line_bytes)
      found("an access that no window leads to");
    accessed();
    if (address < platform_device) {
      payload.set_address(address - platform_memory);
      to->b_transport(payload, delay);
      payload.set_address(address);
      return;
    }
    if (payload.is_read())
      std::memset(payload.get_data_ptr(), 0x5a, payload.get_data_length());
    delay += sc_core::sc_time(payload.get_data_length() * 7.3, sc_core::SC_NS);
    payload.set_response_status(address & 0x800 ? tlm::TLM_COMMAND_ERROR_RESPONSE
                                                : tlm::TLM_OK_RESPONSE);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload &payload)
  {
    const std::uint64_t address = payload.get_address();
    if (address >= platform_device)
      return 0;
    payload.set_address(address - platform_memory);
    return to->transport_dbg(payload);
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi)
  {
    const std::uint64_t address = payload.get_address();
    dmi.init();
    if (address < platform_memory || address >= platform_memory + memory_size)
      return false;
    payload.set_address(address - platform_memory);
    const bool granted = to->get_direct_mem_ptr(payload, dmi);
    payload.set_address(address);
    dmi.set_start_address(dmi.get_start_address() + platform_memory);
    dmi.set_end_address(dmi.get_end_address() + platform_memory);
    return granted;
  }
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end)
  {
    from->invalidate_direct_mem_ptr(start + platform_memory, end + platform_memory);
  }
};

struct simulation;

/// The process that is fuzzed.
struct attacker : fuzz::fake_process {
  attacker() : fake_process("cortex-a53") {}
  fuzz::input bytes;
  simulation *in = nullptr;

  void turn() override;
  /// Something that happens besides requests; false when it is the turn of a request.
  bool meddle();
  bool booted = false; ///< a program is to start

private:
  void check_start();
  void hear();
  void fill_request();
  void fill_lines(std::uint32_t count);
  std::uint64_t some_time();
  std::uint64_t some_address();
};

struct simulation {
  tandem::time_domain domain{"time", {}};
  sleeper master_process;
  attacker slave_process;
  tandem::shared_memory memory{"memory", memory_config()};
  bench targets{"targets"};
  bench nothing{"nothing"};
  tandem::shared_memory unused{"unused", memory_config()};
  tandem::qemu_instance master{"master", domain, master_config()};
  tandem::qemu_instance slave{"slave", domain, slave_config()};

  simulation()
  {
    master.socket.bind(nothing.from);
    nothing.to.bind(unused.socket);
    slave.socket.bind(targets.from);
    targets.to.bind(memory.socket);
    for (unsigned i = 0; i < pins; ++i)
      targets.lines[i].bind(slave.irq[i]);
    targets.reset.bind(slave.reset);
    slave_process.in = this;
    targets.accessed = [this] {
      while (!slave_process.dead && !slave_process.bytes.empty() &&
             *slave_process.bytes.data() >= 0xc0 && slave_process.meddle())
        ;
    };
    run(1);
    if (!slave.at_rest())
      found("a good process is refused");
  }

  static tandem::shared_memory_config memory_config()
  {
    tandem::shared_memory_config config;
    config.size = memory_size;
    return config;
  }
  static tandem::qemu_config config(const char *machine)
  {
    tandem::qemu_config config;
    config.machine = machine;
    config.console = "none";
    return config;
  }
  static tandem::qemu_config master_config() { return config("arm"); }
  static tandem::qemu_config slave_config()
  {
    tandem::qemu_config c = config("aarch64");
    c.windows = {{"memory_window", memory_at, memory_size, platform_memory},
                 {"device", device_at, device_size, platform_device}};
    c.held = c.may_crash = true;
    c.boot_memory = {ram_at, memory_size, 0x8000, 0x10000};
    c.observed.cached = {{platform_memory + cached_at, cached_size}};
    c.cache.line = line_bytes;
    for (unsigned i = 0; i < pins; ++i)
      c.interrupt_pins.push_back(i);
    return c;
  }

  void run(unsigned quanta)
  {
    fuzz::fake_process::serving = true;
    sc_core::sc_start(tlm::tlm_global_quantum::instance().get() * quanta);
    fuzz::fake_process::serving = false;
    announce_main_stack();
    if (sc_core::sc_get_status() != sc_core::SC_PAUSED)
      found("the simulation has ended");
  }

  void boot()
  {
    slave.boot(platform_memory + boot_at, boot_size);
    slave_process.booted = true;
  }

  /// To a slave at rest, whose process waits for its answer.
  void command()
  {
    switch (slave_process.bytes.below(8)) {
    case 0:
      return slave.hold();
    case 1:
      return slave.halt();
    case 2:
      return slave.switch_off(slave_process.bytes.byte());
    case 3:
      return targets.reset.write(!targets.reset.read());
    default:
      boot();
    }
  }

  /// Whether the memory that the slave is to run from has been forbidden it: not one page of some
  /// part of it is left. That is an error of the platform, and the only one that there is.
  bool boot_is_forbidden()
  {
    for (const tandem::qemu_window &part :
         tandem::boot_windows(slave_config().boot_memory, boot_at, boot_size)) {
      bool forbidden = true;
      for (std::uint64_t at = 0; at < part.size; at += page_size) {
        tlm::tlm_generic_payload payload;
        tlm::tlm_dmi dmi;
        payload.set_read();
        payload.set_address(part.platform_address + at);
        forbidden &= !targets.to->get_direct_mem_ptr(payload, dmi);
      }
      if (forbidden)
        return true;
    }
    return false;
  }

  /// What one input has done to the platform is nothing to the next: each can be executed alone.
  void restore()
  {
    memory.set_dmi(0, memory_size, true);
    for (tandem::interrupt_out &line : targets.lines)
      line.write(false);
    targets.reset.write(false);
  }

  void play(const fuzz::input &input)
  {
    restore();
    slave_process.bytes = input;
    boot();
    unsigned step = 0;
    do {
      run(step < short_steps ? 1 : window_quanta);
      if (slave.at_rest() && !slave_process.bytes.empty())
        command();
      else if (slave.at_rest() || slave_process.dead)
        break;
    } while (++step < short_steps + long_steps);
    end();
  }

  /// The process dies, wherever it is. It may be on its way to a time of its own, at the end of its
  /// window or a delay later; or there is none yet for the program that is to start, or its
  /// successor has been started meanwhile.
  void end()
  {
    const auto ended = [this] { return !slave_process.page && slave.at_rest(); };
    for (unsigned i = 0; i < 40 && !ended(); ++i) {
      slave_process.dead = true;
      slave_process.how = {true, 9};
      slave.session().check_death();
      run(window_quanta / 20);
    }
    if (!ended()) {
      std::fprintf(stderr, "fuzz_bridge: state %s\n", slave.state_text());
      found("the instance does not notice the end of its process");
    }
  }
};

// ---- what the process does ----

bool attacker::meddle()
{
  switch (bytes.byte() % 24) {
  case 0: { // writes anywhere
    const unsigned at = bytes.take<std::uint16_t>() % TANDEM_WIRE_PAGE_BYTES;
    reinterpret_cast<std::uint8_t *>(page)[at] = bytes.byte();
    return true;
  }
  case 1: // over the request that was checked
    page->request.kind = bytes.byte();
    page->request.size = bytes.byte();
    page->request.address = some_address();
    return true;
  case 2: // over the reply in the making
    page->reply.dmi_count = bytes.take<std::uint32_t>();
    page->reply.more = bytes.byte();
    return true;
  case 3:
    std::memset(page->error, bytes.byte(), sizeof page->error);
    return true;
  case 4: {
    const std::uint8_t wake = bytes.byte();
    (void)!send(socket, &wake, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    hear();
    return true;
  }
  case 5:
    shutdown(socket, SHUT_RDWR);
    hear();
    return true;
  case 6: {
    tandem::interrupt_out &line = in->targets.lines[bytes.below(pins)];
    line.write(!line.read());
    return true;
  }
  case 7:
    in->targets.reset.write(!in->targets.reset.read());
    return true;
  case 8: {
    const std::uint64_t at = bytes.byte() * page_size;
    const std::uint64_t size = std::min(page_size * (1 + bytes.below(8)), memory_size - at);
    in->memory.set_dmi(at, size, bytes.byte() & 1);
    return true;
  }
  case 9:
    if (!in->slave.at_rest())
      in->slave.hold();
    return true;
  case 10:
    if (!in->slave.at_rest())
      in->slave.halt();
    return true;
  case 11:
    if (!in->slave.at_rest())
      in->slave.switch_off(bytes.byte());
    return true;
  case 12:
    page->paused = bytes.byte();
    return true;
  case 13:
    page->stops = bytes.byte();
    page->split_atomics = bytes.byte();
    return true;
  case 14:
    fill_lines(bytes.byte());
    return true;
  case 15: // an access of a debugger, good or bad, with a word of it or without
    page->debug.address = some_address();
    page->debug.size = bytes.once_in(8) ? bytes.take<std::uint32_t>() : 1u << bytes.below(4);
    page->debug.write = bytes.byte() & 1;
    page->debug_seq += bytes.byte() & 1;
    in->slave.inspect();
    return true;
  default:
    return false;
  }
}

/// The watching thread's part.
void attacker::hear()
{
  bool debug = false;
  in->slave.session().take_wake(debug);
  if (debug)
    in->slave.inspect();
}

std::uint64_t attacker::some_time()
{
  const std::uint64_t end = page->reply.window_end_ns;
  switch (bytes.below(16)) {
  case 0:
    return bytes.take<std::uint64_t>();
  case 1:
    return page->request.time_ns - 1;
  case 2:
    return page->request.time_ns;
  case 3:
    return end + bytes.take<std::uint32_t>();
  case 4:
    return TANDEM_WIRE_NEVER;
  case 5:
  case 6:
  case 7:
  case 8:
    return std::min<std::uint64_t>(end, page->request.time_ns + bytes.byte() * 100);
  default:
    return end - std::min<std::uint64_t>(end, bytes.byte());
  }
}

std::uint64_t attacker::some_address()
{
  const std::uint64_t at = bytes.take<std::uint16_t>();
  switch (bytes.below(12)) {
  case 0:
    return bytes.take<std::uint64_t>();
  case 1:
    return memory_at + memory_size - 8 + at % 16;
  case 2:
    return device_at - 8 + at % 16;
  case 3:
    return UINT64_MAX - at % 16;
  case 4:
  case 5:
    return ram_at + at * 16;
  case 6:
  case 7:
    return memory_at + cached_at + at / line_bytes * line_bytes;
  case 8:
    return memory_at + at * 16;
  default:
    return device_at + at;
  }
}

void attacker::fill_lines(std::uint32_t count)
{
  for (std::uint32_t i = 0; i < std::min(count, TANDEM_WIRE_LINES) && i < 24; ++i) {
    tandem_wire_line &line = page->line[i];
    line.time_ns = some_time();
    line.address = some_address();
    line.flags = bytes.byte();
    line.cpu = bytes.byte();
  }
}

void attacker::fill_request()
{
  static constexpr std::uint32_t sizes[] = {1, 2, 4, 8, 4, 8, 0, 3};
  const std::uint8_t choice = bytes.byte();
  tandem_wire_request &r = page->request;
  r.time_ns = some_time();
  r.kind = choice >= 0xf8 ? bytes.take<std::uint32_t>() : choice % 13;
  r.flags = choice & 0x40 ? bytes.byte() & 7 : choice >= 0xf0 ? bytes.take<std::uint32_t>() : 0;
  r.size = choice & 0x80 ? bytes.take<std::uint32_t>() : sizes[bytes.below(8)];
  r.next_timer_ns = bytes.once_in(4) ? TANDEM_WIRE_NEVER : r.time_ns + bytes.take<std::uint16_t>();
  switch (r.kind) {
  case TANDEM_WIRE_READ:
  case TANDEM_WIRE_WRITE:
    r.address = some_address();
    r.data = bytes.take<std::uint64_t>();
    break;
  case TANDEM_WIRE_MISSES:
    if (choice < 0xf0)
      r.size = bytes.byte() % 24;
    fill_lines(r.size);
    break;
  case TANDEM_WIRE_HALTED:
    if (bytes.once_in(8))
      r.next_timer_ns = bytes.take<std::uint64_t>();
    break;
  default:
    break;
  }
  r.instructions += bytes.byte();
}

/// A program starts with the answer to the request of a fresh machine. What happened to the reset
/// input before that is nothing to it.
void attacker::check_start()
{
  const std::uint32_t answered = page->request.kind;
  if (!booted || (answered != TANDEM_WIRE_READY && answered != TANDEM_WIRE_RESET))
    return;
  booted = false;
  if (page->reply.control != TANDEM_WIRE_RUN)
    found("a program is reset before it starts");
}

void attacker::turn()
{
  if (page->request_seq == 0 && (bytes.empty() || *bytes.data() != 0xff)) {
    page->request = {};
    page->request.kind = TANDEM_WIRE_READY;
    page->request.data = 7ull << 32 | 2ull << 16;
    return post();
  }
  if (bytes.empty()) {
    how = {false, 0};
    dead = true;
    return;
  }
  check_start();
  while (meddle())
    if (dead || bytes.empty())
      break;
  fill_request();
  post();
}

simulation &the_simulation();

/// The error that the memory may not be run from is right when that is so, and the simulation goes
/// on, as it does for a user who has errors displayed only.
void judge_report(const sc_core::sc_report &report, const sc_core::sc_actions &actions)
{
  const bool of_memory = std::strstr(report.get_msg(), "grants no direct access to the memory");
  if (!of_memory || !the_simulation().boot_is_forbidden())
    sc_core::sc_report_handler::default_handler(report, actions);
}

simulation &the_simulation()
{
  static simulation *const only = [] {
    sc_core::sc_set_time_resolution(1, sc_core::SC_NS); // of the time that all inputs share
    tlm::tlm_global_quantum::instance().set(sc_core::sc_time(10, sc_core::SC_US));
    sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    auto *const made = new simulation;
    sc_core::sc_report_handler::set_handler(judge_report);
    return made;
  }();
  return *only;
}

} // namespace

int sc_main(int, char **)
{
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
  try {
    the_simulation().play({data, size});
  } catch (const std::exception &error) {
    found(error.what());
  }
  return 0;
}
