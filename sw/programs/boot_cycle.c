/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A master that boots a slave again and again, with the images of the platform's input
 * (a bundle.h) in turn, and checks each time that it is the given image that runs, with
 * the given argument. The images are boot_report and its like, except for end=itself.
 *
 *   slave=S     participant (default 1)
 *   cycles=N    boots (default 10)
 *   cpu=C       CPU that takes the entry point (default 0)
 *   end=HOW     what ends each life (default reset):
 *                 reset, halt                a command; a slave that computes every second time
 *                 exit, off, restart, crash  the slave, asked to by a message
 *                 kill                       somebody who sees the line "waiting for the end"
 *                 itself                     the slave, unasked, with exit status 0
 *                 any                        exit, off, restart and crash in turn
 *   race=NS     so long at most, drawn at random, after the slave was asked to end itself, the
 *               master stops it with a command, reset and halt in turn; whichever is first, the
 *               slave must come to rest, and a reset must make it held
 *   wrong=1     gives commands that must be refused as well
 *   timeout=NS  for each step (default 1 s)
 */
#include "tandem-sw/bundle.h"
#include "tandem-sw/console.h"
#include "tandem-sw/elf.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/message.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/slave.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/text.h"
#include "tandem-sw/time.h"

const char guest_name[] = "boot_cycle";
const bool guest_uses_idm = true;

/* In the last page of the window. */
#define TEXT_FROM_END 4096
#define COUNTER_FROM_END 2048

#define COUNTER_NS 1000000 /* in which a slave that computes gets on, and another does not */
#define EXIT_STATUS 7
#define SIGKILL 9
#define LINE 64

static const struct ending {
  const char *name;
  const char *order; /* to the slave, or NULL */
  uint32_t command;  /* or 0 */
  uint32_t status, reason;
  bool is_alone; /* the slave neither reports nor serves */
} endings[] = {
    {"reset", NULL, TANDEM_IDM_BOOT_CMD_RESET, TANDEM_IDM_BOOT_HELD, 0, false},
    {"halt", NULL, TANDEM_IDM_BOOT_CMD_HALT, TANDEM_IDM_BOOT_HALTED, 0, false},
    {"exit", "exit 7", 0, TANDEM_IDM_BOOT_OFF, TANDEM_IDM_BOOT_REASON_EXIT | EXIT_STATUS, false},
    {"off", "off", 0, TANDEM_IDM_BOOT_OFF, TANDEM_IDM_BOOT_REASON_POWEROFF, false},
    {"restart", "reset", 0, TANDEM_IDM_BOOT_OFF, TANDEM_IDM_BOOT_REASON_RESET, false},
    {"crash", "crash", 0, TANDEM_IDM_BOOT_OFF, TANDEM_IDM_BOOT_REASON_EXIT | 255, false},
    {"kill", NULL, 0, TANDEM_IDM_BOOT_CRASHED, TANDEM_IDM_BOOT_REASON_SIGNAL | SIGKILL, false},
    {"itself", NULL, 0, TANDEM_IDM_BOOT_OFF, TANDEM_IDM_BOOT_REASON_EXIT, true},
};

#define FIRST_ORDER 2 /* of those that the slave carries out */
#define ORDERS 4

static uint32_t slave, errors;
static uint64_t timeout, race;
static bool any_ending;
static const struct ending *ending;
static const struct bundle *bundle;
static struct elf_machine machine;
static struct idm_boot boot;

/* --- Small steps: each says what went wrong, and returns whether it went well. -- */

static bool same(const char *what, uint64_t seen, uint64_t expected)
{
  if (seen == expected)
    return true;
  ++errors;
  printf("ERROR %s: %llu, not %llu\n", what, (unsigned long long)seen,
         (unsigned long long)expected);
  return false;
}

static bool reaches(uint32_t status)
{
  if (idm_boot_wait(slave, status, timeout))
    return true;
  return same("status of the slave", idm_boot_read(slave, TANDEM_IDM_BOOT_STATUS), status);
}

static bool hears(const char *expected)
{
  const struct idm_wait wait = {.receivers = UINT32_C(1) << slave};
  char text[LINE] = "";
  struct message_rx rx;
  message_rx_begin(&rx, slave, text, sizeof text - 1);
  while (!message_rx_pull(&rx)) {
    if (!idm_wait(&wait, timeout)) {
      printf("ERROR no message '%s' from the slave\n", expected);
      ++errors;
      return false;
    }
  }
  if (!strcmp(text, expected))
    return true;
  printf("ERROR the slave says '%s', not '%s'\n", text, expected);
  ++errors;
  return false;
}

static void say(const char *text)
{
  message_send(slave, text, (uint32_t)strlen(text));
}

static bool answers(const char *question, const char *expected)
{
  say(question);
  return hears(expected);
}

static bool answers_doorbell(void)
{
  idm_doorbell_ring(UINT32_C(1) << slave);
  bool rung = idm_doorbell_wait(UINT32_C(1) << slave, timeout) != 0;
  return same("doorbells from the slave", rung, 1);
}

