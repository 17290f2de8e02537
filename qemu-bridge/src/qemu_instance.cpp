// SPDX-License-Identifier: Apache-2.0
#include "tandem/qemu_instance.h"

#include "qemu_life.h"

#include <algorithm>

namespace tandem
{

qemu_instance::qemu_instance(const sc_core::sc_module_name &name, time_domain &domain,
                             const qemu_config &config)
    : sc_module(name), socket("socket"),
      irq(static_cast<unsigned>(config.interrupt_pins.size()), [this] { lines_changed(); }),
      reset("reset"), domain_(domain), config_(config),
      report_(std::make_unique<qemu_report>(basename())),
      session_(std::make_unique<qemu_session>(basename(), domain_, config_, *report_)),
      accesses_(std::make_unique<qemu_accesses>(socket, enter_initiator(basename()).initiator,
                                                config_, *session_, *report_)),
      life_(std::make_unique<qemu_life>(
          domain_, config_, *session_, *accesses_, *report_,
          [this](instance_state state, rest_cause cause, unsigned number) {
            if (on_rest)
              on_rest(state, cause, number);
          }))
{
  domain.enroll(*this);
  reset.bind(life_->reset());
  socket.register_invalidate_direct_mem_ptr(this, &qemu_instance::invalidate);
  SC_HAS_PROCESS(qemu_instance);
  SC_THREAD(run);
}

qemu_instance::~qemu_instance() = default;

void qemu_instance::lines_changed()
{
  if (domain_.mode() == run_mode::free)
    session_->post_lines(irq.level());
  else if (state() == instance_state::idle)
    session_->wake();
}

void qemu_instance::invalidate(sc_dt::uint64 start, sc_dt::uint64 end)
{
  accesses_->memory().invalidate(start, end);
}

// ---- the thread: receive, reach the time, serve, answer ----

void qemu_instance::run()
{
  for (bool again = false;; again = true) {
    try {
      if (again)
        session_->relaunch();
      return live();
    } catch (const lost_process &how) {
      life_->lose(how);
    }
    if (!life_->wait_for_boot())
      return;
  }
}

void qemu_instance::live()
{
  while (receive()) {
    const tandem_wire_request &request = session_->request();
    if (request.kind == TANDEM_WIRE_PREPARE) {
      accesses_->prepare_ram();
      if (!session_->answer_prepare(accesses_->memory()))
        return;
      continue; // at once, as if READY were its first request
    }
    if (request.kind != TANDEM_WIRE_MISSES)
      session_->reach(request.time_ns);
    if (session_->stands()) {
      session_->resume_window();
      release_others();
      continue;
    }
    if (request.kind == TANDEM_WIRE_WINDOW || request.kind == TANDEM_WIRE_HALTED)
      domain_.at_boundary(*this);
    if (!(request.flags & TANDEM_WIRE_FLAG_LOCKED))
      accesses_->end_sequence();
    session_->await_served();
    session_->note_served();
    access_outcome outcome;
    // Commands wait for the end of a sequence, or others would wait for it as
    // long as it is halted.
    if (!serve(outcome) || !(accesses_->in_sequence() || life_->obey()) || !answer(outcome))
      return;
    release_others();
  }
}

/// All instances that are due now are released before any is waited for. After a stop this does not
/// return: whether the guest is quick with its next request must not matter.
void qemu_instance::release_others()
{
  if (domain_.mode() == run_mode::parallel || domain_.stop_reason())
    wait(sc_core::SC_ZERO_TIME);
}

bool qemu_instance::receive()
{
  if (!session_->receive())
    return false;
  accesses_->resolve();
  session_->accept();
  return true;
}

/// False when the guest has switched itself off for good.
bool qemu_instance::serve(access_outcome &outcome)
{
  switch (session_->request().kind) {
  case TANDEM_WIRE_READY:
    session_->greet();
    accesses_->memory().probe_all();
    break;
  case TANDEM_WIRE_WINDOW:
    count_.windows += !session_->window_was_cut();
    break;
  case TANDEM_WIRE_HALTED:
    ++count_.halts;
    report_->set_state(instance_state::idle);
    session_->sleep([this] { return irq.pending() || life_->pending(); });
    break;
  case TANDEM_WIRE_READ:
  case TANDEM_WIRE_WRITE:
    outcome = accesses_->access();
    session_->note_served();
    break;
  case TANDEM_WIRE_MISSES:
    accesses_->batch();
    session_->note_served();
    break;
  case TANDEM_WIRE_RESET:
    ++count_.resets;
    break;
  case TANDEM_WIRE_POWEROFF:
    life_->power_off();
    return false;
  default:
    break; // checked; UNLOCK is done
  }
  return true;
}

/// False when the simulation stops before the reply is complete.
bool qemu_instance::answer(const access_outcome &outcome)
{
  session_->await_answered();
  session_->await_live();
  domain_.answering();
  observe_anew();
  const tandem_wire_request &request = session_->request();
  tandem_wire_reply &reply = session_->prepare_reply(outcome.delay, accesses_->memory().caches());
  reply.status = outcome.status;
  reply.data = outcome.data;
  reply.control = life_->take_reset() ? TANDEM_WIRE_DO_RESET : TANDEM_WIRE_RUN;
  if (request.kind == TANDEM_WIRE_READ || request.kind == TANDEM_WIRE_WRITE ||
      request.kind == TANDEM_WIRE_MISSES)
    count_.stall_ns += reply.advance_ns;
  reply.irq_rise = irq.sample(std::max(from_ns(request.time_ns), sc_core::sc_time_stamp()));
  reply.irq_level = irq.level();
  if (request.kind == TANDEM_WIRE_RESET)
    reply.irq_rise |= reply.irq_level; // the interrupt controller has forgotten them
  if (!life_->resetting())
    report_->set_state(instance_state::running);
  accesses_->confirm_ram();
  return session_->answer(accesses_->memory());
}

/// Not in the middle of an atomic instruction, and not in front of the access or the window's end
/// that follows on what had missed before it.
void qemu_instance::observe_anew()
{
  const tandem_wire_request &request = session_->request();
  if (!next_observed_ || request.kind == TANDEM_WIRE_MISSES || request.kind == TANDEM_WIRE_UNLOCK ||
      request.flags & TANDEM_WIRE_FLAG_LOCKED)
    return;
  accesses_->observe(*next_observed_);
  next_observed_.reset();
  life_->check_memory();
}

void qemu_instance::observe(const observed_ranges &next)
{
  next_observed_ = next;
}

// ---- checkpoints ----

const dmi_map &qemu_instance::memory() const
{
  return accesses_->memory();
}

std::string qemu_instance::unrepeatable() const
{
  const bool may_be_replaced = config_.console == "log" || config_.console == "none";
  if (config_.cpus > 1 && !may_be_replaced)
    return "it has several CPUs and a console that is no log, and its process has to be replaced";
  return session_->unrepeatable();
}

bool qemu_instance::between()
{
  return session_->between();
}

std::uint64_t qemu_instance::reached_ns() const
{
  return session_->reached_ns();
}

void qemu_instance::begin_save(int directory)
{
  session_->begin_save(directory);
}

void qemu_instance::end_save(int directory)
{
  session_->end_save(directory);
}

/// Which CPU of several is next is known to QEMU's CPU thread alone, and so is not in a checkpoint:
/// this run goes on as those that are restored from it.
void qemu_instance::begin_replace(int directory)
{
  if (config_.cpus > 1)
    session_->begin_replace(directory, accesses_->memory());
}

void qemu_instance::end_replace()
{
  session_->end_replace(accesses_->memory());
}

void qemu_instance::restore(int directory)
{
  session_->restore(directory);
}

void qemu_instance::place_ram()
{
  session_->place_ram(accesses_->memory());
}

void qemu_instance::take_over()
{
  session_->go_live(accesses_->memory());
}

// ---- what it shows ----

void qemu_instance::trace(sc_core::sc_trace_file *file) const
{
  report_->trace(file, name());
  irq.trace(file, name());
}

nlohmann::ordered_json qemu_instance::statistics() const
{
  const qemu_accesses::counters &accesses = accesses_->count();
  const dmi_map &dmi = accesses_->memory();
  const guest_counts &guest = session_->guest();
  nlohmann::ordered_json s;
  s["machine"] = config_.machine;
  s["qemu"] = session_->version();
  s["state"] = state_text();
  s["instructions"] = session_->instructions();
  s["virtual_ns"] = session_->time_ns();
  s["requests"] = {{"read", accesses.reads},   {"write", accesses.writes},
                   {"window", count_.windows}, {"halted", count_.halts},
                   {"reset", count_.resets},   {"outside", accesses.outside}};
  s["locked_sequences"] = accesses.sequences;
  s["split_atomics"] = guest.split_atomics;
  s["access_errors"] = accesses.errors;
  s["stall_ns"] = count_.stall_ns;
  s["interrupts"] = {{"delivered", irq.delivered()}, {"latest_ns", irq.latest_ns().report()}};
  s["dmi"] = {{"maps", dmi.maps()}, {"unmaps", dmi.unmaps()}};
  if (dmi.unmappable())
    s["dmi"]["unmappable"] = dmi.unmappable();
  const tandem_wire_cache_counts &c = guest.cache;
  const bool tells = config_.may_tell() || dmi.tells();
  if (config_.may_cache() || tells)
    s["requests"]["misses"] = accesses.batches;
  if (config_.may_cache())
    s["cache"] = {
        {"loads", c.loads},         {"stores", c.stores},           {"fetches", c.fetches},
        {"l1_hits", c.l1_hits},     {"l1_misses", c.l1_misses},     {"l2_hits", c.l2_hits},
        {"l2_misses", c.l2_misses}, {"write_backs", c.write_backs}, {"lost", c.lost}};
  if (tells)
    s["every"] = {{"loads", c.every_loads},
                  {"stores", c.every_stores},
                  {"fetches", c.every_fetches},
                  {"lost", c.lost}};
  s["host"] = {{"wait_s", session_->host_wait_seconds()},
               {"cpu_s", session_->cpu_seconds()},
               {"bridge_sleeps", session_->sleeps()},
               {"adapter_sleeps", session_->page().sleeps},
               {"undecoded_halts", session_->page().undecoded_halts},
               {"debug_accesses", accesses.debug}};
  if (report_->measured())
    s["host"]["read_us"] = {{"p50", statistic::level(report_->read_percentile_us(0.5))},
                            {"p99", statistic::level(report_->read_percentile_us(0.99))}};
  return s;
}

instance_state qemu_instance::state() const
{
  return report_->state();
}

console_log &qemu_instance::console()
{
  return session_->console();
}

console_log &qemu_instance::messages()
{
  return session_->messages();
}

pid_t qemu_instance::pid() const
{
  return session_->pid();
}

const std::string &qemu_instance::qemu_version() const
{
  return session_->version();
}

// ---- handed on ----

void qemu_instance::boot(std::uint64_t platform_address, std::uint64_t size)
{
  life_->boot(platform_address, size);
}

void qemu_instance::hold()
{
  life_->hold();
}

void qemu_instance::halt()
{
  life_->halt();
}

void qemu_instance::switch_off(unsigned number)
{
  life_->switch_off(number);
}

bool qemu_instance::paused() const
{
  return __atomic_load_n(&session_->page().paused, __ATOMIC_ACQUIRE) != 0;
}

bool qemu_instance::in_access() const
{
  return session_->in_access();
}

std::uint32_t qemu_instance::pauses() const
{
  return __atomic_load_n(&session_->page().stops, __ATOMIC_ACQUIRE);
}

bool qemu_instance::at_rest() const
{
  return life_->at_rest();
}

void qemu_instance::inspect()
{
  accesses_->inspect();
}

} // namespace tandem
