// SPDX-License-Identifier: Apache-2.0
#include "platform.h"

#include "command_line.h"
#include "topology.h"

#include "tandem-sw/guest_map.h"
#include "tandem-sw/param.h"

#include "tandem/interconnect_registry.h"

#include <algorithm>
#include <sstream>

namespace tandem
{
namespace
{

[[noreturn]] void refuse(const std::string &cause)
{
  refuse_system("", cause);
}

std::unique_ptr<sc_core::sc_module> make(const described_part &part)
{
  return made_at(part, [&] { return make_part(part.kind, part.name, part.values); });
}

std::unique_ptr<interconnect> make(const planned_network &network)
{
  const described_interconnect &described = network.described;
  return made_at(described,
                 [&] { return make_interconnect(described.kind, described.name, network.config); });
}

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
    return low ? TANDEM_IDM_BOOT_REASON_EXIT | low : TANDEM_IDM_BOOT_REASON_POWEROFF;
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

bootable bootable_of(const planned_instance &one)
{
  const qemu_machine &machine = find_machine(one.config.machine);
  bootable what;
  what.elf_machine = machine.elf_machine;
  what.elf_bits = machine.elf_bits;
  what.cpus = one.config.cpus;
  what.ram = one.config.boot_memory.guest_address;
  what.limit = one.config.boot_memory.limit;
  what.window = one.share.offset;
  what.window_size = one.share.size;
  return what;
}

/// The bytes of the input file that options name.
std::string read_input(const std::string &path, std::uint64_t room)
{
  std::string bytes;
  if (!read_whole(path, room, bytes))
    refuse("the input '" + path + "' " +
           (bytes.size() > room ? "does not fit into the " + std::to_string(room) +
                                      " bytes of the shared memory; see --shared-memory"
                                : "cannot be read"));
  return bytes;
}

const part_info &part_of(const system_plan &plan, const std::string &name)
{
  const auto found = std::find_if(plan.parts.begin(), plan.parts.end(),
                                  [&name](const described_part &p) { return p.name == name; });
  return part_description(found->kind);
}

} // namespace

/// Writes what the shared memory begins with, as soon as sockets can be used and before a guest
/// runs: by debug transport of an instance that sees it, for it may lie behind any interconnect.
class platform::loader : public sc_core::sc_module
{
public:
  std::vector<std::pair<std::uint64_t, std::string>> content; ///< by address

  loader(const sc_core::sc_module_name &name, qemu_instance &by) : sc_module(name), by_(by) {}

private:
  void start_of_simulation() override
  {
    for (auto &[address, bytes] : content) {
      tlm::tlm_generic_payload payload;
      payload.set_write();
      // Interleaved memory takes a granule at a time.
      for (std::size_t done = 0; done < bytes.size();) {
        payload.set_address(address + done);
        payload.set_data_ptr(reinterpret_cast<unsigned char *>(&bytes[done]));
        payload.set_data_length(static_cast<unsigned>(std::min(piece, bytes.size() - done)));
        payload.set_streaming_width(payload.get_data_length());
        const unsigned written = by_.socket->transport_dbg(payload);
        if (written == 0)
          refuse(
              "the shared memory cannot be written to by debug transport, for the guests' input");
        done += written;
      }
    }
  }