/* --- A life --------------------------------------------------------------------- */

static volatile uint32_t *counter(void)
{
  return (volatile uint32_t *)(machine.memory + (size_t)machine.size - COUNTER_FROM_END);
}

static bool counts(void)
{
  uint32_t before = *counter();
  sleep_ns(COUNTER_NS);
  return *counter() != before;
}

static bool load(const struct bundle_image *image, const char *argument)
{
  const char *cause =
      elf_load((const uint8_t *)bundle + image->offset, image->size, &machine, &boot.entry);
  if (cause) {
    printf("ERROR image %s: %s\n", image->name, cause);
    ++errors;
    return false;
  }
  size_t text = (size_t)machine.size - TEXT_FROM_END;
  boot.argument = machine.ram + text;
  memcpy(machine.memory + text, argument, strlen(argument) + 1);
  return true;
}

static bool start(void)
{
  uint32_t count = idm_boot_read(slave, TANDEM_IDM_BOOT_COUNT);
  idm_boot_write(slave, &boot);
  return same("result of the boot command", idm_boot_command(slave, TANDEM_IDM_BOOT_CMD_BOOT),
              TANDEM_IDM_BOOT_RESULT_OK) &&
         (ending->is_alone || reaches(TANDEM_IDM_BOOT_RUNNING)) &&
         same("number of boots", idm_boot_read(slave, TANDEM_IDM_BOOT_COUNT), count + 1);
}

static bool start_counting(void)
{
  char order[LINE] = "count ";
  text_append_number(order, sizeof order, machine.ram + machine.size - COUNTER_FROM_END);
  say(order);
  return same("counting of the slave", counts(), 1);
}

/* With a command: computing slaves are stopped as well as sleeping ones. */
static bool stop(bool computes)
{
  if (computes && !start_counting())
    return false;
  return same("result of the command", idm_boot_command(slave, ending->command),
              TANDEM_IDM_BOOT_RESULT_OK) &&
         reaches(ending->status) && same("counting after the end", counts(), 0);
}

/* The slave computes meanwhile: with all asleep, the simulation would be over at once. */
static bool is_killed(void)
{
  if (!start_counting())
    return false;
  printf("waiting for the end\n");
  return idm_boot_wait(slave, ending->status, 0);
}

static bool end(bool computes)
{
  if (ending->command)
    return stop(computes);
  if (!ending->order && !ending->is_alone)
    return is_killed();
  if (ending->order)
    say(ending->order);
  return reaches(ending->status);
}

/* Asks the slave to end itself, and stops it with a command at about the same time. */
static bool end_twice(bool halts)
{
  static struct random_state numbers = {1};
  say(ending->order);
  sleep_ns(random_below(&numbers, (uint32_t)race));
  if (halts) {
    uint32_t result = idm_boot_command(slave, TANDEM_IDM_BOOT_CMD_HALT), status;
    uint64_t end = now_ns() + timeout;
    while ((status = idm_boot_read(slave, TANDEM_IDM_BOOT_STATUS)) == TANDEM_IDM_BOOT_RUNNING &&
           now_ns() < end)
      sleep_ns(1000);
    if (status != ending->status)
      same("status of a slave that was halted", status, TANDEM_IDM_BOOT_HALTED);
    if (result == TANDEM_IDM_BOOT_RESULT_STATE) /* it was too late */
      same("status of a slave that had ended", status, ending->status);
  }
  return same("result of the reset", idm_boot_command(slave, TANDEM_IDM_BOOT_CMD_RESET),
              TANDEM_IDM_BOOT_RESULT_OK) &&
         reaches(TANDEM_IDM_BOOT_HELD) &&
         same("reason of the state", idm_boot_read(slave, TANDEM_IDM_BOOT_REASON), 0);
}

static bool run(uint64_t cycle)
{
  if (any_ending)
    ending = &endings[FIRST_ORDER + cycle % ORDERS];
  const struct bundle_image *image = &bundle->images[cycle % bundle->count];
  char argument[LINE] = "tag=";
  char *tag = argument + strlen(argument);
  text_append(argument, sizeof argument, image->name);
  text_append(argument, sizeof argument, "-");
  text_append_number(argument, sizeof argument, cycle);
  if (!load(image, argument) || !start())
    return false;
  if (!ending->is_alone && !(hears(tag) && answers("name", image->name) &&
                             answers("as is", "echo: as is") && answers_doorbell()))
    return false;
  if (race && ending->order)
    return end_twice(cycle / ORDERS % 2);
  return end(cycle % 2) &&
         same("reason of the state", idm_boot_read(slave, TANDEM_IDM_BOOT_REASON), ending->reason);
}

/* --- Commands that must be refused ---------------------------------------------- */

static void refused(const char *what, uint32_t participant, uint32_t command, uint32_t expected)
{
  uint32_t result = idm_boot_command(participant, command);
  printf("RESULT wrong_%s %u\n", what, (unsigned)result);
  same(what, result, expected);
}

