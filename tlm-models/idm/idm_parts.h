// SPDX-License-Identifier: Apache-2.0
// The parts of the IDM. Each declares its registers, says which interrupt causes
// it asserts for a participant, and calls `changed` when that may differ.
#pragma once

#include "tandem/idm.h"

#include <array>
#include <vector>

namespace tandem
{

using idm_changed = std::function<void(unsigned participant)>;

constexpr unsigned idm_max = TANDEM_IDM_MAX_PARTICIPANTS;
constexpr std::uint32_t bit(unsigned index)
{
  return std::uint32_t{1} << index;
}

/// One bit for each pair of source and destination.
class idm_doorbells
{
public:
  /// rung: called after each write to the ring register, with the destinations that exist.
  idm_doorbells(unsigned participants, idm_changed changed,
                std::function<void(unsigned source, std::uint32_t destinations)> rung);
  void declare(register_bank &registers);
  /// Closes all sources and forgets who rang here.
  void reset(unsigned participant);
  std::uint32_t causes(unsigned participant) const;
  void report(unsigned participant, nlohmann::ordered_json &to) const;
  void trace(sc_core::sc_trace_file *file, unsigned participant, const std::string &prefix) const;

private:
  struct state {
    std::uint32_t status = 0; // bit s: s rang here
    std::uint32_t enable = 0;
    std::uint32_t pending = 0; // bit d: rang d, not cleared there; status transposed
    std::uint64_t rings = 0;   // made by this participant
    std::uint64_t merged = 0;  // rings that found the bit set
  };
  void ring(unsigned source, std::uint32_t destinations);
  void clear(unsigned destination, std::uint32_t sources);

  std::vector<state> states_;
  idm_changed changed_;
  std::function<void(unsigned, std::uint32_t)> rung_;
};

/// One FIFO for each ordered pair.
class idm_mailboxes
{
public:
  idm_mailboxes(unsigned participants, unsigned depth, idm_changed changed);
  void declare(register_bank &registers);
  /// Drops the words that wait here, and clears controls and sticky errors.
  void reset(unsigned participant);
  std::uint32_t causes(unsigned participant) const;
  void report(unsigned participant, nlohmann::ordered_json &to) const;
  void trace(sc_core::sc_trace_file *file, unsigned participant, const std::string &prefix) const;

private:
  struct fifo {
    std::vector<std::uint32_t> words; // ring of `depth` words
    unsigned head = 0, level = 0;
    statistic::peak highest; // level
    std::uint32_t sent = 0, taken = 0, dropped = 0, underruns = 0;
  };
  /// Bit p of each: something about peer p, as the participant sees it.
  struct state {
    std::uint32_t rx_ready = 0, rx_irq = 0, rx_error = 0, rx_error_irq = 0;
    std::uint32_t tx_full = 0, tx_low = 0, tx_irq = 0, tx_error = 0, tx_error_irq = 0;
  };
  void declare_tx(register_bank &registers, unsigned peer);
  void declare_rx(register_bank &registers, unsigned peer);
  fifo &between(unsigned from, unsigned to) { return fifos_[from * participants_ + to]; }
  const fifo &between(unsigned from, unsigned to) const
  {
    return fifos_[from * participants_ + to];
  }
  void push(unsigned from, unsigned to, std::uint32_t word);
  std::uint32_t pop(unsigned to, unsigned from);
  void level_changed(unsigned from, unsigned to);
  std::uint32_t status(const fifo &queue, bool error) const;

  unsigned participants_, depth_;
  std::vector<fifo> fifos_;
  std::vector<state> states_;
  idm_changed changed_;
};

/// Locks that are taken by reading.
class idm_locks
{
public:
  idm_locks(unsigned participants, unsigned locks);
  void declare(register_bank &registers);
  /// Releases what the participant holds.
  void reset(unsigned participant);
  void report(unsigned participant, nlohmann::ordered_json &to) const;
  void trace(sc_core::sc_trace_file *file, const std::string &prefix) const;

private:
  struct counts {
    std::uint64_t takes = 0, contended = 0, violations = 0;
  };
  std::uint32_t take(unsigned lock, unsigned participant);
  void release(unsigned lock, unsigned participant);

  std::vector<std::uint32_t> owners_; // holder + 1, 0 when free
  std::vector<counts> counts_;        // by participant
};

/// Marks, and the ends of regions.
class idm_marks
{
public:
  /// marked: called for each, with kind, number and value.
  idm_marks(unsigned participants, std::function<void(unsigned participant, guest_mark &)> marked);
  void declare(register_bank &registers);
  /// Forgets a value that waits for its mark.
  void reset(unsigned participant) { values_[participant] = 0; }

private:
  std::vector<std::uint32_t> values_; // by participant
  std::function<void(unsigned, guest_mark &)> marked_;
};

/// Registers and signals of the participants' lives.
class idm_boot
{
public:
  idm_boot(const idm_config &config, idm_changed changed,
           std::function<void(const boot_command &)> command);
  void declare(register_bank &registers);
  std::uint32_t causes(unsigned participant) const;
  void make_bootable(unsigned participant, const bootable &description);
  void set_state(unsigned participant, boot_state state, std::uint32_t reason);
  boot_state state(unsigned participant) const;
  void report(unsigned participant, nlohmann::ordered_json &to) const;
  void trace(sc_core::sc_trace_file *file, unsigned participant, const std::string &prefix) const;

private:
  static constexpr unsigned words = TANDEM_IDM_BOOT_CONTROL / 4; // entry to cpu
  static constexpr unsigned identity_words = 5;                  // machine to limit
  struct block {
    std::array<std::uint32_t, words> setup{};
    std::uint32_t status = TANDEM_IDM_BOOT_HELD, reason = 0, count = 0, result = 0;
    std::array<std::uint32_t, identity_words> identity{}; // zero: no master boots it
  };
  bool is_master(unsigned participant) const { return masters_ & bit(participant); }
  bool may_read(unsigned participant, unsigned slave) const
  {
    return is_master(participant) || participant == slave;
  }
  void declare_block(register_bank &registers, unsigned slave);
  void control(unsigned master, unsigned slave, std::uint32_t value);
  std::uint32_t check(const boot_command &command) const;
  std::uint32_t check_boot(const boot_command &command) const;

  std::uint32_t masters_;
  std::uint64_t memory_size_;
  std::vector<block> blocks_;             // by participant
  std::vector<std::uint32_t> events_;     // by participant; bit s: BOOT_EVENT of s
  std::vector<std::uint64_t> violations_; // writes by others than masters, refused commands
  idm_changed changed_;
  std::function<void(const boot_command &)> command_;
};

} // namespace tandem