  static constexpr std::size_t piece = 1 << 20;
  qemu_instance &by_;
};

void check_models(const system_plan &plan)
{
  for (const described_part &part : plan.parts)
    if (part_description(part.kind).place != guest_place::shared_memory)
      make(part);
  for (const planned_network &network : plan.networks)
    make(network);
}

platform::platform(const system_plan &plan, const platform_options &options)
    : plan_(plan), marks_(options.regions)
{
  tlm::tlm_global_quantum::instance().set(options.quantum);
  build_domain(options);
  build_parts();
  build_instances();
  build_networks();
  bind(options.check);
  build_fabric();
  build_boot();
  build_monitor();
  build_marks();
  load_memory(options);
}

platform::~platform() = default;

void platform::build_domain(const platform_options &options)
{
  time_domain::config time;
  time.mode = options.mode;
  time.lookahead = options.lookahead;
  time.time_limit = options.time_limit;
  time.hang_seconds = options.hang_seconds;
  time.measure_host = options.measure;
  time.realtime = options.realtime;
  time.wait_for_outside =
      std::any_of(plan_.instances.begin(), plan_.instances.end(), [](const planned_instance &one) {
        return one.config.console != "log" && one.config.console != "none";
      });
  domain_ = std::make_unique<time_domain>("time", time);
}

void platform::build_parts()
{
  for (const described_part &part : plan_.parts)
    parts_[part.name] = make(part);
}

void platform::build_instances()
{
  for (const planned_instance &one : plan_.instances) {
    qemu_config config = one.config;
    check_config(one.name, config);
    if (std::optional<inherited_file> file = describe_to_linux(one, config))
      files_.push_back(std::move(*file));
    instances_.push_back(std::make_unique<qemu_instance>(one.name.c_str(), *domain_, config));
  }
  exited_.resize(instances_.size());
}

void platform::build_networks()
{
  for (const planned_network &network : plan_.networks)
    networks_.push_back(make(network));
}

void platform::bind(bool check)
{
  for (const planned_link &link : plan_.links) {
    if (!check) {
      binder_.sockets(link.from, link.to);
      continue;
    }
    checkers_.push_back(std::make_unique<protocol_checker>(link.checker.c_str()));
    binder_.sockets(link.from, link.checker + ".in");
    binder_.sockets(link.checker + ".out", link.to);
  }
}

void platform::build_fabric()
{
  if (plan_.fabric.sources.empty())
    return;
  fabric_ = std::make_unique<interrupt_fabric>("fabric", plan_.fabric);
  for (const auto &[from, to] : plan_.wires)
    binder_.interrupt(from, to);
}

idm *platform::find_idm(const std::string &name) const
{
  const auto found = parts_.find(name);
  return found == parts_.end() ? nullptr : dynamic_cast<idm *>(found->second.get());
}

void platform::build_boot()
{
  std::map<std::string, std::vector<unsigned>> participants; // of each IDM: instances
  for (unsigned i = 0; i < instances_.size(); ++i) {
    const planned_instance &one = plan_.instances[i];
    idm *const device = find_idm(one.idm);
    instances_[i]->on_rest = [this, &one, i, device](instance_state state, rest_cause cause,
                                                     unsigned number) {
      if (cause == rest_cause::poweroff && !one.config.held)
        guest_exit(i, number);
      else if (device)
        device->set_state(one.participant, boot_state_of(state), boot_reason(cause, number));
    };
    if (!device)
      continue;
    participants[one.idm].push_back(i);
    if (one.config.held)
      device->make_bootable(one.participant, bootable_of(one));
    else
      device->set_state(one.participant, boot_state::running);
  }
  for (const auto &[name, who] : participants) {
    idm &device = *find_idm(name);
    device.on_exit = [this, who = who](unsigned participant, unsigned status) {
      guest_exit(who[participant], status);
    };
    device.on_boot = [this, &device, who = who](const boot_command &command) {
      if (command.command == boot_command::kind::boot)
        device.set_state(command.slave, boot_state::running);
      carry_out(who, command);
    };
  }
}

void platform::carry_out(const std::vector<unsigned> &participants, const boot_command &command)
{
  qemu_instance &slave = *instances_[participants[command.slave]];
  switch (command.command) {
  case boot_command::kind::boot:
    slave.boot(plan_.shared.address + command.window, command.size);
    break;
  case boot_command::kind::reset:
    slave.hold();
    break;
  case boot_command::kind::halt:
    slave.halt();
    break;
  }
}

/// Of the first IDM that has slaves.
void platform::build_monitor()
{
  std::vector<rpmsg_monitor_slave> slaves;
  std::string device;
  for (const planned_instance &one : plan_.instances)
    if (one.config.held && (device.empty() || device == one.idm)) {
      device = one.idm;
      slaves.push_back({one.participant, one.name, one.config.boot_memory.guest_address});
    }
  if (slaves.empty() || plan_.shared.part.empty() || !find_idm(device))
    return;
  rpmsg_ = std::make_unique<rpmsg_monitor>("rpmsg", slaves);
  rpmsg_memory_ = std::make_unique<debug_tape>("rpmsg_memory");
  rpmsg_->memory.bind(*rpmsg_memory_);
  binder_.sockets("rpmsg_memory.memory",
                  plan_.shared.part + "." + part_of(plan_, plan_.shared.part).targets.front().name);
  find_idm(device)->add_observer(*rpmsg_);
}

/// A participant that is no instance is called after its port.
void platform::build_marks()
{
  for (const auto &[name, part] : parts_) {
    idm *const device = dynamic_cast<idm *>(part.get());
    if (!device)
      continue;
    std::vector<std::string> makers;
    for (unsigned p = 0; p < device->config().participants; ++p)
      makers.push_back(name + ".p" + std::to_string(p));
    for (const planned_instance &one : plan_.instances)
      if (one.idm == name && one.participant < makers.size())
        makers[one.participant] = one.name;
    listeners_.push_back(std::make_unique<mark_listener>(
        [this, makers](unsigned participant, const guest_mark &mark) {
          guest_mark named = mark;
          named.by = makers.at(participant);
          marks_.add(named);
          for (const auto &heard : heard_)
            heard(named);
        }));
    device->add_observer(*listeners_.back());
  }
}

/// "7.n=5" where there is no participant 7 is a slip, which nobody else would see.
void platform::check_addressees(const std::string &words) const
{
  std::istringstream each(words);
  for (std::string word; each >> word;) {
    const std::size_t digits = word.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string::npos || word[digits] != '.')
      continue;
    const std::string number = word.substr(0, digits);
    const auto meant = [&number](const planned_instance &one) {
      return std::to_string(one.participant) == number;
    };
    if (std::none_of(plan_.instances.begin(), plan_.instances.end(), meant))
      refuse("--param " + word + " is for participant " + number + ", and there is none");
  }
}

