/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds, at translation time, the instructions by which a guest goes to sleep or switches itself
 * off, and has the CPU thread look after each of them whether the whole guest sleeps now. Only
 * these instructions pay for it.
 */
#define _GNU_SOURCE
#include "adapter.h"

#include <string.h>

/* HLT, MWAIT; OUT of 16 bits, by which ACPI switches off, and which is rare otherwise. */
static bool sleeps_x86(const uint8_t *b, size_t size)
{
  /* Prefixes are allowed before HLT; its opcode is the last byte of the instruction. */
  return (size >= 1 && size <= 2 && b[size - 1] == 0xf4) ||
         (size == 3 && b[0] == 0x0f && b[1] == 0x01 && b[2] == 0xc9) ||
         (b[0] == 0x66 && ((size == 2 && b[1] == 0xef) || (size == 3 && b[1] == 0xe7)));
}

/* WFI, WFIT, HVC and SMC (by which PSCI suspends and switches off). */
static bool sleeps_a64(uint32_t word)
{
  return word == 0xd503207fu || (word & 0xffffffe0u) == 0xd5031020u ||
         (word & 0xffe0001fu) == 0xd4000002u || (word & 0xffe0001fu) == 0xd4000003u;
}

/* WFI, HVC, SMC, and the old way to wait: MCR p15, 0, Rt, c7, c0, 4. */
static bool sleeps_a32(uint32_t word)
{
  uint32_t any = word & 0x0fffffffu; /* without condition */
  return any == 0x0320f003u || (any & 0x0ff000f0u) == 0x01400070u ||
         (any & 0x0ffffff0u) == 0x01600070u || (any & 0x0fff0fffu) == 0x0e070f90u;
}

/* T16 WFI; T32 WFI.W, HVC, SMC, MCR as above. */
static bool sleeps_thumb(const uint8_t *b, size_t size)
{
  uint16_t first = (uint16_t)(b[0] | b[1] << 8);
  if (size == 2)
    return first == 0xbf30u;
  uint16_t second = (uint16_t)(b[2] | b[3] << 8);
  return (first == 0xf3afu && second == 0x8003u) ||
         ((first & 0xfff0u) == 0xf7e0u && (second & 0xf000u) == 0x8000u) ||
         ((first & 0xfff0u) == 0xf7f0u && (second & 0xf000u) == 0x8000u) ||
         (first == 0xee07u && (second & 0x0fffu) == 0x0f90u);
}

static bool sleeps(const uint8_t *b, size_t size)
{
  if (q.is_x86)
    return sleeps_x86(b, size);
  uint32_t word = 0;
  if (size == 4)
    memcpy(&word, b, 4);
  /* In which state the CPU executes is not known here. A word that is taken for the wrong
   * state costs one needless look and nothing else. */
  return (size == 4 && q.is_aarch64 && sleeps_a64(word)) || (size == 4 && sleeps_a32(word)) ||
         sleeps_thumb(b, size);
}

static void before_sleep(unsigned cpu, void *unused)
{
  (void)cpu, (void)unused;
  tandem_sync_sleeps();
}

static void translated(void *block)
{
  tandem_turns_translated(block);
  tandem_cache_translated(block);
  tandem_atomic_translated(block);
  /* A sleeping instruction changes the CPU's state, so it ends its block. */
  size_t count = q.qemu_plugin_tb_n_insns(block);
  if (!count)
    return;
  void *insn = q.qemu_plugin_tb_get_insn(block, count - 1);
  uint8_t bytes[TANDEM_INSN_BYTES];
  size_t size = tandem_insn_bytes(insn, bytes);
  if (sleeps(bytes, size))
    q.qemu_plugin_register_vcpu_insn_exec_cb(insn, before_sleep, 0, NULL);
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
  if (!q.is_x86 && !q.is_aarch64 && strcmp(q.target, "arm") != 0)
    return "the adapter does not know how guests of this architecture go to sleep";
  if (q.plugin_interface >= 7)
    q.register_translation_v7(adapter.plugin_id, translated_v7, NULL);
  else
    q.register_translation_v1(adapter.plugin_id, translated_v1);
  return NULL;
}
