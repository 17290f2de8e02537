/* SPDX-License-Identifier: Apache-2.0 */
/* Shows and drives the slaves of the IDM, and talks to them. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <tandem_marks.h>

#define FOREVER (-1)

static const char usage_text[] =
    "Usage: idmctl COMMAND [ARGUMENT...] [-t SECONDS]\n"
    "\n"
    "  status [SLAVE]       state of all slaves, or of one\n"
    "  boot SLAVE           start what load-bin-boot has loaded, again\n"
    "  reset SLAVE          back to held\n"
    "  halt SLAVE           stop it, its memory stays as it is\n"
    "  wait SLAVE STATE     until it is held, running, halted, off or crashed\n"
    "  ring SLAVE           ring its doorbell\n"
    "  rings SLAVE          how often it has rung since the last time\n"
    "  send SLAVE TEXT      send a message\n"
    "  receive SLAVE        wait for a message and print it\n"
    "  drop SLAVE           throw away what has been received\n"
    "  time                 simulation time and the kernel's clock, read together\n"
    "  mark NUMBER [VALUE]  make a mark in the records of the run\n"
    "  region begin NUMBER  a region of interest begins; region end NUMBER: it ends\n"
    "  checkpoint           have the whole platform saved, where it was started with --checkpoint\n"
    "  end [STATUS]         end the run with this exit status; from a slave: switch it off\n"
    "\n"
    "SLAVE is N of /dev/idmN. With -t, wait, send and receive give up after so many seconds of\n"
    "this guest's time, with exit status 2. All other failures have exit status 1.\n";

struct options {
  char **arguments; /* behind the command */
  int count;
  double timeout; /* seconds, or FOREVER */
};

static double now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Seconds from now to `deadline`, for poll(). */
static int milliseconds_left(const struct options *options, double deadline)
{
  double left;

  if (options->timeout == FOREVER)
    return -1;
  left = deadline - now();
  return left > 0 ? (int)(left * 1000) + 1 : 0;
}

/* False when the time is over. */
static bool await(const struct slave *slave, short event, const struct options *options,
                  double deadline)
{
  struct pollfd wanted = {.fd = slave->fd, .events = event};
  int ready = poll(&wanted, 1, milliseconds_left(options, deadline));

  if (ready < 0 && errno != EINTR)
    fail("waiting for slave %u failed: %s", slave->number, strerror(errno));
  if (ready > 0 && wanted.revents & POLLERR)
    fail("a driver holds the mailbox of slave %u", slave->number);
  return ready != 0;
}