void platform::load_memory(const platform_options &options)
{
  const std::uint64_t size = plan_.shared.size;
  const bool room =
      std::none_of(plan_.instances.begin(), plan_.instances.end(), [](const planned_instance &one) {
        return one.share.size && one.share.offset < GUEST_MAP_INPUT_OFFSET;
      });
  if (!room || size == 0) {
    if (!options.input.empty() || !options.parameters.empty())
      refuse(size == 0 ? "there is no shared memory for an input or parameters"
                       : "the slaves' windows leave no room in the shared memory for an input or "
                         "parameters");
    return; // all of the memory is the slaves'
  }
  check_addressees(options.parameters);
  loader_ = std::make_unique<loader>("loader", *instances_[plan_.shared.seen_by]);
  auto &content = loader_->content;
  std::string words = options.parameters;
  if (!options.input.empty()) {
    std::string bytes =
        read_input(options.input, size - std::min<std::uint64_t>(size, GUEST_MAP_INPUT_OFFSET));
    words += (words.empty() ? "" : " ") + ("input=" + std::to_string(bytes.size()));
    content.push_back({plan_.shared.address + GUEST_MAP_INPUT_OFFSET, std::move(bytes)});
  }
  words += (words.empty() ? "" : " ") + ("seed=" + std::to_string(options.seed));
  const std::uint32_t header[2] = {PARAM_PAGE_MAGIC, static_cast<std::uint32_t>(words.size())};
  if (words.size() > PARAM_PAGE_SIZE - sizeof header)
    refuse("the parameters for the guests are longer than their page");
  content.push_back({plan_.shared.address + PARAM_PAGE_OFFSET,
                     std::string(reinterpret_cast<const char *>(header), sizeof header) + words});
}

void platform::guest_exit(unsigned instance, unsigned status)
{
  if (instances_[instance]->config().held) // a matter between it and its master
    return instances_[instance]->switch_off(status);
  exit_status_ = std::max(exit_status_, static_cast<int>(status));
  exited_[instance] = true;
  const bool all = std::all_of(exited_.begin(), exited_.end(), [](bool e) { return e; });
  if (instance == 0 || status != 0 || all)
    domain_->stop("a guest has ended the run");
}

std::string platform::end_reason() const
{
  if (domain_->stop_reason())
    return domain_->stop_reason();
  const sc_core::sc_time &limit = domain_->parameters().time_limit;
  if (limit != sc_core::SC_ZERO_TIME && sc_core::sc_time_stamp() >= limit)
    return "the time limit is reached";
  if (sc_core::sc_get_status() == sc_core::SC_STOPPED)
    return "a part has stopped the simulation";
  if (sc_core::sc_get_status() == sc_core::SC_PAUSED && sc_core::sc_pending_activity())
    return "a part has paused the simulation";
  return "all instances sleep and nothing can wake them";
}

} // namespace tandem