static void boot_refused(const char *what, const struct idm_boot *wrong, uint32_t expected)
{
  idm_boot_write(slave, wrong);
  refused(what, slave, TANDEM_IDM_BOOT_CMD_BOOT, expected);
}

static void give_wrong_windows(void)
{
  struct idm_boot wrong = boot;
  wrong.size = 0;
  boot_refused("size_0", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
  wrong.size = boot.size - 1;
  boot_refused("size_uneven", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
  wrong.size = idm_boot_read64(slave, TANDEM_IDM_BOOT_LIMIT_LO) + 4096;
  boot_refused("size_limit", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
  wrong.size = UINT64_MAX - 4095;
  boot_refused("size_huge", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
  wrong = boot;
  wrong.window = boot.window + 4;
  boot_refused("window_uneven", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
  wrong.window = idm_read(TANDEM_IDM_MEMORY_LO) | (uint64_t)idm_read(TANDEM_IDM_MEMORY_HI) << 32;
  boot_refused("window_outside", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
  wrong.window -= boot.size - 4096;
  boot_refused("window_end", &wrong, TANDEM_IDM_BOOT_RESULT_WINDOW);
}

static void give_wrong_commands(void)
{
  struct idm_boot wrong = boot;
  give_wrong_windows();
  wrong.entry = machine.ram - 4;
  boot_refused("entry_below", &wrong, TANDEM_IDM_BOOT_RESULT_ENTRY);
  wrong.entry = machine.ram + machine.size;
  boot_refused("entry_above", &wrong, TANDEM_IDM_BOOT_RESULT_ENTRY);
  wrong = boot;
  wrong.cpu = idm_boot_read(slave, TANDEM_IDM_BOOT_MACHINE) >> 24;
  boot_refused("cpu", &wrong, TANDEM_IDM_BOOT_RESULT_CPU);
  idm_boot_write(slave, &boot);
  refused("command", slave, TANDEM_IDM_BOOT_CMD_HALT + 1, TANDEM_IDM_BOOT_RESULT_COMMAND);
  refused("command_0", slave, 0, TANDEM_IDM_BOOT_RESULT_COMMAND);
  refused("self", idm_info()->self, TANDEM_IDM_BOOT_CMD_BOOT, TANDEM_IDM_BOOT_RESULT_SLAVE);
  refused("halt_held", slave, TANDEM_IDM_BOOT_CMD_HALT, TANDEM_IDM_BOOT_RESULT_STATE);
  same("status after refused commands", idm_boot_read(slave, TANDEM_IDM_BOOT_STATUS),
       TANDEM_IDM_BOOT_HELD);
}

/* Boots, is refused a second boot of the running slave, and resets it. */
static void give_wrong_boot(void)
{
  if (!load(&bundle->images[0], "tag=wrong") || !start() || !hears("wrong"))
    return;
  refused("boot_running", slave, TANDEM_IDM_BOOT_CMD_BOOT, TANDEM_IDM_BOOT_RESULT_STATE);
  answers("name", bundle->images[0].name);
  refused("nothing", slave, TANDEM_IDM_BOOT_CMD_RESET, TANDEM_IDM_BOOT_RESULT_OK);
  reaches(TANDEM_IDM_BOOT_HELD);
}

/* --- Frame ---------------------------------------------------------------------- */

static bool read_parameters(void)
{
  char how[16] = "reset";
  param_get("end", how, sizeof how);
  any_ending = !strcmp(how, "any");
  if (any_ending)
    ending = &endings[FIRST_ORDER];
  race = param_u64("race", 0);
  for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; ++i)
    if (!strcmp(endings[i].name, how))
      ending = &endings[i];
  slave = param_u32("slave", 1);
  timeout = param_u64("timeout", 1000000000);
  bundle = (const struct bundle *)shm_address(GUEST_MAP_INPUT_OFFSET, param_u64("input", 0));
  bool is_bundle = param_u64("input", 0) > sizeof *bundle && bundle->magic == BUNDLE_MAGIC &&
                   bundle->count && bundle->count <= BUNDLE_IMAGES;
  if (!ending)
    printf("unknown end=%s\n", how);
  if (!is_bundle)
    printf("the platform's input is no bundle of images\n");
  return ending && is_bundle;
}

static bool find_slave(void)
{
  boot.cpu = param_u32("cpu", 0);
  return slave_find(slave, &machine, &boot);
}

int guest_main(void)
{
  idm_require();
  if (!read_parameters() || !find_slave())
    return 2;
  if (param_u64("wrong", 0)) {
    give_wrong_commands();
    give_wrong_boot();
  }
  uint64_t cycles = param_u64("cycles", 10), cycle = 0;
  while (cycle < cycles && run(cycle)) {
    ++cycle;
    printf("cycle %llu\n", (unsigned long long)cycle);
  }
  printf("RESULT cycles %llu\n", (unsigned long long)cycle);
  printf("RESULT errors %u\n", (unsigned)errors);
  return cycle != cycles || errors;
}
