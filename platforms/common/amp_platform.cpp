// SPDX-License-Identifier: Apache-2.0
#include "amp_platform.h"

#include "tandem-sw/guest_map.h"
#include "tandem-sw/param.h"

#include "tandem/interconnect_registry.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace tandem
{
namespace
{

[[noreturn]] void fail(const std::string &cause)
{
  SC_REPORT_ERROR("/tandem/platform", cause.c_str());
  std::abort(); // the report throws
}

bool has_64_bit_addresses(const std::string &machine)
{
  return find_machine(machine).elf_bits == 64;
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

std::vector<qemu_window> amp_platform::windows(const std::string &machine, std::uint64_t size)
{
  const bool x86 = machine.rfind("x86", 0) == 0, m = machine == "cortexm";
  const std::uint64_t idm_at = x86 ? GUEST_MAP_X86_64_IDM
                               : m ? GUEST_MAP_CORTEXM_IDM
                                   : GUEST_MAP_VIRT_IDM;
  const std::uint64_t shm_at = x86 ? GUEST_MAP_X86_64_SHM
                               : m ? GUEST_MAP_CORTEXM_SHM
                                   : GUEST_MAP_VIRT_SHM;
  const std::uint64_t limit = x86 ? GUEST_MAP_X86_64_SHM_LIMIT
                              : m ? GUEST_MAP_CORTEXM_SHM_LIMIT
                                  : GUEST_MAP_VIRT_SHM_LIMIT;
  std::vector<qemu_window> result = {
      {"idm", idm_at, TANDEM_IDM_PORT_SIZE, idm_address},
      {"shm", shm_at, std::min<std::uint64_t>(size, limit), shm_address}};
  if (has_64_bit_addresses(machine))
    result.push_back({"shm-high", GUEST_MAP_SHM_HIGH, size, shm_address});
  return result;
}

unsigned amp_platform::interrupt_pin(const std::string &machine)
{
  if (machine.rfind("x86", 0) == 0)
    return GUEST_MAP_X86_64_IRQ;
  return machine == "cortexm" ? GUEST_MAP_CORTEXM_IRQ : GUEST_MAP_VIRT_IRQ;
}

qemu_config amp_platform::complete(const qemu_config &config, std::uint64_t memory_size)
{
  qemu_config result = config;
  result.windows = windows(config.machine, memory_size);
  result.interrupt_pins = {interrupt_pin(config.machine)};
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
  memory_ = std::make_unique<shared_memory>("shm", memory);

  idm_config device;
  device.participants = static_cast<unsigned>(options.instances.size());
  device.fifo_depth = options.fifo_depth;
  device.locks = options.locks;
  device.access_latency = options.idm_latency;
  idm_ = std::make_unique<idm>("idm", device);
  idm_->on_exit = [this](unsigned participant, unsigned status) {
    guest_exit(participant, status);
  };

  load_memory(options);
  build_instances(options);
  build_interconnect(options);
  build_fabric(options);
}

amp_platform::~amp_platform() = default;

void amp_platform::build_instances(const platform_options &options)
{
  for (const auto &i : options.instances) {
    const qemu_config config = complete(i.qemu, options.shared_memory_size);
    check_config(i.name, config);
    instances_.push_back(std::make_unique<qemu_instance>(i.name.c_str(), *domain_, config));
  }
  exited_.resize(instances_.size());
  for (unsigned p = 0; p < instances_.size(); ++p)
    idm_->set_state(p, boot_state::running);
}

void amp_platform::build_interconnect(const platform_options &options)
{
  interconnect_config config;
  config.parameters = options.interconnect_parameters;
  config.targets = {"shm"};
  config.map = {{"shm", shm_address, memory_->size(), "shm", 0, {}}};
  for (unsigned p = 0; p < instances_.size(); ++p) {
    const std::string name = options.instances[p].name;
    config.initiators.push_back(name);
    config.targets.push_back("idm_" + name);
    config.map.push_back({"idm_" + name, idm_address, TANDEM_IDM_PORT_SIZE, "idm_" + name, 0, p});
  }
  interconnect_ = make_interconnect(options.interconnect, "interconnect", config);
  interconnect_->to[0].bind(memory_->socket);
  for (unsigned p = 0; p < instances_.size(); ++p) {
    instances_[p]->socket.bind(interconnect_->from[p]);
    interconnect_->to[p + 1].bind(idm_->port[p]);
  }
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
