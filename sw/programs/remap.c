/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes again and again what is behind one page of virtual addresses, in every way that the
 * architecture has, and accesses it between: no access may go to where the one before went. The
 * pages are in the shared memory, so that a cache model can be checked with it.
 *
 *   steps=N   changes (default 1k)
 *   seed=S    of the random choice of ways, pages and accesses (default 1)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/system.h"

#include <stddef.h>

const char guest_name[] = "remap";
const bool guest_uses_idm = true;

#if defined(__x86_64__) || defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH_PROFILE == 'A')

#define PAGE 4096u
#define PAGES 12u
#define WORDS 64u /* of each page are accessed */
#define ACCESSES 6u
#define ALIGNED __attribute__((aligned(PAGE)))

static uintptr_t window; /* that is remapped; untranslated it is the first page */

static uintptr_t page_address(unsigned page)
{
  return window + (uintptr_t)page * PAGE;
}

/* ---- the architecture's part: two address spaces, which differ in the page of the window ---- */

/* Sets the window's entry in an address space. page: PAGES for none. */
static void set_entry(unsigned space, unsigned page);
static void make_spaces(void);
/* Has the CPU forget the window's translation in the present space, or all of them. */
static void forget_page(void);
static void forget_all(void);
static void enter_space(unsigned space);
/* Loads and stores as a program without privileges would, where there are instructions for it. */
static uint32_t load_unprivileged(uintptr_t address);
static void store_unprivileged(uintptr_t address, uint32_t value);
/* A load with translation switched off for it, where that is possible. */
static bool load_untranslated(uintptr_t address, uint32_t *value);
/* Executes an instruction that lies across two pages, where instructions can. */
static void step_across(void);

#if defined(__x86_64__)
#define ENTRIES 512u
#define TABLE 0x3u /* present, writable */
#define LARGE 0x80u
#define ADDRESS 0x000ffffffffff000ull

static uint64_t tables[2][4][ENTRIES] ALIGNED;

static void set_entry(unsigned space, unsigned page)
{
  volatile uint64_t *entry = &tables[space][3][window / PAGE % ENTRIES];
  *entry = page == PAGES ? 0 : page_address(page) | TABLE;
}

/* Copies of the tables in use, down to that of the window, whose large page becomes small ones. */
static void make_spaces(void)
{
  uint64_t root;
  __asm__ volatile("mov %%cr3, %0" : "=r"(root));
  for (unsigned space = 0; space < 2; ++space) {
    uint64_t entry = root | TABLE;
    for (unsigned level = 0; level < 3; ++level) {
      uint64_t *table = tables[space][level];
      __builtin_memcpy(table, (const void *)(uintptr_t)(entry & ADDRESS), sizeof tables[0][0]);
      unsigned index = window >> (39 - 9 * level) & (ENTRIES - 1);
      entry = table[index];
      table[index] = (uintptr_t)tables[space][level + 1] | TABLE;
    }
    for (unsigned i = 0; i < ENTRIES; ++i)
      tables[space][3][i] = (entry & ADDRESS & ~0x1fffffull) + (uint64_t)i * PAGE + TABLE;
  }
}

static void forget_page(void)
{
  __asm__ volatile("invlpg (%0)" ::"r"(window) : "memory");
}

static void enter_space(unsigned space)
{
  __asm__ volatile("mov %0, %%cr3" ::"r"((uintptr_t)tables[space][0]) : "memory");
}

/* By turning global pages on and off. */
static void forget_all(void)
{
  uint64_t cr4;
  __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
  __asm__ volatile("mov %0, %%cr4" ::"r"(cr4 ^ 0x80) : "memory");
}

static uint32_t load_unprivileged(uintptr_t address)
{
  return *(volatile uint32_t *)address;
}

static void store_unprivileged(uintptr_t address, uint32_t value)
{
  *(volatile uint32_t *)address = value;
}

static bool load_untranslated(uintptr_t address, uint32_t *value)
{
  (void)address, (void)value;
  return false;
}

__asm__(".pushsection .text.across, \"ax\"\n"
        ".balign 4096\n"
        ".skip 4096 - 4\n"
        "across: nop\n nop\n" /* it is not the first of its block */
        "lea 1(%r11), %r11\n"
        "ret\n"
        ".popsection");

static void step_across(void)
{
  __asm__ volatile("call across" ::: "r11", "memory", "cc");
}

#elif defined(__aarch64__)
#define ENTRIES 512u
#define TABLE 3u
#define ADDRESS 0x0000fffffffff000ull
#define USER_NOT_GLOBAL 0x840u /* EL0 may access it, and it belongs to an ASID */
#define BARRIER "dsb sy\n isb\n"

