// SPDX-License-Identifier: Apache-2.0
#include "amp_platform.h"

#include "program_files.h"

#include "tandem-sw/guest_map.h"
#include "tandem-sw/param.h"

#include "tandem/interconnect_registry.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace tandem
{
namespace
{

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/platform", cause.c_str());
  std::abort(); // the report throws
}

constexpr std::uint64_t share_unit = 0x200000; ///< Linux on Arm wants its RAM in such blocks
constexpr std::uint64_t rom_memory_mib = 16;   ///< QEMU's own RAM of a slave, which it does not see

boot_state boot_state_of(instance_state state)
{
  switch (state) {
  case instance_state::held:
    return boot_state::held;
  case instance_state::halted:
    return boot_state::halted;
  case instance_state::stopped:
    return boot_state::off;
  case instance_state::crashed:
    return boot_state::crashed;
  default:
    return boot_state::running;
  }
}

std::uint32_t boot_reason(rest_cause cause, unsigned number)
{
  const std::uint32_t low = number & TANDEM_IDM_BOOT_REASON_NUMBER;
  switch (cause) {
  case rest_cause::exit:
    return TANDEM_IDM_BOOT_REASON_EXIT | low;
  case rest_cause::poweroff:
    return TANDEM_IDM_BOOT_REASON_POWEROFF;
  case rest_cause::reset:
    return TANDEM_IDM_BOOT_REASON_RESET;
  case rest_cause::signal:
    return TANDEM_IDM_BOOT_REASON_SIGNAL | low;
  case rest_cause::status:
    return TANDEM_IDM_BOOT_REASON_STATUS | low;
  case rest_cause::hung:
    return TANDEM_IDM_BOOT_REASON_HUNG;
  case rest_cause::wire:
    return TANDEM_IDM_BOOT_REASON_WIRE;
  default:
    return 0;
  }
}

/// "SOURCE>INSTANCE[:edge|:level][:invert]"
interrupt_route parse_route(const std::string &text)
{
  const std::size_t arrow = text.find('>');
  if (arrow == std::string::npos)
    fail("impossible route '" + text + "'; give SOURCE>INSTANCE[:edge|:level][:invert]");
  interrupt_route route;
  route.source = text.substr(0, arrow);
  std::string rest = text.substr(arrow + 1);
  const std::size_t colon = rest.find(':');
  route.destination = rest.substr(0, colon);
  while (!rest.empty() && rest.find(':') != std::string::npos) {
    rest = rest.substr(rest.find(':') + 1);
    const std::string word = rest.substr(0, rest.find(':'));
    if (word == "edge")
      route.mode = interrupt_mode::edge;
    else if (word == "invert")
      route.invert = true;
    else if (word != "level")
      fail("impossible route '" + text + "'; '" + word + "' is not edge, level or invert");
  }
  return route;
}

} // namespace

qemu_config amp_platform::complete(const platform_options &options,
                                   const platform_options::instance &instance)
{
  qemu_config config = instance.qemu;
  const qemu_machine &machine = find_machine(config.machine);
  const guest_map &place = machine.map;
  config.interrupt_pins = {place.idm_interrupt};
  config.windows = {{"idm", place.idm, TANDEM_IDM_PORT_SIZE, idm_address}};
  for (const share &part : observed(options, "cached"))
    config.cached.push_back({shm_address + part.offset, part.size});
  config.cache = options.cache;
  const bool slave = &instance != &options.instances.front();
  config.may_crash = slave && (options.on_slave_crash.empty() ? instance.booted_by_master
                                                              : options.on_slave_crash == "report");
  if (instance.booted_by_master) {
    config.held = true;
    config.boot_memory = place.ram;
    config.kernel = config.firmware = config.initrd = config.dtb = config.append = "";
    (machine.boot_rom.is_firmware ? config.firmware : config.kernel) =
        find_guest(machine.boot_rom.file, config.machine);
    config.memory_mib = machine.memory_mib ? rom_memory_mib : 0;
    return config;
  }
  const std::uint64_t size = options.shared_memory_size;
  const bool moved = instance.memory_address != 0;
  config.windows.push_back({"shm", moved ? instance.memory_address : place.shm,
                            moved ? size : std::min(size, place.shm_limit), shm_address});
  if (place.shm_high)
    config.windows.push_back({"shm-high", place.shm_high, size, shm_address});
  config.append = linux_command_line(config);
  return config;
}

