/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds, at translation time, the instructions by which a guest goes to sleep or switches itself
 * off, and has the CPU thread look after each of them whether the whole guest sleeps now. Only
 * these instructions pay for it.
 */
#define _GNU_SOURCE
#include "adapter.h"

static void before_sleep(unsigned cpu, void *unused)
{
  (void)cpu, (void)unused;
  tandem_sync_sleeps();
}

static void translated(void *block)
{
  tandem_turns_translated(block);
  tandem_code_translated(block);
  tandem_observe_translated(block);
  tandem_atomic_translated(block);
  size_t count = q.qemu_plugin_tb_n_insns(block);
  for (size_t i = q.isa->sleeps_within_block || !count ? 0 : count - 1; i < count; ++i) {
    void *insn = q.qemu_plugin_tb_get_insn(block, i);
    uint8_t bytes[TANDEM_INSN_BYTES];
    size_t size = tandem_insn_bytes(insn, bytes);
    if (q.isa->sleeps(bytes, size))
      q.qemu_plugin_register_vcpu_insn_exec_cb(insn, before_sleep, 0, NULL);
  }
}

static void translated_v1(uint64_t id, void *block)
{
  (void)id;
  translated(block);
}

/* The block first, then what was given at registration. */
static void translated_v7(void *block, void *unused)
{
  (void)unused;
  translated(block);
}

const char *tandem_halt_init(void)
{
  if (!q.isa)
    return "the adapter does not know how guests of this architecture go to sleep";
  if (q.plugin_interface >= 7)
    q.register_translation_v7(adapter.plugin_id, translated_v7, NULL);
  else
    q.register_translation_v1(adapter.plugin_id, translated_v1);
  return NULL;
}