static uint64_t tables[2][3][ENTRIES] ALIGNED;
static uint64_t attributes;
static unsigned present;

static void set_entry(unsigned space, unsigned page)
{
  volatile uint64_t *entry = &tables[space][2][window / PAGE % ENTRIES];
  *entry = page == PAGES ? 0 : page_address(page) | attributes | USER_NOT_GLOBAL | TABLE;
  __asm__ volatile("dsb sy\n isb" ::: "memory");
}

/* The block of 1 GiB around the window becomes blocks of 2 MiB, one of which becomes pages. */
static void make_spaces(void)
{
  uint64_t root;
  __asm__ volatile("mrs %0, ttbr0_el1" : "=r"(root));
  unsigned giga = window >> 30, mega = window >> 21 & (ENTRIES - 1);
  uintptr_t block = window & ~(uintptr_t)0x3fffffff, large = window & ~(uintptr_t)0x1fffff;
  for (unsigned space = 0; space < 2; ++space) {
    __builtin_memcpy(tables[space][0], (const void *)(uintptr_t)(root & ADDRESS),
                     sizeof tables[0][0]);
    attributes = tables[space][0][giga] & ~ADDRESS & ~3ull;
    tables[space][0][giga] = (uintptr_t)tables[space][1] | TABLE;
    for (unsigned i = 0; i < ENTRIES; ++i) {
      tables[space][1][i] = (block + (uint64_t)i * 0x200000) | attributes | 1;
      tables[space][2][i] = (large + (uint64_t)i * PAGE) | attributes | USER_NOT_GLOBAL | TABLE;
    }
    tables[space][1][mega] = (uintptr_t)tables[space][2] | TABLE;
  }
}

static void forget_page(void)
{
  uint64_t what = window / PAGE | (uint64_t)present << 48;
  __asm__ volatile("dsb sy\n tlbi vae1, %0\n" BARRIER ::"r"(what) : "memory");
}

static void forget_all(void)
{
  __asm__ volatile("dsb sy\n tlbi vmalle1\n" BARRIER ::: "memory");
}

/* What the CPU may still know of the other space goes first, by its ASID. */
static void enter_space(unsigned space)
{
  present = space;
  uint64_t asid = (uint64_t)space << 48;
  __asm__ volatile("dsb sy\n tlbi aside1, %0\n dsb sy\n msr ttbr0_el1, %1\n isb" ::"r"(asid),
                   "r"(asid | (uintptr_t)tables[space][0])
                   : "memory");
}