std::vector<amp_platform::share> amp_platform::shares(const platform_options &options)
{
  std::uint64_t equal = options.shared_memory_size / 2;
  const auto booted = std::count_if(options.instances.begin(), options.instances.end(),
                                    [](const auto &i) { return i.booted_by_master; });
  if (booted)
    equal = equal / static_cast<std::uint64_t>(booted) / share_unit * share_unit;
  std::vector<share> result(options.instances.size());
  std::uint64_t left = options.shared_memory_size;
  for (std::size_t p = options.instances.size(); p-- > 0;) {
    const auto &i = options.instances[p];
    if (!i.booted_by_master)
      continue;
    const std::uint64_t limit = find_machine(i.qemu.machine).map.ram.limit;
    const std::uint64_t size = i.window ? i.window : std::min(equal, limit);
    if (size == 0 || size % 4096 || size > limit || size > left)
      fail(i.name + ": a window of " + std::to_string(size) +
           " bytes is not possible; it must be in whole 4 KiB pages, at most " +
           std::to_string(limit) + " bytes, and all of them must fit into the shared memory");
    left -= size;
    result[p] = {left, size};
  }
  return result;
}

std::vector<amp_platform::share> amp_platform::observed(const platform_options &options,
                                                        const std::string &mode)
{
  // From one end of a range to the next, all bytes are observed alike.
  const std::uint64_t size = options.shared_memory_size;
  std::map<std::uint64_t, std::string> pieces = {{0, "direct"}, {size, ""}};
  for (const auto &o : options.observations) {
    if (o.offset >= size || o.size > size - o.offset)
      fail("the range of " + std::to_string(o.size) + " bytes at offset " +
           std::to_string(o.offset) + " to observe leaves the shared memory");
    if (o.offset % 4096 || o.size % 4096)
      fail("a range to observe is not in whole 4 KiB pages");
    const std::uint64_t end = o.size ? o.offset + o.size : size;
    pieces.emplace(end, std::prev(pieces.upper_bound(end))->second);
    pieces.erase(pieces.lower_bound(o.offset), pieces.find(end));
    pieces[o.offset] = o.mode;
  }
  std::vector<share> result;
  for (auto p = pieces.begin(); std::next(p) != pieces.end(); ++p)
    if (p->second == mode)
      result.push_back({p->first, std::next(p)->first - p->first});
  return result;
}

amp_platform::amp_platform(const platform_options &options)
{
  tlm::tlm_global_quantum::instance().set(options.quantum);
  time_domain::config time;
  time.mode = options.mode;
  time.lookahead = options.lookahead;
  time.time_limit = options.time_limit;
  time.hang_seconds = options.hang_seconds;
  time.measure_host = options.measure;
  time.realtime = options.realtime;
  time.wait_for_outside =
      std::any_of(options.instances.begin(), options.instances.end(), [](const auto &i) {
        return i.qemu.console != "log" && i.qemu.console != "none";
      });
  domain_ = std::make_unique<time_domain>("time", time);

  shared_memory_config memory;
  memory.size = options.shared_memory_size;
  memory.backing = options.shared_memory_backing;
  memory.read_latency = options.read_latency;
  memory.write_latency = options.write_latency;
  const bool caches =
      !observed(options, "cached").empty() || !observed(options, "every-cached").empty();
  if (options.mode == run_mode::free && caches)
    fail("in free mode no time is counted, so memory cannot be observed through caches");
  for (const char *mode : {"every", "every-cached"})
    for (const share &part : observed(options, mode))
      memory.ranges.push_back({part.offset, part.size, true, true, false});
  if (options.mode == run_mode::free && !memory.ranges.empty())
    SC_REPORT_WARNING("/tandem/platform", "in free mode, atomic instructions on memory that is "
                                          "observed access by access are not atomic");
  memory_ = std::make_unique<shared_memory>("shm", memory);

  idm_config device;
  device.participants = static_cast<unsigned>(options.instances.size());
  device.fifo_depth = options.fifo_depth;
  device.locks = options.locks;
  device.access_latency = options.idm_latency;
  device.memory_size = options.shared_memory_size;
  idm_ = std::make_unique<idm>("idm", device);
  idm_->on_exit = [this](unsigned participant, unsigned status) {
    guest_exit(participant, status);
  };

  load_memory(options);
  build_instances(options);
  build_interconnect(options);
  build_fabric(options);
  build_boot(options);
  build_monitor();
}

amp_platform::~amp_platform() = default;

