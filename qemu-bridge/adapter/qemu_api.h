/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of QEMU that the adapter calls, looked up by name when it is loaded.
 *
 * QEMU's own headers are not packaged, so the declarations here are the project's:
 * opaque structures, prototypes, and the few public structures whose layout is used.
 * Everything named here is exported by Debian's QEMU 7.2, 10.0 and 11.1 for x86_64, arm
 * and aarch64.
 */
#ifndef TANDEM_QEMU_API_H
#define TANDEM_QEMU_API_H

#include "isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Object Object;
typedef struct MemoryRegion MemoryRegion;
/* How QEMU's begins, and room for the rest. */
typedef struct MemoryRegionSection {
  __int128 size;
  MemoryRegion *region; /* NULL: there is nothing */
  uint64_t rest[13];
} MemoryRegionSection;
typedef struct CPUState CPUState;
typedef struct QEMUTimer QEMUTimer;
typedef struct IRQState *qemu_irq;
typedef struct Error Error;
typedef struct RAMBlock RAMBlock;
typedef struct AddressSpace AddressSpace;

#define QEMU_CLOCK_VIRTUAL 1
#define QEMU_DEVICE_LITTLE_ENDIAN 2
#define QEMU_MEMTX_OK 0u
#define QEMU_MEMTX_ERROR 1u
#define QEMU_MEMTX_DECODE_ERROR 2u
#define QEMU_RAM_SHARED 2u
#define QEMU_RESET_CAUSE_GUEST 5
/* Attributes of an access of which nothing is known; a TrustZone controller takes it for secure. */
#define QEMU_ATTRIBUTES_UNSPECIFIED 1u

typedef struct Notifier {
  void (*notify)(struct Notifier *, void *);
  void *list[2]; /* the next one, and what points to this one */
} Notifier;

/* The attributes that QEMU passes last fit into one register in all versions and are
 * not looked at. */
typedef struct MemoryRegionOps {
  uint64_t (*read)(void *, uint64_t, unsigned);
  void (*write)(void *, uint64_t, uint64_t, unsigned);
  uint32_t (*read_with_attrs)(void *, uint64_t, uint64_t *, unsigned, uint64_t);
  uint32_t (*write_with_attrs)(void *, uint64_t, uint64_t, unsigned, uint64_t);
  int endianness;
  struct {
    unsigned min_access_size, max_access_size;
    bool unaligned;
    bool (*accepts)(void *, uint64_t, unsigned, bool, uint64_t);
  } valid;
  struct {
    unsigned min_access_size, max_access_size;
    bool unaligned;
  } impl;
} MemoryRegionOps;

/* What the plugin interface hands to qemu_plugin_install. */
typedef struct {
  const char *target_name;
  struct {
    int min;
    int cur;
  } version;
  bool system_emulation;
  struct {
    int smp_vcpus;
    int max_vcpus;
  } system;
} qemu_info_t;

typedef struct {
  struct {
    int64_t major, minor, micro;
  } * qemu;
  char *package;
} VersionInfo;

typedef void (*run_on_cpu_func)(CPUState *, void *);
typedef void (*plugin_vcpu_cb)(unsigned, void *);
typedef void (*plugin_mem_cb)(unsigned, uint32_t, uint64_t, void *);
typedef struct qemu_plugin_hwaddr plugin_hwaddr;

/* An operation of a block, without a call. */
#define QEMU_PLUGIN_ADD 0

/* qemu_plugin_u64 */
struct plugin_number {
  void *board;
  size_t offset;
};