static uint32_t load_unprivileged(uintptr_t address)
{
  uint32_t value;
  __asm__ volatile("ldtr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
  return value;
}

static void store_unprivileged(uintptr_t address, uint32_t value)
{
  __asm__ volatile("sttr %w0, [%1]" ::"r"(value), "r"(address) : "memory");
}

static void step_across(void) {}

static bool load_untranslated(uintptr_t address, uint32_t *value)
{
  uint64_t on;
  __asm__ volatile("mrs %1, sctlr_el1\n bic x9, %1, #1\n msr sctlr_el1, x9\n isb\n"
                   "ldr %w0, [%2]\n msr sctlr_el1, %1\n isb"
                   : "=&r"(*value), "=&r"(on)
                   : "r"(address)
                   : "x9", "memory");
  return true;
}

#else /* arm */
#define SECTIONS 4096u
#define ENTRIES 256u
#define SMALL 0xc7eu /* write-back, shareable, full access, belongs to an ASID */
#define SECTION_ADDRESS 0xfff00000u
#define TABLE_WALK_CACHED 0x4au
#define BARRIER "dsb\n isb\n"

static uint32_t sections[2][SECTIONS] __attribute__((aligned(0x4000)));
static uint32_t pages[2][ENTRIES] ALIGNED;
static unsigned present;

static void set_entry(unsigned space, unsigned page)
{
  volatile uint32_t *entry = &pages[space][window / PAGE % ENTRIES];
  *entry = page == PAGES ? 0 : (uint32_t)page_address(page) | SMALL;
  __asm__ volatile("dsb\n isb" ::: "memory");
}

static void make_spaces(void)
{
  uint32_t root;
  __asm__ volatile("mrc p15, 0, %0, c2, c0, 0" : "=r"(root));
  for (unsigned space = 0; space < 2; ++space) {
    __builtin_memcpy(sections[space], (const void *)(root & ~0x3fffu), sizeof sections[0]);
    sections[space][window >> 20] = (uint32_t)(uintptr_t)pages[space] | 1;
    for (unsigned i = 0; i < ENTRIES; ++i)
      pages[space][i] = ((window & SECTION_ADDRESS) + i * PAGE) | SMALL;
  }
}

static void forget_page(void)
{
  __asm__ volatile("dsb\n mcr p15, 0, %0, c8, c7, 1\n" BARRIER ::"r"(window | present) : "memory");
}

static void forget_all(void)
{
  __asm__ volatile("dsb\n mcr p15, 0, %0, c8, c7, 0\n" BARRIER ::"r"(0) : "memory");
}

static void enter_space(unsigned space)
{
  present = space;
  __asm__ volatile("dsb\n mcr p15, 0, %0, c8, c7, 2\n dsb\n mcr p15, 0, %0, c13, c0, 1\n isb\n"
                   "mcr p15, 0, %1, c2, c0, 0\n isb" ::"r"(space),
                   "r"((uint32_t)(uintptr_t)sections[space] | TABLE_WALK_CACHED)
                   : "memory");
}

static uint32_t load_unprivileged(uintptr_t address)
{
  uint32_t value;
  __asm__ volatile("ldrt %0, [%1]" : "=&r"(value) : "r"(address) : "memory");
  return value;
}

static void store_unprivileged(uintptr_t address, uint32_t value)
{
  __asm__ volatile("strt %0, [%1]" ::"r"(value), "r"(address) : "memory");
}

static void step_across(void) {}

static bool load_untranslated(uintptr_t address, uint32_t *value)
{
  uint32_t on, off;
  __asm__ volatile("mrc p15, 0, %1, c1, c0, 0\n bic %2, %1, #1\n mcr p15, 0, %2, c1, c0, 0\n isb\n"
                   "ldr %0, [%3]\n mcr p15, 0, %1, c1, c0, 0\n isb"
                   : "=&r"(*value), "=&r"(on), "=&r"(off)
                   : "r"(address)
                   : "memory");
  return true;
}

#endif

/* ---- the same everywhere ---- */

enum way { PAGE_FORGOTTEN, ALL_FORGOTTEN, NONE_BEFORE, OTHER_SPACE, WAYS };

static unsigned space;                 /* the present one */
static uint32_t content[PAGES][WORDS]; /* as it should be, in private memory */
static uint32_t wrong;

static void change(enum way way, unsigned page)
{
  if (way == OTHER_SPACE) {
    space ^= 1;
    set_entry(space, page);
    enter_space(space);
    return;
  }
  /* An entry that says "nothing" is not remembered: no need to forget it. */
  set_entry(space, way == NONE_BEFORE ? PAGES : page);
  if (way == ALL_FORGOTTEN)
    forget_all();
  else
    forget_page();
  if (way == NONE_BEFORE)
    set_entry(space, page);
}

/* One access to a word of a page at an address where it should be seen. */
static void access(struct random_state *numbers, unsigned page, uintptr_t address)
{
  step_across();
  unsigned word = random_below(numbers, WORDS), kind = random_below(numbers, 4);
  volatile uint32_t *at = (volatile uint32_t *)address + word;
  uint32_t *expected = &content[page][word];
  switch (kind) {
  case 0:
    wrong += *at != *expected;
    break;
  case 1:
    wrong += load_unprivileged((uintptr_t)at) != *expected;
    break;
  case 2:
    *at = ++*expected;
    break;
  default:
    store_unprivileged((uintptr_t)at, ++*expected);
  }
}

static void check_untranslated(struct random_state *numbers)
{
  unsigned word = random_below(numbers, WORDS);
  uint32_t value;
  if (load_untranslated(window + word * sizeof value, &value))
    wrong += value != content[0][word];
}

static void fill(void)
{
  for (unsigned page = 0; page < PAGES; ++page)
    for (unsigned word = 0; word < WORDS; ++word) {
      content[page][word] = page << 24 | word << 16;
      ((volatile uint32_t *)page_address(page))[word] = content[page][word];
    }
}

int guest_main(void)
{
  struct random_state numbers;
  uint32_t steps = param_u32("steps", 0x400);
  random_seed(&numbers, param_u32("seed", 1));
  window = shm_address(SHM_BUFFER_OFFSET, (uint64_t)PAGES * PAGE);
  fill();
  make_spaces();
  enter_space(0);
  for (uint32_t step = 0; step < steps; ++step) {
    unsigned page = random_below(&numbers, PAGES);
    change((enum way)random_below(&numbers, WAYS), page);
    for (unsigned i = 0; i < ACCESSES; ++i)
      access(&numbers, page, window);
    /* The same memory at its own address, but for the first page, in whose place the window is. */
    if (page)
      access(&numbers, page, page_address(page));
    check_untranslated(&numbers);
  }
  printf("RESULT steps %u\n", (unsigned)steps);
  printf("RESULT wrong %u\n", (unsigned)wrong);
  return wrong ? 1 : 0;
}
#else

int guest_main(void)
{
  printf("this guest runs without address translation\n");
  return 2;
}
#endif
