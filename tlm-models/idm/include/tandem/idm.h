// SPDX-License-Identifier: Apache-2.0
// Inter-processor device module: doorbells, mailboxes, locks, marks and boot blocks.
#pragma once

#include "tandem/arrival.h"
#include "tandem/idm_registers.h"
#include "tandem/interrupt.h"
#include "tandem/marks.h"
#include "tandem/register_bank.h"
#include "tandem/sockets.h"
#include "tandem/statistics.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace tandem
{

class idm_boot;
class idm_doorbells;
class idm_locks;
class idm_mailboxes;
class idm_marks;

struct idm_config {
  unsigned participants = 2;     ///< 1 to 32
  unsigned fifo_depth = 64;      ///< words, 1 to 65535
  unsigned locks = 32;           ///< 0 to 256
  std::uint32_t masters = 1;     ///< bit p: p drives boot blocks
  std::uint64_t memory_size = 0; ///< bytes of the shared memory that boot windows lie in
  sc_core::sc_time access_latency = sc_core::SC_ZERO_TIME; ///< of each register access
};

/// A command that a master wrote to BOOT_CONTROL of a slave.
struct boot_command {
  enum class kind : std::uint32_t {
    boot = TANDEM_IDM_BOOT_CMD_BOOT,
    reset = TANDEM_IDM_BOOT_CMD_RESET,
    halt = TANDEM_IDM_BOOT_CMD_HALT,
  };
  unsigned master = 0; ///< participant that wrote
  unsigned slave = 0;  ///< participant that is meant
  kind command = kind::boot;
  std::uint64_t entry = 0;    ///< guest address of the slave
  std::uint64_t argument = 0; ///< handed to the entry point
  std::uint64_t window = 0;   ///< bytes from the start of the shared memory
  std::uint64_t size = 0;     ///< bytes of the window
  unsigned cpu = 0;           ///< CPU of an SMP slave that takes the entry point
};

/// What a master can know about a participant that it may boot.
struct bootable {
  unsigned elf_machine = 0;      ///< e_machine of its programs
  unsigned elf_bits = 32;        ///< 32 or 64
  unsigned cpus = 1;             ///< 1 to 255
  std::uint64_t ram = 0;         ///< guest address at which it sees its window
  std::uint64_t limit = 0;       ///< bytes, largest window that its machine has room for
  std::uint64_t window = 0;      ///< its share of the memory, preset in the boot block
  std::uint64_t window_size = 0; ///< bytes
};

/// States of a participant as BOOT_STATUS shows them.
enum class boot_state : std::uint32_t {
  held = TANDEM_IDM_BOOT_HELD,
  running = TANDEM_IDM_BOOT_RUNNING,
  halted = TANDEM_IDM_BOOT_HALTED,
  off = TANDEM_IDM_BOOT_OFF,
  crashed = TANDEM_IDM_BOOT_CRASHED,
};

/// Watches an IDM. Called on the SystemC thread, within the access or call that is told of; must
/// neither wait nor access the device.
class idm_observer
{
public:
  virtual ~idm_observer() = default;
  /// After each access of a participant by b_transport. `time` is that of the access, with the
  /// delay that it has collected on its way.
  virtual void accessed(unsigned participant, const sc_core::sc_time &time) = 0;
  /// A participant has rung others (bit d: participant d), before `accessed` for that access.
  virtual void rang(unsigned source, std::uint32_t destinations, const sc_core::sc_time &time) = 0;
  /// A participant has made a mark, before `accessed` for that access. Of the mark all is filled in
  /// but its maker's name.
  virtual void marked(unsigned /*participant*/, const guest_mark & /*mark*/) {}
  /// A command that the boot block has found possible, before it is carried out.
  virtual void commanded(const boot_command &command) = 0;
  /// idm::set_state was called.
  virtual void entered(unsigned participant, boot_state state) = 0;
};

/// The device of idm_registers.h: one port and one interrupt for each
/// participant. Port p is TANDEM_IDM_PORT_SIZE bytes from address 0; who speaks
/// follows from the socket alone.
///
/// Interrupt outputs follow IRQ_STATUS & IRQ_ENABLE within the b_transport that
/// changes them. Boot blocks check commands and tell results; what a command does
/// is up to on_boot. Debug reads have no side effects. All members are called on
/// the SystemC thread. Reports SC_ERROR "/tandem/idm" for a bad configuration.
class idm : public sc_core::sc_module, public statistics_provider
{
public:
  sc_core::sc_vector<target_socket> port; ///< by participant
  sc_core::sc_vector<interrupt_out> irq;  ///< by participant

  idm(sc_core::sc_module_name name, const idm_config &config);
  ~idm() override;

  /// Called within the b_transport that writes BOOT_CONTROL, for commands that the
  /// boot block has found possible; a boot has reset the slave's port by then.
  /// Without it commands are ignored, with one warning.
  std::function<void(const boot_command &)> on_boot;
  /// Called within the b_transport that writes EXIT; status is 0 to 255. Without
  /// it the request is ignored, with one warning.
  std::function<void(unsigned participant, unsigned status)> on_exit;

  /// Tells an observer from now on. It has to live as long as the device is used.
  void add_observer(idm_observer &observer) { observers_.push_back(&observer); }

  /// Lets masters boot this participant, which is held until then. Before the
  /// simulation starts. SC_ERROR when there is no such participant.
  void make_bootable(unsigned participant, const bootable &description);

  /// Enters a state: sets BOOT_STATUS and BOOT_REASON and, when anything
  /// changed or the state is running, BOOT_EVENT and the interrupt of all
  /// masters. Each call with running counts in BOOT_COUNT.
  void set_state(unsigned participant, boot_state state, std::uint32_t reason = 0);
  /// The state last set; held before.
  boot_state state(unsigned participant) const;

  const idm_config &config() const { return config_; }
  nlohmann::ordered_json statistics() const override;
  void trace(sc_core::sc_trace_file *file) const override;

private:
  struct port_state {
    std::uint32_t irq_enable = 0, scratch = 0, time_hi = 0;
    std::uint64_t accesses = 0;
  };
  void declare_identification();
  void declare_time();
  void declare_interrupts();
  std::uint32_t irq_status(unsigned participant) const;
  void check_participant(unsigned participant) const;
  void command(const boot_command &command);
  void rang(unsigned source, std::uint32_t destinations) const;
  void marked(unsigned participant, guest_mark &mark) const;
  void reset_port(unsigned participant);
  void update_irq(unsigned participant);
  void exit(unsigned participant, std::uint32_t value);
  std::uint64_t time_ns() const;

  void b_transport(int participant, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  unsigned transport_dbg(int participant, tlm::tlm_generic_payload &payload);

  std::deque<declared_order> orders_; // of the ports
  idm_config config_;
  register_bank registers_;
  std::vector<port_state> ports_;
  std::unique_ptr<idm_doorbells> doorbells_;
  std::unique_ptr<idm_mailboxes> mailboxes_;
  std::unique_ptr<idm_locks> locks_;
  std::unique_ptr<idm_marks> marks_;
  std::unique_ptr<idm_boot> boot_;
  std::vector<idm_observer *> observers_;
  bool warned_boot_ = false, warned_exit_ = false;
  sc_core::sc_time offset_; // the delay that the access being served has collected
};

} // namespace tandem
