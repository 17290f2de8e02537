/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends messages to an rpmsg endpoint that echoes them, and checks that each comes back as it was,
 * in order. Measures in the guest's time.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rpmsg_device.h"

#define PAYLOAD_MAX 496 /* of a buffer of 512 bytes */
#define WINDOW_MAX 256

struct options {
  unsigned long count, window, smallest, largest;
  int timeout_ms;
  const char *endpoint; /* to create by DEVICE, or NULL */
  const char *device;
};

struct ping {
  const struct options *options;
  int fd;
  unsigned long sent, received;
  uint64_t bytes;
  uint64_t sent_ns[WINDOW_MAX]; /* by number modulo the window */
  uint64_t sum_ns, least_ns, most_ns;
};

static const char usage[] =
    "usage: rpmsg-ping [OPTION...] DEVICE\n"
    "Sends messages to DEVICE (/dev/rpmsgN), expects each back, and measures.\n"
    "  -n COUNT     messages (1000)\n"
    "  -s MIN-MAX   payload in bytes, 1 to 496 (1-496)\n"
    "  -w WINDOW    messages under way at a time, up to 256 (1)\n"
    "  -t SECONDS   wait for an answer at most so long (10)\n"
    "  -e NAME,DST  DEVICE is /dev/rpmsg_ctrlN: create an endpoint that sends to address DST\n";

static uint64_t now_ns(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Message number `number`: its size runs through the range in steps that differ from the ring's
 * size, its bytes are those of a generator (xorshift) that starts with the number. */
static size_t make_message(const struct options *options, unsigned long number, uint8_t *data)
{
  unsigned long sizes = options->largest - options->smallest + 1;
  size_t size = options->smallest + number * 7 % sizes;
  uint32_t state = (uint32_t)number * 2654435761u + 1;

  for (size_t i = 0; i < size; ++i) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    data[i] = (uint8_t)(state >> 11);
  }
  return size;
}

static void send_next(struct ping *ping)
{
  uint8_t data[PAYLOAD_MAX];
  size_t size = make_message(ping->options, ping->sent, data);
  ssize_t done;

  ping->sent_ns[ping->sent % WINDOW_MAX] = now_ns();
  done = write(ping->fd, data, size);
  if (done < 0)
    fail("message %lu cannot be sent: %s", ping->sent, strerror(errno));
  if ((size_t)done != size)
    fail("message %lu was cut from %zu to %zd bytes", ping->sent, size, done);
  ++ping->sent;
}

static void wait_for_answer(struct ping *ping)
{
  struct pollfd poll_fd = {.fd = ping->fd, .events = POLLIN};
  int ready = poll(&poll_fd, 1, ping->options->timeout_ms);

  if (ready < 0)
    fail("no answers can be had: %s", strerror(errno));
  if (!ready) {
    fprintf(stderr, "rpmsg-ping: no answer to message %lu within %d s\n", ping->received,
            ping->options->timeout_ms / 1000);
    exit(EXIT_TIMEOUT);
  }
}

static void receive_next(struct ping *ping)
{
  uint8_t wanted[PAYLOAD_MAX], data[PAYLOAD_MAX + 1];
  size_t size = make_message(ping->options, ping->received, wanted);
  uint64_t took;
  ssize_t got;

  wait_for_answer(ping);
  got = read(ping->fd, data, sizeof(data));
  if (got < 0)
    fail("the answer to message %lu cannot be read: %s", ping->received, strerror(errno));
  took = now_ns() - ping->sent_ns[ping->received % WINDOW_MAX];
  if ((size_t)got != size || memcmp(data, wanted, size))
    fail("the answer to message %lu, %zu bytes, came as %zd bytes or other ones", ping->received,
         size, got);
  if (!ping->received || took < ping->least_ns)
    ping->least_ns = took;
  if (took > ping->most_ns)
    ping->most_ns = took;
  ping->sum_ns += took;
  ping->bytes += size;
  ++ping->received;
}

/* Answers to somebody who has not waited for them. */
static void drop_old(struct ping *ping)
{
  struct pollfd poll_fd = {.fd = ping->fd, .events = POLLIN};
  uint8_t data[PAYLOAD_MAX];

  while (poll(&poll_fd, 1, 0) > 0 && poll_fd.revents == POLLIN) {
    if (read(ping->fd, data, sizeof(data)) < 0)
      fail("old messages cannot be read: %s", strerror(errno));
  }
}

static void run(struct ping *ping)
{
  const struct options *options = ping->options;
  uint64_t begin = now_ns();
  double seconds;

  while (ping->received < options->count) {
    while (ping->sent < options->count && ping->sent - ping->received < options->window)
      send_next(ping);
    receive_next(ping);
  }
  seconds = (double)(now_ns() - begin) * 1e-9;
  printf("%lu messages of %lu to %lu bytes and back, none lost, changed or out of order\n",
         ping->received, options->smallest, options->largest);
  printf("round trip %.3f us on average, %.3f to %.3f us, %lu under way\n",
         (double)ping->sum_ns * 1e-3 / (double)ping->received, (double)ping->least_ns * 1e-3,
         (double)ping->most_ns * 1e-3, options->window);
  printf("in %.6f s: %.0f messages/s and %.0f bytes/s in each direction\n", seconds,
         (double)ping->received / seconds, (double)ping->bytes / seconds);
}

static void parse_sizes(struct options *options, char *text)
{
  char *dash = strchr(text, '-');

  if (dash)
    *dash = 0;
  options->smallest = parse_number("the size", text, PAYLOAD_MAX);
  options->largest = dash ? parse_number("the size", dash + 1, PAYLOAD_MAX) : options->smallest;
  if (!options->smallest || options->smallest > options->largest)
    fail("there are no sizes from %lu to %lu", options->smallest, options->largest);
}

static void parse(struct options *options, int argc, char **argv)
{
  int option;

  while ((option = getopt(argc, argv, "n:s:w:t:e:h")) != -1) {
    if (option == 'n')
      options->count = parse_number("the count", optarg, 1000000000);
    else if (option == 's')
      parse_sizes(options, optarg);
    else if (option == 'w')
      options->window = parse_number("the window", optarg, WINDOW_MAX);
    else if (option == 't')
      options->timeout_ms = 1000 * (int)parse_number("the timeout", optarg, 100000);
    else if (option == 'e')
      options->endpoint = optarg;
    else
      fail("%s", usage);
  }
  if (optind != argc - 1 || !options->count || !options->window)
    fail("%s", usage);
  options->device = argv[optind];
}

int main(int argc, char **argv)
{
  struct options options = {
      .count = 1000, .window = 1, .smallest = 1, .largest = PAYLOAD_MAX, .timeout_ms = 10000};
  struct ping ping = {.options = &options};

  parse(&options, argc, argv);
  ping.fd = rpmsg_open(options.device, options.endpoint);
  drop_old(&ping);
  run(&ping);
  return 0;
}
