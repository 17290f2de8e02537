// SPDX-License-Identifier: Apache-2.0
#include "composition.h"

#include <algorithm>
#include <sstream>

namespace traffic
{

namespace
{

constexpr std::uint64_t span = 0x1000;

const std::vector<std::string> kinds = {
    "router",           "bus",        "bus",  "crossbar",
    "crossbar",         "mesh",       "ring", "users_busy_until",
    "users_two_stages", "users_mutex"};
const std::vector<std::string> arbiters = {"round_robin", "priority", "fifo", "weighted"};

/// Draws times that are odd picoseconds, so that two of them hardly ever meet.
class dice
{
public:
  explicit dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t number(std::uint64_t first, std::uint64_t last)
  {
    return first + random_() % (last - first + 1);
  }
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::uint64_t odd(std::uint64_t first, std::uint64_t last) { return number(first, last) | 1; }
  std::string picoseconds(std::uint64_t first, std::uint64_t last)
  {
    return std::to_string(odd(first, last)) + "ps";
  }
  template <typename T> const T &one_of(const std::vector<T> &choices)
  {
    return choices[random_() % choices.size()];
  }

private:
  std::mt19937_64 random_;
};

tandem::parameter_values parameters_of(const std::string &kind, dice &draw)
{
  if (kind == "router")
    return {{"latency", draw.chance(30) ? "0ns" : draw.picoseconds(1000, 90000)}};
  if (kind == "users_busy_until")
    return {{"busy", draw.picoseconds(3000, 30000)}, {"way", draw.picoseconds(10000, 150000)}};
  if (kind == "users_two_stages")
    return {{"stage", draw.picoseconds(5000, 30000)}};
  if (kind == "users_mutex")
    return {{"way", draw.picoseconds(1000, 15000)}};
  tandem::parameter_values values = {{"clock", draw.picoseconds(1500, 9000)},
                                     {"width", std::to_string(1u << draw.number(1, 4))},
                                     {"overhead", std::to_string(draw.number(1, 4))},
                                     {"arbitration", draw.one_of(arbiters)}};
  if (kind == "mesh") {
    values["columns"] = std::to_string(draw.number(1, 3));
    values["rows"] = std::to_string(draw.number(1, 3));
  }
  if (kind == "mesh" || kind == "ring") {
    values["router"] = std::to_string(draw.number(0, 2));
    values["link"] = std::to_string(draw.number(1, 2));
  }
  return values;
}

/// Those of users are not registered, as other tests go over all that are.
std::unique_ptr<tandem::interconnect> make(const std::string &kind, const std::string &name,
                                           const tandem::interconnect_config &config)
{
  if (kind == "users_busy_until")
    return std::make_unique<users_busy_until>(name.c_str(), config);
  if (kind == "users_two_stages")
    return std::make_unique<users_two_stages>(name.c_str(), config);
  if (kind == "users_mutex")
    return std::make_unique<users_mutex>(name.c_str(), config);
  return tandem::make_interconnect(kind, name, config);
}

} // namespace

composition_plan::composition_plan(std::uint64_t number) : seed(number)
{
  dice draw(number);
  transactions = 60;
  layers.resize(draw.number(1, 3));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    // The last layer decides what meets: one or two, to have them meet.
    const std::uint64_t width = draw.number(1, l + 1 == layers.size() ? 2 : 3);
    for (std::uint64_t n = 0; n < width; ++n) {
      const std::string kind = draw.one_of(kinds);
      layers[l].push_back({kind, parameters_of(kind, draw)});
    }
  }
  for (std::uint64_t n = draw.number(std::max<std::uint64_t>(2, layers[0].size()), 6); n > 0; --n)
    sources.push_back({static_cast<behaviour>(draw.number(0, 4)), draw.number(1, 1u << 30),
                       draw.odd(100000, 5000000)});
  for (std::uint64_t n = draw.number(2, 4); n > 0; --n)
    sinks.push_back({draw.one_of<std::string>({"memory", "queue", "worn"}), draw.odd(1000, 40000),
                     draw.chance(40)});
  for (unsigned n = 0; n < 23; ++n)
    links.push_back({draw.chance(40), draw.chance(15)});
}

