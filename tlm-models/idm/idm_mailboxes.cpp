// SPDX-License-Identifier: Apache-2.0
#include "idm_parts.h"

#include <algorithm>

namespace tandem
{

namespace
{

void assign(std::uint32_t &mask, unsigned index, bool value)
{
  mask = value ? mask | bit(index) : mask & ~bit(index);
}

std::uint32_t control_bits(bool irq, bool irq_err)
{
  return (irq ? TANDEM_IDM_MB_CONTROL_IRQ : 0u) | (irq_err ? TANDEM_IDM_MB_CONTROL_IRQ_ERR : 0u);
}

} // namespace

idm_mailboxes::idm_mailboxes(unsigned participants, unsigned depth, idm_changed changed)
    : participants_(participants), depth_(depth), fifos_(participants * participants),
      states_(participants), changed_(std::move(changed))
{
  for (fifo &queue : fifos_)
    queue.words.resize(depth);
  for (state &here : states_)
    for (unsigned p = 0; p < participants; ++p)
      here.tx_low |= bit(p); // empty is at most half full
}

void idm_mailboxes::declare(register_bank &registers)
{
  registers.declare("mb_rx_ready", TANDEM_IDM_MB_RX_READY,
                    {[this](unsigned port) { return states_[port].rx_ready; }});
  registers.declare("mb_tx_space", TANDEM_IDM_MB_TX_SPACE, {[this](unsigned port) {
                      const std::uint32_t all =
                          bit(participants_ - 1) | (bit(participants_ - 1) - 1);
                      return all & ~states_[port].tx_full;
                    }});
  registers.declare("mb_error", TANDEM_IDM_MB_ERROR, {[this](unsigned port) {
                      return states_[port].tx_error | states_[port].rx_error;
                    }});
  for (unsigned p = 0; p < participants_; ++p) {
    declare_tx(registers, p);
    declare_rx(registers, p);
  }
}

void idm_mailboxes::declare_tx(register_bank &registers, unsigned peer)
{
  const unsigned base = TANDEM_IDM_MAILBOX(peer);
  const std::string prefix = "mailbox" + std::to_string(peer) + "_";
  registers.declare(
      prefix + "tx_data", base + TANDEM_IDM_MB_TX_DATA,
      {{}, [this, peer](unsigned port, std::uint32_t value) { push(port, peer, value); }});
  registers.declare(prefix + "tx_status", base + TANDEM_IDM_MB_TX_STATUS,
                    {[this, peer](unsigned port) {
                      return status(between(port, peer), states_[port].tx_error & bit(peer));
                    }});
  registers.declare(prefix + "tx_control", base + TANDEM_IDM_MB_TX_CONTROL,
                    {[this, peer](unsigned port) {
                       const state &here = states_[port];
                       return control_bits(here.tx_irq & bit(peer), here.tx_error_irq & bit(peer));
                     },
                     [this, peer](unsigned port, std::uint32_t value) {
                       state &here = states_[port];
                       assign(here.tx_irq, peer, value & TANDEM_IDM_MB_CONTROL_IRQ);
                       assign(here.tx_error_irq, peer, value & TANDEM_IDM_MB_CONTROL_IRQ_ERR);
                       if (value & TANDEM_IDM_MB_CONTROL_CLEAR_ERR)
                         here.tx_error &= ~bit(peer);
                       changed_(port);
                     }});
  registers.declare(prefix + "tx_dropped", base + TANDEM_IDM_MB_TX_DROPPED,
                    {[this, peer](unsigned port) { return between(port, peer).dropped; }});
  registers.declare(prefix + "tx_count", base + TANDEM_IDM_MB_TX_COUNT,
                    {[this, peer](unsigned port) { return between(port, peer).sent; }});
}

void idm_mailboxes::declare_rx(register_bank &registers, unsigned peer)
{
  const unsigned base = TANDEM_IDM_MAILBOX(peer);
  const std::string prefix = "mailbox" + std::to_string(peer) + "_";
  registers.declare(prefix + "rx_data", base + TANDEM_IDM_MB_RX_DATA,
                    {[this, peer](unsigned port) { return pop(port, peer); },
                     {},
                     [this, peer](unsigned port) {
                       const fifo &queue = between(peer, port);
                       return queue.level ? queue.words[queue.head] : 0;
                     }});
  registers.declare(prefix + "rx_status", base + TANDEM_IDM_MB_RX_STATUS,
                    {[this, peer](unsigned port) {
                      return status(between(peer, port), states_[port].rx_error & bit(peer));
                    }});
  registers.declare(prefix + "rx_control", base + TANDEM_IDM_MB_RX_CONTROL,
                    {[this, peer](unsigned port) {
                       const state &here = states_[port];
                       return control_bits(here.rx_irq & bit(peer), here.rx_error_irq & bit(peer));
                     },
                     [this, peer](unsigned port, std::uint32_t value) {
                       state &here = states_[port];
                       assign(here.rx_irq, peer, value & TANDEM_IDM_MB_CONTROL_IRQ);
                       assign(here.rx_error_irq, peer, value & TANDEM_IDM_MB_CONTROL_IRQ_ERR);
                       if (value & TANDEM_IDM_MB_CONTROL_CLEAR_ERR)
                         here.rx_error &= ~bit(peer);
                       changed_(port);
                     }});
  registers.declare(prefix + "rx_underrun", base + TANDEM_IDM_MB_RX_UNDERRUN,
                    {[this, peer](unsigned port) { return between(peer, port).underruns; }});
  registers.declare(prefix + "rx_count", base + TANDEM_IDM_MB_RX_COUNT,
                    {[this, peer](unsigned port) { return between(peer, port).taken; }});
}

void idm_mailboxes::push(unsigned from, unsigned to, std::uint32_t word)
{
  fifo &queue = between(from, to);
  if (queue.level == depth_) {
    ++queue.dropped;
    states_[from].tx_error |= bit(to);
    return changed_(from);
  }
  queue.words[(queue.head + queue.level) % depth_] = word;
  ++queue.level;
  ++queue.sent;
  level_changed(from, to);
}

std::uint32_t idm_mailboxes::pop(unsigned to, unsigned from)
{
  fifo &queue = between(from, to);
  if (queue.level == 0) {
    ++queue.underruns;
    states_[to].rx_error |= bit(from);
    changed_(to);
    return 0;
  }
  const std::uint32_t word = queue.words[queue.head];
  queue.head = (queue.head + 1) % depth_;
  --queue.level;
  ++queue.taken;
  level_changed(from, to);
  return word;
}

void idm_mailboxes::reset(unsigned participant)
{
  state &here = states_[participant];
  here.rx_irq = here.rx_error = here.rx_error_irq = 0;
  here.tx_irq = here.tx_error = here.tx_error_irq = 0;
  for (unsigned from = 0; from < participants_; ++from) {
    between(from, participant).level = 0;
    level_changed(from, participant);
  }
}

void idm_mailboxes::level_changed(unsigned from, unsigned to)
{
  const unsigned level = between(from, to).level;
  between(from, to).highest.set(level);
  assign(states_[to].rx_ready, from, level > 0);
  assign(states_[from].tx_full, to, level == depth_);
  assign(states_[from].tx_low, to, level <= depth_ / 2);
  changed_(to);
  if (from != to)
    changed_(from);
}

std::uint32_t idm_mailboxes::status(const fifo &queue, bool error) const
{
  return (queue.level & TANDEM_IDM_MB_STATUS_LEVEL) |
         (queue.level == depth_ ? TANDEM_IDM_MB_STATUS_FULL : 0u) |
         (queue.level == 0 ? TANDEM_IDM_MB_STATUS_EMPTY : 0u) |
         (error ? TANDEM_IDM_MB_STATUS_ERROR : 0u);
}

std::uint32_t idm_mailboxes::causes(unsigned participant) const
{
  const state &here = states_[participant];
  return (here.rx_ready & here.rx_irq ? TANDEM_IDM_IRQ_MAILBOX_RX : 0u) |
         (here.tx_low & here.tx_irq ? TANDEM_IDM_IRQ_MAILBOX_TX : 0u) |
         ((here.tx_error & here.tx_error_irq) | (here.rx_error & here.rx_error_irq)
              ? TANDEM_IDM_IRQ_MAILBOX_ERR
              : 0u);
}

void idm_mailboxes::report(unsigned participant, nlohmann::ordered_json &to) const
{
  nlohmann::ordered_json peers = nlohmann::ordered_json::array();
  for (unsigned p = 0; p < participants_; ++p) {
    const fifo &sent = between(participant, p);
    const fifo &received = between(p, participant);
    peers.push_back({{"peer", statistic::label(p)},
                     {"words_sent", sent.sent},
                     {"words_dropped", sent.dropped},
                     {"highest_level", sent.highest.report()},
                     {"words_received", received.taken},
                     {"underruns", received.underruns}});
  }
  to["mailboxes"] = std::move(peers);
}

void idm_mailboxes::trace(sc_core::sc_trace_file *file, unsigned participant,
                          const std::string &prefix) const
{
  for (unsigned p = 0; p < participants_; ++p)
    sc_core::sc_trace(file, between(participant, p).level, prefix + "fifo_to_" + std::to_string(p));
}

} // namespace tandem
