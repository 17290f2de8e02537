/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "qemu_api.h"
#include "tandem_qemu_versions.h"

#include <dlfcn.h>
#include <glib.h>
#include <string.h>

/* Offsets in QEMU's TimersState, the same from 7.2 to 11.1. Checked at run time. */
#define ICOUNT_SHIFT_OFFSET 26
#define ICOUNT_BIAS_OFFSET 40

struct tandem_qemu_api q;

static char sentence[384];

static const char *say(const char *format, ...) G_GNUC_PRINTF(1, 2);
static const char *say(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  return sentence;
}

static void find_registers(void)
{
  void *read = dlsym(RTLD_DEFAULT, q.isa->read_register);
  void *page = dlsym(RTLD_DEFAULT, "cpu_get_phys_page_debug");
  void *translate = dlsym(RTLD_DEFAULT, "cpu_translate_for_debug");
  memcpy(&q.cpu_get_phys_page_debug, &page, sizeof page);
  memcpy(&q.cpu_translate_for_debug, &translate, sizeof translate);
  if (page || translate)
    memcpy(&q.read_register, &read, sizeof read);
}

static void find_adding(void)
{
  void *one = dlsym(RTLD_DEFAULT, "qemu_plugin_register_vcpu_tb_exec_inline");
  void *each = dlsym(RTLD_DEFAULT, "qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu");
  void *new_board = dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_new");
  void *find = dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_find");
  memcpy(&q.register_add_v1, &one, sizeof one);
  memcpy(&q.scoreboard_new, &new_board, sizeof new_board);
  memcpy(&q.scoreboard_find, &find, sizeof find);
  if (new_board && find)
    memcpy(&q.register_add_v2, &each, sizeof each);
}

const char *tandem_qemu_api_load(const qemu_info_t *info)
{
  const char *hidden = g_getenv("TANDEM_TEST_HIDE_SYMBOL");
  const char *missing = NULL;
#define FIND(pointer, name)                                                                        \
  do {                                                                                             \
    void *symbol_ = g_strcmp0(hidden, name) == 0 ? NULL : dlsym(RTLD_DEFAULT, name);               \
    memcpy(&(pointer), &symbol_, sizeof symbol_);                                                  \
    if (!symbol_ && !missing)                                                                      \
      missing = name;                                                                              \
  } while (0)
#define X(result, name, parameters) FIND(q.name, #name);
  TANDEM_QEMU_FUNCTIONS(X)
  const char *needed = missing;
  missing = NULL;
  TANDEM_QEMU_CHECKPOINT_FUNCTIONS(X)
  FIND(q.address_space_memory, "address_space_memory");
  q.no_checkpoints = missing;
  missing = needed;
#undef X
  if (dlsym(RTLD_DEFAULT, "bql_lock_impl")) {
    FIND(q.lock, "bql_lock_impl");
    FIND(q.unlock, "bql_unlock");
  } else {
    FIND(q.lock, "qemu_mutex_lock_iothread_impl");
    FIND(q.unlock, "qemu_mutex_unlock_iothread");
  }
  FIND(q.tb_flush, dlsym(RTLD_DEFAULT, "tb_flush") ? "tb_flush" : "tb_flush__exclusive_or_serial");
  if (info->version.cur >= 3)
    FIND(q.insn_data_v3, "qemu_plugin_insn_data");
  else
    FIND(q.insn_data_v1, "qemu_plugin_insn_data");
  void *events = dlsym(RTLD_DEFAULT, "qemu_process_cpu_events_common");
  memcpy(&q.process_cpu_events, &events, sizeof events);
  void *disks = dlsym(RTLD_DEFAULT, "blk_all_next");
  memcpy(&q.blk_all_next, &disks, sizeof disks);
  q.plugin_interface = info->version.cur;
  if (q.plugin_interface >= 7)
    FIND(q.register_translation_v7, "qemu_plugin_register_vcpu_tb_trans_cb");
  else
    FIND(q.register_translation_v1, "qemu_plugin_register_vcpu_tb_trans_cb");
  FIND(q.use_icount, "use_icount");
  char *timers = NULL;
  FIND(timers, "timers_state");
#undef FIND
  if (missing)
    return say("this QEMU does not export '%s', which the adapter needs", missing);
  q.icount_bias = (int64_t *)(timers + ICOUNT_BIAS_OFFSET);
  q.icount_shift = (const int16_t *)(timers + ICOUNT_SHIFT_OFFSET);
  find_adding();
  q.cpus = info->system.smp_vcpus;
  q.isa = tandem_isa_find(info->target_name);
  if (q.isa && q.isa->clears)
    find_registers();
  return NULL;
}

size_t tandem_insn_bytes(const void *insn, uint8_t bytes[TANDEM_INSN_BYTES])
{
  size_t size = q.qemu_plugin_insn_size(insn);
  memset(bytes, 0, TANDEM_INSN_BYTES);
  if (size > TANDEM_INSN_BYTES)
    return 0;
  if (q.insn_data_v3)
    q.insn_data_v3(insn, bytes, size);
  else
    memcpy(bytes, q.insn_data_v1(insn), size);
  return size;
}

/* Whether the disassembler knows it. */
static bool is_whole(const void *insn)
{
  char *text = q.qemu_plugin_insn_disas(insn);
  bool whole = text && *text && !g_str_has_prefix(text, ".byte");
  g_free(text);
  return whole;
}

/* Of an instruction that was taken back QEMU has the bytes that are in the block's page, and they
 * are none without the rest. */
size_t tandem_block_instructions(const void *block)
{
  size_t count = q.qemu_plugin_tb_n_insns(block);
  if (q.major >= 9 || !q.isa->longest || count < 2)
    return count;
  const void *last = q.qemu_plugin_tb_get_insn(block, count - 1);
  bool near_end = q.qemu_plugin_insn_vaddr(last) % PAGE > PAGE - q.isa->longest;
  /* Where there is no disassembler, nothing is whole. */
  if (!near_end || is_whole(last) || !is_whole(q.qemu_plugin_tb_get_insn(block, 0)))
    return count;
  return count - 1;
}

const char *tandem_qemu_api_check(bool timed)
{
  VersionInfo *version = q.qmp_query_version(NULL);
  q.major = (int)version->qemu->major;
  q.minor = (int)version->qemu->minor;
  q.micro = (int)version->qemu->micro;
  const char *pretend = g_getenv("TANDEM_TEST_QEMU_MAJOR");
  if (pretend)
    q.major = atoi(pretend);
  if (TANDEM_QEMU_VERSION(q.major, q.minor) < TANDEM_QEMU_OLDEST)
    return say("QEMU %d.%d is too old, at least %d.%d is needed", q.major, q.minor,
               TANDEM_QEMU_OLDEST_MAJOR, TANDEM_QEMU_OLDEST_MINOR);
  if (!timed)
    return NULL;
  if (*q.use_icount != 1)
    return say("QEMU counts no instructions, start it with -icount shift=N,sleep=off");
  int64_t before = q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
  __atomic_fetch_add(q.icount_bias, 1000, __ATOMIC_SEQ_CST);
  int64_t after = q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
  __atomic_fetch_sub(q.icount_bias, 1000, __ATOMIC_SEQ_CST);
  if (after - before != 1000)
    return say("QEMU %d.%d keeps its virtual clock in a way that the adapter does not know",
               q.major, q.minor);
  return NULL;
}