std::string composition_plan::describe() const
{
  std::ostringstream text;
  text << "seed " << seed << ":";
  for (const auto &layer : layers) {
    text << " [";
    for (const node &one : layer) {
      text << " " << one.kind << "(";
      for (const auto &[key, value] : one.parameters)
        text << key << "=" << value << " ";
      text << ")";
    }
    text << " ]";
  }
  text << ", initiators:";
  for (const source &one : sources)
    text << " "
         << std::vector<const char *>{"punctual", "annotating", "decoupled", "outstanding",
                                      "locking"}[static_cast<unsigned>(one.how)];
  text << ", targets:";
  for (const sink &one : sinks)
    text << " " << one.kind << (one.dram ? " behind dram" : "");
  return text.str();
}

/// Waits as delay_consumer does, and notes when what arrives where.
struct composition::consumer : sc_core::sc_module {
  delay_consumer before{"before"};
  struct note : sc_core::sc_module {
    tlm_utils::simple_target_socket<note> in{"in"};
    tlm_utils::simple_initiator_socket<note> out{"out"};
    arrivals *to = nullptr;
    place between;

    explicit note(sc_core::sc_module_name)
    {
      in.register_b_transport(this, &note::b_transport);
      in.register_transport_dbg(this, &note::transport_dbg);
    }
    void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay)
    {
      if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
        return out->b_transport(payload, delay); // about order only, see access_extension
      to->push_back({between.behind, sc_core::sc_time_stamp().value()});
      out->b_transport(payload, delay);
      to->push_back({between.before, (sc_core::sc_time_stamp() + delay).value()});
    }
    unsigned transport_dbg(tlm::tlm_generic_payload &payload)
    {
      return out->transport_dbg(payload);
    }
  } notes{"notes"};

  explicit consumer(sc_core::sc_module_name) { before.out.bind(notes.in); }
};

/// An initiator with one or two threads, which write and read at random.
struct composition::source : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<source> socket{"socket"};
  const composition_plan &plan;
  const composition_plan::source &how;
  const std::uint32_t number;      // in access_extension
  std::vector<std::string> log[2]; // by thread

  source(sc_core::sc_module_name, const composition_plan &whole,
         const composition_plan::source &mine)
      : plan(whole), how(mine), number(static_cast<std::uint32_t>(&mine - whole.sources.data()))
  {
    const bool two = how.how == composition_plan::behaviour::outstanding;
    for (unsigned thread = 0; thread < (two ? 2u : 1u); ++thread)
      sc_core::sc_spawn(
          [this, thread] {
            dice draw(how.seed + thread);
            if (how.how == composition_plan::behaviour::decoupled)
              run_decoupled(draw);
            else
              run(draw, log[thread]);
          },
          sc_core::sc_gen_unique_name((std::string(basename()) + "_thread").c_str()));
  }

private:
  /// Its synchronisation is that of the library, its quantum its own.
  struct keeper : tlm_utils::tlm_quantumkeeper {
    sc_core::sc_time quantum;
    explicit keeper(const sc_core::sc_time &own) : quantum(own) {}
    sc_core::sc_time compute_local_quantum() override
    {
      return ps(quantum.value() - sc_core::sc_time_stamp().value() % quantum.value());
    }
  };

  std::uint64_t draw_address(dice &draw, unsigned length) const
  {
    return draw.number(0, plan.sinks.size() - 1) * span +
           draw.number(0, span / length - 1) * length;
  }
  void access(tlm::tlm_command command, std::uint64_t address, unsigned length,
              sc_core::sc_time &delay, std::vector<std::string> &notes,
              tandem::access_extension about = {})
  {
    unsigned char data[64] = {};
    tlm::tlm_generic_payload payload;
    initiator::prepare(payload, command, address, data, length);
    about.initiator = number;
    const tandem::attached_extension attached(payload, about);
    const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
    socket->b_transport(payload, delay);
    const sc_core::sc_time ended = sc_core::sc_time_stamp() + delay;
    notes.push_back(asked.to_string() + " to " + ended.to_string() + ": " +
                    payload.get_response_string());
  }
  void access(dice &draw, sc_core::sc_time &delay, std::vector<std::string> &notes)
  {
    const unsigned length = draw.one_of<unsigned>({1, 4, 4, 8, 32, 64});
    access(draw.chance(50) ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND,
           draw_address(draw, length), length, delay, notes);
  }
  /// A locked read and write of a word; what the read has left of delay is the write's.
  void modify(dice &draw, sc_core::sc_time &delay, std::vector<std::string> &notes)
  {
    tandem::access_extension about;
    about.kind = tandem::access_kind::locked;
    const std::uint64_t address = draw_address(draw, 4);
    access(tlm::TLM_READ_COMMAND, address, 4, delay, notes, about);
    about.step = tandem::lock_step::end;
    delay += ps(draw.odd(1000, 9000));
    access(tlm::TLM_WRITE_COMMAND, address, 4, delay, notes, about);
  }
  /// Waits out its delays; an annotating one asks for later than now.
  void run(dice &draw, std::vector<std::string> &notes)
  {
    const bool locks = how.how == composition_plan::behaviour::locking;
    const bool annotates = locks || how.how == composition_plan::behaviour::annotating;
    while (notes.size() < plan.transactions) {
      sc_core::wait(ps(draw.odd(1000, 90000)));
      sc_core::sc_time delay = annotates ? ps(draw.odd(0, 120000)) : sc_core::SC_ZERO_TIME;
      if (locks && notes.size() % 4 == 0)
        modify(draw, delay, notes);
      else
        access(draw, delay, notes);
      if (delay != sc_core::SC_ZERO_TIME)
        sc_core::wait(delay);
    }
  }
  void run_decoupled(dice &draw)
  {
    keeper time(ps(how.quantum));
    time.reset();
    for (unsigned n = 0; n < plan.transactions; ++n) {
      time.inc(ps(draw.odd(1000, 90000)));
      sc_core::sc_time delay = time.get_local_time();
      access(draw, delay, log[0]);
      time.set(delay);
      if (time.need_sync())
        time.sync();
    }
  }
};