/* X(result, name, parameters) */
#define TANDEM_QEMU_FUNCTIONS(X)                                                                   \
  X(VersionInfo *, qmp_query_version, (Error **))                                                  \
  X(void, qemu_add_machine_init_done_notifier, (Notifier *))                                       \
  X(Object *, object_resolve_path_type, (const char *, const char *, bool *))                      \
  X(Object *, object_resolve_path, (const char *, bool *))                                         \
  X(void *, object_property_find, (Object *, const char *))                                        \
  X(void, object_unparent, (Object *))                                                             \
  X(qemu_irq, qdev_get_gpio_in_named, (void *, const char *, int))                                 \
  X(void, qemu_set_irq, (qemu_irq, int))                                                           \
  X(MemoryRegion *, get_system_memory, (void))                                                     \
  X(void, memory_region_init_io,                                                                   \
    (MemoryRegion *, Object *, const MemoryRegionOps *, void *, const char *, uint64_t))           \
  X(void, memory_region_init_ram_from_fd,                                                          \
    (MemoryRegion *, Object *, const char *, uint64_t, uint32_t, int, uint64_t, Error **))         \
  X(void, memory_region_init_rom_device,                                                           \
    (MemoryRegion *, Object *, const MemoryRegionOps *, void *, const char *, uint64_t, Error **)) \
  X(void, memory_region_add_subregion_overlap, (MemoryRegion *, uint64_t, MemoryRegion *, int))    \
  X(void, memory_region_del_subregion, (MemoryRegion *, MemoryRegion *))                           \
  X(MemoryRegionSection, memory_region_find, (MemoryRegion *, uint64_t, uint64_t))                 \
  X(const char *, memory_region_name, (const MemoryRegion *))                                      \
  X(void, memory_region_transaction_begin, (void))                                                 \
  X(void, memory_region_transaction_commit, (void))                                                \
  X(int, qemu_ram_foreach_block, (int (*)(RAMBlock *, void *), void *))                            \
  X(const char *, qemu_ram_get_idstr, (RAMBlock *))                                                \
  X(void *, qemu_ram_get_host_addr, (RAMBlock *))                                                  \
  X(uint64_t, qemu_ram_get_used_length, (RAMBlock *))                                              \
  X(AddressSpace *, cpu_get_address_space, (CPUState *, int))                                      \
  X(void *, address_space_map, (AddressSpace *, uint64_t, uint64_t *, bool, uint64_t))             \
  X(void, address_space_unmap, (AddressSpace *, void *, uint64_t, bool, uint64_t))                 \
  X(const char *, error_get_pretty, (const Error *))                                               \
  X(int64_t, qemu_clock_get_ns, (int))                                                             \
  X(int64_t, qemu_clock_deadline_ns_all, (int, int))                                               \
  X(bool, qemu_clock_run_timers, (int))                                                            \
  X(void, qemu_clock_enable, (int, bool))                                                          \
  X(void, timer_init_full, (QEMUTimer *, void *, int, int, int, void (*)(void *), void *))         \
  X(void, timer_mod, (QEMUTimer *, int64_t))                                                       \
  X(void, timer_del, (QEMUTimer *))                                                                \
  X(int64_t, icount_get_raw, (void))                                                               \
  X(bool, all_cpu_threads_idle, (void))                                                            \
  X(CPUState *, qemu_get_cpu, (int))                                                               \
  X(void, cpu_exit, (CPUState *))                                                                  \
  X(void, cpu_loop_exit, (CPUState *))                                                             \
  X(void, cpu_exec_step_atomic, (CPUState *))                                                      \
  X(uint32_t, curr_cflags, (CPUState *))                                                           \
  X(void, async_run_on_cpu, (CPUState *, run_on_cpu_func, void *))                                 \
  X(void, async_safe_run_on_cpu, (CPUState *, run_on_cpu_func, void *))                            \
  X(void, pause_all_vcpus, (void))                                                                 \
  X(void, rcu_register_thread, (void))                                                             \
  X(bool, qemu_in_vcpu_thread, (void))                                                             \
  X(bool, runstate_is_running, (void))                                                             \
  X(void *, qemu_add_vm_change_state_handler, (void (*)(void *, bool, int), void *))               \
  X(void, qemu_register_reset, (void (*)(void *), void *))                                         \
  X(void, qemu_register_shutdown_notifier, (Notifier *))                                           \
  X(void, rcu_add_force_rcu_notifier, (Notifier *))                                                \
  X(void, rcu_remove_force_rcu_notifier, (Notifier *))                                             \
  X(int, qemu_shutdown_requested_get, (void))                                                      \
  X(int, qemu_reset_requested_get, (void))                                                         \
  X(bool, cpu_is_stopped, (CPUState *))                                                            \
  X(void, qemu_system_reset_request, (int))                                                        \
  X(size_t, qemu_plugin_tb_n_insns, (const void *))                                                \
  X(void *, qemu_plugin_tb_get_insn, (const void *, size_t))                                       \
  X(char *, qemu_plugin_insn_disas, (const void *))                                                \
  X(size_t, qemu_plugin_insn_size, (const void *))                                                 \
  X(void, qemu_plugin_register_vcpu_mem_cb, (void *, plugin_mem_cb, int, int, void *))             \
  X(bool, qemu_plugin_mem_is_store, (uint32_t))                                                    \
  X(unsigned, qemu_plugin_mem_size_shift, (uint32_t))                                              \
  X(const plugin_hwaddr *, qemu_plugin_get_hwaddr, (uint32_t, uint64_t))                           \
  X(bool, qemu_plugin_hwaddr_is_io, (const plugin_hwaddr *))                                       \
  X(uint64_t, qemu_plugin_hwaddr_phys_addr, (const plugin_hwaddr *))                               \
  X(uint64_t, qemu_plugin_insn_vaddr, (const void *))                                              \
  X(void *, qemu_plugin_insn_haddr, (const void *))                                                \
  X(void *, memory_region_get_ram_ptr, (MemoryRegion *))                                           \
  X(void, qemu_plugin_register_vcpu_tb_exec_cb, (void *, plugin_vcpu_cb, int, void *))             \
  X(void, qemu_plugin_register_vcpu_insn_exec_cb, (void *, plugin_vcpu_cb, int, void *))