void amp_platform::build_instances(const platform_options &options)
{
  for (const auto &i : options.instances) {
    qemu_config config = complete(options, i);
    check_config(i.name, config);
    if (std::optional<inherited_file> file = describe_to_linux(options, i, config))
      files_.push_back(std::move(*file));
    instances_.push_back(std::make_unique<qemu_instance>(i.name.c_str(), *domain_, config));
  }
  exited_.resize(instances_.size());
}

void amp_platform::build_boot(const platform_options &options)
{
  const std::vector<share> windows = shares(options);
  for (unsigned p = 0; p < instances_.size(); ++p) {
    const qemu_config &config = instances_[p]->config();
    instances_[p]->on_rest = [this, p](instance_state state, rest_cause cause, unsigned number) {
      idm_->set_state(p, boot_state_of(state), boot_reason(cause, number));
    };
    if (!config.held) {
      idm_->set_state(p, boot_state::running);
      continue;
    }
    const qemu_machine &machine = find_machine(config.machine);
    bootable what;
    what.elf_machine = machine.elf_machine;
    what.elf_bits = machine.elf_bits;
    what.cpus = config.cpus;
    what.ram = config.boot_memory.guest_address;
    what.limit = config.boot_memory.limit;
    what.window = windows[p].offset;
    what.window_size = windows[p].size;
    idm_->make_bootable(p, what);
  }
  idm_->on_boot = [this](const boot_command &command) { carry_out(command); };
}

void amp_platform::build_monitor()
{
  std::vector<rpmsg_monitor_slave> slaves;
  for (unsigned p = 0; p < instances_.size(); ++p)
    if (const qemu_config &config = instances_[p]->config(); config.held)
      slaves.push_back({p, instances_[p]->name(), config.boot_memory.guest_address});
  if (slaves.empty())
    return;
  rpmsg_ = std::make_unique<rpmsg_monitor>("rpmsg", slaves);
  rpmsg_->memory.bind(memory_->socket);
  idm_->add_observer(*rpmsg_);
}

void amp_platform::carry_out(const boot_command &command)
{
  qemu_instance &slave = *instances_[command.slave];
  switch (command.command) {
  case boot_command::kind::boot:
    idm_->set_state(command.slave, boot_state::running);
    slave.boot(shm_address + command.window, command.size);
    break;
  case boot_command::kind::reset:
    slave.hold();
    break;
  case boot_command::kind::halt:
    slave.halt();
    break;
  }
}

interconnect_config amp_platform::network_config(const platform_options &options)
{
  interconnect_config config;
  config.parameters = options.interconnect_parameters;
  config.default_target = options.default_target;
  config.targets = {"shm"};
  config.map = {{"shm", shm_address, options.shared_memory_size, "shm", 0, {}}};
  for (unsigned p = 0; p < options.instances.size(); ++p) {
    const std::string name = options.instances[p].name;
    config.initiators.push_back(name);
    config.targets.push_back("idm_" + name);
    config.map.push_back({"idm_" + name, idm_address, TANDEM_IDM_PORT_SIZE, "idm_" + name, 0, p});
  }
  return config;
}

void amp_platform::build_interconnect(const platform_options &options)
{
  const interconnect_config config = network_config(options);
  interconnect_ = make_interconnect(options.interconnect, "interconnect", config);
  if (options.dram) {
    dram_ = std::make_unique<dram>("dram", *options.dram);
    connect("dram", interconnect_->to[0], dram_->socket, options.check);
    connect("shm", dram_->memory, memory_->socket, options.check);
  } else {
    connect("shm", interconnect_->to[0], memory_->socket, options.check);
  }
  for (unsigned p = 0; p < instances_.size(); ++p) {
    attach(p, options);
    connect("idm_" + config.initiators[p], interconnect_->to[p + 1], idm_->port[p], options.check);
  }
}

/// An instance to the interconnect, through the caches that options ask for.
void amp_platform::attach(unsigned p, const platform_options &options)
{
  const std::string name = instances_[p]->basename();
  auto *socket = &interconnect_->from[p];
  const std::vector<share> parts = observed(options, "every-cached");
  if (parts.empty())
    return connect(name, instances_[p]->socket, *socket, options.check);
  const qemu_cache &c = options.cache;
  if (c.fetches)
    fail("every-cached sees no instruction fetches; leave fetches=on to cached");
  if (instances_[p]->config().cpus > 1)
    fail(name + ": every-cached is for instances with one CPU: transactions do not say which");
  cache_config config{c.line, c.l1_size, c.l1_ways, c.replacement, {}};
  for (const share &part : parts)
    config.ranges.push_back({shm_address + part.offset, part.size});
  caches_.push_back(std::make_unique<cache>(("cache_" + name).c_str(), config));
  cache &first = *caches_.back();
  connect("cache_" + name, instances_[p]->socket, first.in, options.check);
  if (!c.l2_size)
    return connect(name, first.out, *socket, options.check);
  config.size = c.l2_size;
  config.ways = c.l2_ways;
  caches_.push_back(std::make_unique<cache>(("cache2_" + name).c_str(), config));
  connect("cache2_" + name, first.out, caches_.back()->in, options.check);
  connect(name, caches_.back()->out, *socket, options.check);
}

