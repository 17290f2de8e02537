/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has a remote processor compute the SHA-256 of a file, message by message
 * (tandem-sw/rpmsg_offload.h), and prints it as sha256sum does.
 */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tandem-sw/rpmsg_offload.h>

#include "rpmsg_device.h"

#define TIMEOUT_MS 10000

static const char usage[] = "usage: rpmsg-sha256 [-e NAME,DST] DEVICE FILE\n"
                            "Prints the SHA-256 of FILE, as the endpoint of DEVICE (/dev/rpmsgN) "
                            "computes it.\n"
                            "  -e NAME,DST  DEVICE is /dev/rpmsg_ctrlN: create an endpoint that "
                            "sends to address DST\n";

static void ask(int fd, const struct rpmsg_sha256_request *request, size_t length,
                struct rpmsg_sha256_answer *answer)
{
  size_t got = rpmsg_ask(fd, request, offsetof(struct rpmsg_sha256_request, data) + length, answer,
                         sizeof(*answer), TIMEOUT_MS);

  if (got != sizeof(*answer) || answer->number != request->number ||
      answer->status != RPMSG_OFFLOAD_OK)
    fail("the answer to part %u is not one: %zu bytes, status %u", request->number, got,
         answer->status);
}

/* Returns the number of messages sent. */
static unsigned hash(int fd, FILE *file, struct rpmsg_sha256_answer *answer)
{
  struct rpmsg_sha256_request request = {.flags = RPMSG_SHA256_FIRST};
  size_t length;

  do {
    length = fread(request.data, 1, sizeof(request.data), file);
    if (ferror(file))
      fail("the file cannot be read: %s", strerror(errno));
    if (length < sizeof(request.data))
      request.flags |= RPMSG_SHA256_LAST;
    ask(fd, &request, length, answer);
    ++request.number;
    request.flags &= ~RPMSG_SHA256_FIRST;
  } while (!(request.flags & RPMSG_SHA256_LAST));
  return request.number;
}

int main(int argc, char **argv)
{
  const char *endpoint = NULL;
  struct rpmsg_sha256_answer answer;
  unsigned messages;
  FILE *file;
  int option, fd;

  while ((option = getopt(argc, argv, "e:h")) != -1) {
    if (option != 'e')
      fail("%s", usage);
    endpoint = optarg;
  }
  if (optind != argc - 2)
    fail("%s", usage);
  file = fopen(argv[optind + 1], "re");
  if (!file)
    fail("%s cannot be opened: %s", argv[optind + 1], strerror(errno));
  fd = rpmsg_open(argv[optind], endpoint);
  messages = hash(fd, file, &answer);
  for (unsigned i = 0; i < sizeof(answer.digest); ++i)
    printf("%02x", answer.digest[i]);
  printf("  %s\n%u messages\n", argv[optind + 1], messages);
  fclose(file);
  return 0;
}