composition::composition(const composition_plan &plan, const std::string &name, bool waited)
    : plan_(plan), name_(name), waited_(waited)
{
  build_layers();
  build_sinks();
  build_sources();
}

composition::~composition() = default;

std::string composition::next_name(const std::string &part)
{
  return name_ + "_" + part + std::to_string(modules_++);
}

/// At once, or through one that waits.
template <typename From, typename To>
void composition::connect(From &from, To &to, const place &between)
{
  if (!waited_)
    return from.bind(to);
  auto waiting = std::make_unique<consumer>(next_name("wait").c_str());
  waiting->notes.to = &arrivals_;
  waiting->notes.between = between;
  from.bind(waiting->before.in);
  waiting->notes.out.bind(to);
  parts_.push_back(std::move(waiting));
}

template <typename From, typename To>
void composition::connect_checked(From &from, To &to, const place &between, bool checked)
{
  if (!checked)
    return connect(from, to, between);
  auto check = std::make_unique<checker>(next_name("check").c_str());
  connect(from, check->in, between);
  check->out.bind(to);
  parts_.push_back(std::move(check));
}

/// With what the plan has in the next link.
template <typename From, typename To>
void composition::join(From &from, To &to, const place &between)
{
  const composition_plan::link &has = plan_.links[link_++ % plan_.links.size()];
  if (!has.cached)
    return connect_checked(from, to, between, has.checked);
  auto inserted = std::make_unique<tandem::cache>(
      next_name("cache").c_str(),
      tandem::cache_config{64, 1024, 2, "lru", {{0, span / 2}, {span, span / 2}}});
  connect_checked(from, inserted->in, {between.before, inserted.get()}, has.checked);
  connect_checked(inserted->out, to, {inserted.get(), between.behind}, !has.checked);
  providers_.push_back({"cache", inserted.get()});
  parts_.push_back(std::move(inserted));
}

tandem::interconnect_config composition::config_of(std::size_t layer, std::size_t index) const
{
  const bool last = layer + 1 == plan_.layers.size();
  const std::size_t width = plan_.layers[layer].size();
  const std::size_t before = layer == 0 ? plan_.sources.size() : plan_.layers[layer - 1].size();
  tandem::interconnect_config config;
  for (std::size_t i = 0; i < before; ++i)
    if (layer != 0 || i % width == index)
      config.initiators.push_back("i" + std::to_string(i));
  for (std::size_t n = 0; !last && n < plan_.layers[layer + 1].size(); ++n)
    config.targets.push_back("n" + std::to_string(n));
  for (std::size_t t = 0; t < plan_.sinks.size(); ++t) {
    const std::string sink = "t" + std::to_string(t);
    if (!last)
      config.map.push_back({sink,
                            t * span,
                            span,
                            "n" + std::to_string(t % plan_.layers[layer + 1].size()),
                            t * span,
                            {}});
    else if (t % width == index) {
      config.targets.push_back(sink);
      config.map.push_back({sink, t * span, span, sink, 0, {}});
    }
  }
  config.parameters = plan_.layers[layer][index].parameters;
  return config;
}