template <typename From, typename To>
void amp_platform::connect(const std::string &name, From &from, To &to, bool check)
{
  if (!check)
    return from.bind(to);
  checkers_.push_back(std::make_unique<protocol_checker>(("check_" + name).c_str()));
  from.bind(checkers_.back()->in);
  checkers_.back()->out.bind(to);
}

void amp_platform::build_fabric(const platform_options &options)
{
  interrupt_fabric_config config;
  for (const auto &i : options.instances) {
    config.sources.push_back("idm_" + i.name);
    config.destinations.push_back(i.name);
    config.routes.push_back({"idm_" + i.name, i.name, interrupt_mode::level, false});
  }
  for (const std::string &route : options.routes)
    config.routes.push_back(parse_route(route));
  fabric_ = std::make_unique<interrupt_fabric>("fabric", config);
  for (unsigned p = 0; p < instances_.size(); ++p) {
    idm_->irq[p].bind(fabric_->in[p]);
    fabric_->out[p].bind(instances_[p]->irq[0]);
  }
}

void amp_platform::load_memory(const platform_options &options)
{
  const std::vector<share> windows = shares(options);
  if (std::any_of(windows.begin(), windows.end(),
                  [](const share &s) { return s.size && s.offset < GUEST_MAP_INPUT_OFFSET; })) {
    if (!options.input.empty() || !options.parameters.empty())
      fail("the slaves' windows leave no room in the shared memory for an input or parameters");
    return; // all of the memory is the slaves'
  }
  std::string words = options.parameters;
  const std::uint64_t size = memory_->size();
  if (!options.input.empty()) {
    std::ifstream file(options.input, std::ios::binary | std::ios::ate);
    if (!file || std::filesystem::is_directory(options.input))
      fail("the input '" + options.input + "' cannot be read");
    const auto length = static_cast<std::uint64_t>(file.tellg());
    if (size < GUEST_MAP_INPUT_OFFSET || length > size - GUEST_MAP_INPUT_OFFSET)
      fail("the input '" + options.input + "' of " + std::to_string(length) +
           " bytes does not fit into the shared memory; see --shared-memory");
    file.seekg(0);
    if (length && !file.read(reinterpret_cast<char *>(memory_->data() + GUEST_MAP_INPUT_OFFSET),
                             static_cast<std::streamsize>(length)))
      fail("the input '" + options.input + "' cannot be read");
    words += (words.empty() ? "" : " ") + ("input=" + std::to_string(length));
  }
  words += (words.empty() ? "" : " ") + ("seed=" + std::to_string(options.seed));
  const std::uint32_t header[2] = {PARAM_PAGE_MAGIC, static_cast<std::uint32_t>(words.size())};
  if (words.size() > PARAM_PAGE_SIZE - sizeof header)
    fail("the parameters for the guests are longer than their page");
  std::memcpy(memory_->data() + PARAM_PAGE_OFFSET, header, sizeof header);
  std::memcpy(memory_->data() + PARAM_PAGE_OFFSET + sizeof header, words.data(), words.size());
}

void amp_platform::guest_exit(unsigned participant, unsigned status)
{
  if (instances_[participant]->config().held) // a matter between it and the master
    return instances_[participant]->switch_off(status);
  exit_status_ = std::max(exit_status_, static_cast<int>(status));
  exited_[participant] = true;
  const bool all = std::all_of(exited_.begin(), exited_.end(), [](bool e) { return e; });
  if (participant == 0 || status != 0 || all)
    domain_->stop("a guest has ended the run");
}

std::string amp_platform::end_reason() const
{
  if (domain_->stop_reason())
    return domain_->stop_reason();
  const sc_core::sc_time &limit = domain_->parameters().time_limit;
  if (limit != sc_core::SC_ZERO_TIME && sc_core::sc_time_stamp() >= limit)
    return "the time limit is reached";
  return "all instances sleep and nothing can wake them";
}

} // namespace tandem