__attribute__((noreturn, format(printf, 1, 2))) static void time_out(const char *format, ...)
{
  va_list arguments;

  fputs("idmctl: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(EXIT_TIMEOUT);
}

static void print_status(const struct slave *slave)
{
  const struct idm_info *info = &slave->info;
  char reason[40], machine[24], size[24], window[64] = "-", ram[24] = "-", cpus[12] = "-";

  if (!(info->flags & IDM_FLAG_MASTER)) {
    printf("%-6u %-12u %s\n", slave->number, info->participant, "unknown, this guest is no master");
    return;
  }
  reason_text(info, reason, sizeof(reason));
  machine_text(info, machine, sizeof(machine));
  if (info->machine) {
    size_text(info->size, size, sizeof(size));
    snprintf(window, sizeof(window), "%s at 0x%llx", size, (unsigned long long)info->window);
    snprintf(ram, sizeof(ram), "0x%llx", (unsigned long long)info->ram_address);
    snprintf(cpus, sizeof(cpus), "%u", info->cpus);
  }
  printf("%-6u %-12u %-8s %-26s %-6u %-8s %-5s %-24s %s\n", slave->number, info->participant,
         state_name(info->state), reason, info->boots, machine, cpus, window, ram);
}

static void do_status(const struct options *options)
{
  struct slave slave;
  unsigned number, count;
  char text[12];

  if (options->count) {
    slave_open(&slave, options->arguments[0]);
    slave_close(&slave);
  }
  count = slave_count();
  printf("%-6s %-12s %-8s %-26s %-6s %-8s %-5s %-24s %s\n", "slave", "participant", "state",
         "reason", "boots", "machine", "cpus", "window", "ram");
  if (options->count) {
    print_status(&slave);
    return;
  }
  for (number = 0; number < count; ++number) {
    snprintf(text, sizeof(text), "%u", number);
    slave_open(&slave, text);
    print_status(&slave);
    slave_close(&slave);
  }
}

/* With the slave open. */
static void do_boot(struct slave *slave, const struct options *options)
{
  (void)options;
  slave_boot(slave);
}

static void do_reset(struct slave *slave, const struct options *options)
{
  (void)options;
  slave_reset(slave);
}

static void do_halt(struct slave *slave, const struct options *options)
{
  (void)options;
  slave_halt(slave);
}

static void do_wait(struct slave *slave, const struct options *options)
{
  double deadline = now() + options->timeout;
  uint32_t wanted;

  if (!state_number(options->arguments[1], &wanted))
    fail("'%s' is no state: held, running, halted, off or crashed", options->arguments[1]);
  slave_require_bootable(slave);
  while (slave->info.state != wanted) {
    if (!await(slave, POLLRDBAND, options, deadline))
      time_out("slave %u is %s and did not become %s in time", slave->number,
               state_name(slave->info.state), options->arguments[1]);
    slave_refresh(slave);
  }
}

static void do_ring(struct slave *slave, const struct options *options)
{
  (void)options;
  if (ioctl(slave->fd, IDM_RING))
    fail("slave %u cannot be rung: %s", slave->number, strerror(errno));
}

static void do_rings(struct slave *slave, const struct options *options)
{
  uint32_t rings;

  (void)options;
  if (ioctl(slave->fd, IDM_RINGS, &rings))
    fail("the rings of slave %u cannot be read: %s", slave->number, strerror(errno));
  printf("%u\n", rings);
}

static void make_non_blocking(const struct slave *slave)
{
  if (fcntl(slave->fd, F_SETFL, O_NONBLOCK))
    fail("slave %u cannot be made non-blocking: %s", slave->number, strerror(errno));
}

/* Done when the whole message is in the FIFO: only then the module takes another one. */
static void do_send(struct slave *slave, const struct options *options)
{
  double deadline = now() + options->timeout;
  const char *text = options->arguments[1];
  ssize_t sent;

  make_non_blocking(slave);
  do {
    if (!await(slave, POLLOUT, options, deadline))
      time_out("slave %u takes no message: the one before has not been read yet", slave->number);
    sent = write(slave->fd, text, strlen(text));
  } while (sent < 0 && errno == EAGAIN);
  if (sent < 0 && errno == EMSGSIZE)
    fail("a message has at most %u bytes, not %zu", IDM_MESSAGE_MAX, strlen(text));
  if (sent < 0)
    fail("slave %u cannot be sent a message: %s", slave->number, strerror(errno));
  if (!await(slave, POLLOUT, options, deadline))
    time_out("the message goes on its way only when slave %u reads what was sent before",
             slave->number);
}

static void do_receive(struct slave *slave, const struct options *options)
{
  double deadline = now() + options->timeout;
  static char message[IDM_MESSAGE_MAX];
  ssize_t length;

  make_non_blocking(slave);
  do {
    if (!await(slave, POLLIN, options, deadline))
      time_out("slave %u has sent no message in time", slave->number);
    length = read(slave->fd, message, sizeof(message));
  } while (length < 0 && errno == EAGAIN);
  if (length < 0 && errno == EMSGSIZE)
    fail("slave %u has sent a message of more than %u bytes, or words that are no message",
         slave->number, IDM_MESSAGE_MAX);
  if (length < 0)
    fail("no message can be received from slave %u: %s", slave->number, strerror(errno));
  fwrite(message, 1, (size_t)length, stdout);
  putchar('\n');
}

static void do_drop(struct slave *slave, const struct options *options)
{
  (void)options;
  if (ioctl(slave->fd, IDM_DROP))
    fail("what slave %u has sent cannot be dropped: %s", slave->number, strerror(errno));
}

static void print_seconds(const char *name, uint64_t ns)
{
  printf("%s %llu.%09llu s\n", name, (unsigned long long)(ns / 1000000000),
         (unsigned long long)(ns % 1000000000));
}

static void do_time(const struct options *options)
{
  struct slave slave;

  (void)options;
  slave_open(&slave, "0");
  print_seconds("simulation", slave.info.time_ns);
  print_seconds("clock", slave.info.clock_ns);
  slave_close(&slave);
}

static void do_end(const struct options *options)
{
  uint32_t status =
      options->count ? (uint32_t)parse_number("exit status", options->arguments[0], 255) : 0;
  struct slave slave;

  slave_open(&slave, "0");
  if (ioctl(slave.fd, IDM_EXIT, &status))
    fail("the run cannot be ended: %s", strerror(errno));
  slave_close(&slave);
}

static void check_mark(int result)
{
  if (result && errno == ENOENT)
    fail("there is no " TANDEM_MARKS_DEVICE ": the kernel module tandem_idm is not loaded, or is "
         "older than marks");
  if (result)
    fail(TANDEM_MARKS_DEVICE " cannot be used: %s", strerror(errno));
}

static void do_mark(const struct options *options)
{
  uint32_t number = (uint32_t)parse_number("mark", options->arguments[0], UINT32_MAX);

  if (options->count == 1)
    check_mark(tandem_mark(number));
  else
    check_mark(tandem_mark_value(
        number, (uint32_t)parse_number("value", options->arguments[1], UINT32_MAX)));
}

static void do_checkpoint(const struct options *options)
{
  (void)options;
  check_mark(tandem_mark(TANDEM_IDM_MARK_CHECKPOINT));
}

static void do_region(const struct options *options)
{
  bool begins = !strcmp(options->arguments[0], "begin");
  uint32_t number = (uint32_t)parse_number("region", options->arguments[1], UINT32_MAX);

  if (!begins && strcmp(options->arguments[0], "end") != 0)
    fail("'%s' is neither begin nor end", options->arguments[0]);
  check_mark(begins ? tandem_mark_begin(number) : tandem_mark_end(number));
}

static const struct command {
  const char *name;
  int least, most; /* arguments */
  bool takes_timeout;
  void (*with_slave)(struct slave *slave, const struct options *options); /* or */
  void (*without)(const struct options *options);
} commands[] = {
    {"status", 0, 1, false, NULL, do_status},
    {"boot", 1, 1, false, do_boot, NULL},
    {"reset", 1, 1, false, do_reset, NULL},
    {"halt", 1, 1, false, do_halt, NULL},
    {"wait", 2, 2, true, do_wait, NULL},
    {"ring", 1, 1, false, do_ring, NULL},
    {"rings", 1, 1, false, do_rings, NULL},
    {"send", 2, 2, true, do_send, NULL},
    {"receive", 1, 1, true, do_receive, NULL},
    {"drop", 1, 1, false, do_drop, NULL},
    {"time", 0, 0, false, NULL, do_time},
    {"end", 0, 1, false, NULL, do_end},
    {"mark", 1, 2, false, NULL, do_mark},
    {"region", 2, 2, false, NULL, do_region},
    {"checkpoint", 0, 0, false, NULL, do_checkpoint},
};

static const struct command *find_command(const char *name)
{
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); ++i)
    if (!strcmp(name, commands[i].name))
      return &commands[i];
  fail("'%s' is no command, see idmctl -h", name);
}