void composition::build_layers()
{
  for (std::size_t l = 0; l < plan_.layers.size(); ++l) {
    layers_.emplace_back();
    for (std::size_t n = 0; n < plan_.layers[l].size(); ++n) {
      layers_[l].push_back(
          make(plan_.layers[l][n].kind, next_name("interconnect"), config_of(l, n)));
      providers_.push_back({plan_.layers[l][n].kind, layers_[l][n].get()});
    }
  }
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l)
    for (std::size_t i = 0; i < layers_[l].size(); ++i)
      for (std::size_t n = 0; n < layers_[l + 1].size(); ++n)
        join(layers_[l][i]->to[n], layers_[l + 1][n]->from[i],
             {layers_[l][i].get(), layers_[l + 1][n].get()});
}

void composition::build_sinks()
{
  auto &last = layers_.back();
  for (std::size_t t = 0; t < plan_.sinks.size(); ++t) {
    const composition_plan::sink &wanted = plan_.sinks[t];
    tandem::interconnect &before = *last[t % last.size()];
    auto &socket = before.to[t / last.size()];
    const sc_core::sc_time latency = ps(wanted.latency);
    if (wanted.kind == "memory") {
      auto made = std::make_unique<tandem::shared_memory>(
          next_name("memory").c_str(),
          tandem::shared_memory_config{span, "memfd", latency, latency + ps(2), {}});
      add_sink(socket, before, wanted, made->socket, made.get());
      providers_.push_back({"memory", made.get()});
      parts_.push_back(std::move(made));
    } else {
      auto made = std::make_unique<users_target>(next_name("target").c_str());
      made->busy = latency;
      made->wear = wanted.kind == "worn" ? ps(46) : ps(0);
      add_sink(socket, before, wanted, made->socket, made.get());
      targets_.push_back(made.get());
      parts_.push_back(std::move(made));
    }
  }
}

template <typename From, typename To>
void composition::add_sink(From &from, const tandem::interconnect &before,
                           const composition_plan::sink &wanted, To &to, const void *behind)
{
  if (!wanted.dram)
    return join(from, to, {&before, behind});
  auto made = std::make_unique<tandem::dram>(
      next_name("dram").c_str(), tandem::parameter_values{{"activate", "13007ps"},
                                                          {"column", "11003ps"},
                                                          {"precharge", "12011ps"},
                                                          {"transfer", "5003ps"},
                                                          {"refresh_interval", "1900001ps"},
                                                          {"refresh_time", "90001ps"},
                                                          {"row", "512"}});
  join(from, made->socket, {&before, made.get()});
  connect(made->memory, to, {made.get(), behind});
  providers_.push_back({"dram", made.get()});
  parts_.push_back(std::move(made));
}

void composition::build_sources()
{
  auto &first = layers_.front();
  for (std::size_t s = 0; s < plan_.sources.size(); ++s) {
    sources_.push_back(
        std::make_unique<source>(next_name("source").c_str(), plan_, plan_.sources[s]));
    tandem::interconnect &behind = *first[s % first.size()];
    join(sources_[s]->socket, behind.from[s / first.size()], {sources_[s].get(), &behind});
  }
}

std::vector<std::string> composition::results() const
{
  std::vector<std::string> lines;
  for (std::size_t s = 0; s < sources_.size(); ++s)
    for (const auto &log : sources_[s]->log)
      for (std::size_t n = 0; n < log.size(); ++n)
        lines.push_back("initiator " + std::to_string(s) + ", transaction " + std::to_string(n) +
                        ": " + log[n]);
  for (std::size_t t = 0; t < targets_.size(); ++t)
    for (std::size_t n = 0; n < targets_[t]->seen.size(); ++n)
      lines.push_back("target " + std::to_string(t) + ", request " + std::to_string(n) + ": " +
                      targets_[t]->seen[n].to_string() + ", address " +
                      std::to_string(targets_[t]->addresses[n]));
  for (const auto &[kind, provider] : providers_)
    lines.push_back(kind + ": " + provider->statistics().dump());
  return lines;
}

bool composition::has_ended() const
{
  return std::all_of(sources_.begin(), sources_.end(), [this](const auto &one) {
    const bool two = one->how.how == composition_plan::behaviour::outstanding;
    return one->log[0].size() == plan_.transactions &&
           one->log[1].size() == (two ? plan_.transactions : 0);
  });
}

std::size_t composition::ties() const
{
  arrivals sorted = arrivals_;
  std::sort(sorted.begin(), sorted.end());
  std::size_t found = 0;
  for (std::size_t n = 1; n < sorted.size(); ++n)
    found += sorted[n] == sorted[n - 1];
  return found;
}

} // namespace traffic