/* Those that only checkpoints need: a QEMU without one of them runs, and cannot be saved. */
#define TANDEM_QEMU_CHECKPOINT_FUNCTIONS(X)                                                        \
  X(int, vm_stop, (int))                                                                           \
  X(void, vm_start, (void))                                                                        \
  X(void, qmp_xen_save_devices_state, (const char *, bool, bool, Error **))                        \
  X(void *, qio_channel_file_new_path, (const char *, int, unsigned, Error **))                    \
  X(void *, qemu_file_new_input, (void *))                                                         \
  X(unsigned, qemu_get_be32, (void *))                                                             \
  X(int, qemu_fclose, (void *))                                                                    \
  X(int, qemu_load_device_state, (void *, Error **))                                               \
  X(void *, qemu_get_aio_context, (void))                                                          \
  X(void, aio_bh_schedule_oneshot_full, (void *, void (*)(void *), void *, const char *))          \
  X(bool, qemu_ram_is_migratable, (RAMBlock *))                                                    \
  X(int, qemu_ram_resize, (RAMBlock *, uint64_t, Error **))                                        \
  X(uint32_t, address_space_rw, (void *, uint64_t, uint64_t, void *, uint64_t, bool))

#define X(result, name, parameters) result(*name) parameters;
struct tandem_qemu_api {
  TANDEM_QEMU_FUNCTIONS(X)
  TANDEM_QEMU_CHECKPOINT_FUNCTIONS(X)
  void *address_space_memory; /* for checkpoints as well: what the CPUs address */
  const char *no_checkpoints; /* the first of these that is missing, or NULL */
  /* Named differently across versions. */
  void (*lock)(const char *, int); /* the big lock */
  void (*unlock)(void);
  void (*tb_flush)(CPUState *);           /* newer ones take no argument; with all CPUs stopped */
  void (*process_cpu_events)(CPUState *); /* NULL before 10.2, which do not need it */
  void *(*blk_all_next)(void *);          /* of its disks; NULL: it does not tell of them */
  /* isa->read_register, into a GByteArray; NULL where the architecture needs none, or QEMU cannot
   * say what is behind a virtual address. */
  int (*read_register)(CPUState *, void *, int);
  /* One of the two: the page, all ones for none; since 11.1, the address first of all. */
  uint64_t (*cpu_get_phys_page_debug)(CPUState *, uint64_t);
  bool (*cpu_translate_for_debug)(CPUState *, uint64_t, uint64_t result[8]);
  /* qemu_plugin_insn_data: returns a pointer up to plugin interface 2, copies from 3 on. */
  const void *(*insn_data_v1)(const void *);
  size_t (*insn_data_v3)(const void *, void *, size_t);
  /* qemu_plugin_register_vcpu_tb_trans_cb: takes user data for the callback from 7 on. */
  void (*register_translation_v1)(uint64_t, void (*)(uint64_t, void *));
  void (*register_translation_v7)(uint64_t, void (*)(void *, void *), void *);
  /* Adds to a number at the begin of a block, without a call: one number for all CPUs up to 8.2; in
   * newer ones one for each CPU, in a board of them. NULL: there is no such function. */
  void (*register_add_v1)(void *block, int operation, void *number, uint64_t added);
  void (*register_add_v2)(void *block, int operation, struct plugin_number number, uint64_t added);
  void *(*scoreboard_new)(size_t element_size);
  void *(*scoreboard_find)(void *board, unsigned cpu);
  /* Fields of the exported object timers_state. */
  int64_t *icount_bias;
  const int16_t *icount_shift;
  const int *use_icount;
  /* The running program. */
  int major, minor, micro;
  int plugin_interface; /* the newest that it offers */
  int cpus;
  const struct tandem_isa *isa; /* NULL: the adapter does not know its architecture */
};
#undef X

extern struct tandem_qemu_api q;

/* Looks everything up. Returns NULL, or one sentence that says what is missing. The
 * sentence lives until the next call. */
const char *tandem_qemu_api_load(const qemu_info_t *info);

/* To be called once the machine is complete: reads QEMU's version, and checks that the
 * virtual clock moves by what is added to icount_bias. NULL, or one sentence. */
const char *tandem_qemu_api_check(bool timed);

/* Copies the bytes of a guest's instruction while a block is being translated, zeros behind the
 * end. The size of the instruction, 0 if it has none. */
size_t tandem_insn_bytes(const void *insn, uint8_t bytes[TANDEM_INSN_BYTES]);

#define PAGE 4096u /* the smallest of any guest's but Cortex-M's */

/* Those that are executed of a block, while it is being translated. QEMU up to 8 also tells of one
 * behind them, which it has taken back: it lies across two pages, and begins the next block. */
size_t tandem_block_instructions(const void *block);

/* The big lock of QEMU: held in timer and memory callbacks and in work on a CPU. */
#define tandem_lock() q.lock(__FILE__, __LINE__)
#define tandem_unlock() q.unlock()

#endif