static double parse_seconds(const char *text)
{
  char *end;
  double seconds = strtod(text, &end);

  if (end == text || *end || !(seconds >= 0 && seconds <= 1e6))
    fail("'%s' is no number of seconds from 0 to 1000000", text);
  return seconds;
}

static void run(const struct command *command, const struct options *options)
{
  struct slave slave;

  if (options->count < command->least || options->count > command->most)
    fail("%s takes %d arguments%s, not %d, see idmctl -h", command->name, command->most,
         command->least < command->most ? " at most" : "", options->count);
  if (options->timeout != FOREVER && !command->takes_timeout)
    fail("%s takes no timeout", command->name);
  if (!command->with_slave) {
    command->without(options);
    return;
  }
  slave_open(&slave, options->arguments[0]);
  command->with_slave(&slave, options);
  slave_close(&slave);
}

/* Those that stand here, in front of another word. */
static void parse_options(int argc, char **argv, struct options *options)
{
  int option;

  while ((option = getopt(argc, argv, "+ht:")) != -1) {
    switch (option) {
    case 'h':
      fputs(usage_text, stdout);
      exit(0);
    case 't':
      options->timeout = parse_seconds(optarg);
      break;
    default:
      exit(EXIT_ERROR); /* getopt has said why */
    }
  }
}

/* The arguments that a command must have are taken as they are: a text may begin with a dash. */
static const struct command *parse(int argc, char **argv, struct options *options)
{
  const struct command *command;

  parse_options(argc, argv, options);
  if (optind == argc)
    fail("a command is missing, see idmctl -h");
  command = find_command(argv[optind++]);
  options->arguments = argv + optind;
  while (optind < argc) {
    if (options->count >= command->least)
      parse_options(argc, argv, options);
    if (optind < argc)
      options->arguments[options->count++] = argv[optind++];
  }
  return command;
}

int main(int argc, char **argv)
{
  struct options options = {.timeout = FOREVER};
  const struct command *command = parse(argc, argv, &options);

  run(command, &options);
  if (fflush(stdout) || ferror(stdout))
    fail("the output cannot be written");
  return 0;
}
