/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has a remote processor multiply two matrices, tile by tile (tandem-sw/rpmsg_offload.h), and
 * compares the product with its own.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tandem-sw/random.h>
#include <tandem-sw/rpmsg_offload.h>

#include "rpmsg_device.h"

#define TIMEOUT_MS 10000
#define TILE RPMSG_MATMUL_MAX_SIDE
#define MAX_TILES 16 /* in a row */

struct job {
  int fd;
  unsigned side; /* of the matrices, in words: a multiple of TILE */
  uint32_t *left, *right, *product;
  uint32_t messages;
};

static const char usage[] =
    "usage: rpmsg-matmul [-n TILES] [-e NAME,DST] DEVICE\n"
    "Has the endpoint of DEVICE (/dev/rpmsgN) multiply two matrices, and checks the product.\n"
    "  -n TILES     tiles of 7 by 7 words in a row, 1 to 16 (4)\n"
    "  -e NAME,DST  DEVICE is /dev/rpmsg_ctrlN: create an endpoint that sends to address DST\n";

static uint32_t *tile(uint32_t *matrix, unsigned side, unsigned row, unsigned column)
{
  return matrix + (size_t)row * TILE * side + (size_t)column * TILE;
}

static void copy_tile(uint32_t *to, const uint32_t *from, unsigned side)
{
  for (unsigned i = 0; i < TILE; ++i)
    memcpy(to + (size_t)i * TILE, from + (size_t)i * side, TILE * sizeof(*to));
}

static void multiply_tile(struct job *job, unsigned row, unsigned column, unsigned k)
{
  struct rpmsg_matmul_request request = {.number = job->messages++, .side = TILE};
  struct rpmsg_matmul_answer answer;
  uint32_t *to = tile(job->product, job->side, row, column);
  size_t got;

  copy_tile(request.words, tile(job->left, job->side, row, k), job->side);
  copy_tile(request.words + TILE * TILE, tile(job->right, job->side, k, column), job->side);
  got = rpmsg_ask(job->fd, &request, sizeof(request), &answer, sizeof(answer), TIMEOUT_MS);
  if (got != sizeof(answer) || answer.number != request.number || answer.status != RPMSG_OFFLOAD_OK)
    fail("the answer to tile %u is not one: %zu bytes, status %u", request.number, got,
         answer.status);
  for (unsigned i = 0; i < TILE; ++i)
    for (unsigned j = 0; j < TILE; ++j)
      to[(size_t)i * job->side + j] += answer.words[i * TILE + j];
}

static void multiply(struct job *job)
{
  unsigned tiles = job->side / TILE;

  for (unsigned row = 0; row < tiles; ++row)
    for (unsigned column = 0; column < tiles; ++column)
      for (unsigned k = 0; k < tiles; ++k)
        multiply_tile(job, row, column, k);
}

static void check(const struct job *job)
{
  for (unsigned row = 0; row < job->side; ++row) {
    for (unsigned column = 0; column < job->side; ++column) {
      uint32_t sum = 0;

      for (unsigned k = 0; k < job->side; ++k)
        sum += job->left[(size_t)row * job->side + k] * job->right[(size_t)k * job->side + column];
      if (sum != job->product[(size_t)row * job->side + column])
        fail("the product is wrong in row %u, column %u", row, column);
    }
  }
}

static void make_matrices(struct job *job)
{
  size_t words = (size_t)job->side * job->side;
  struct random_state numbers;

  job->left = calloc(3 * words, sizeof(*job->left));
  if (!job->left)
    fail("there is no memory for matrices of %u by %u words", job->side, job->side);
  job->right = job->left + words;
  job->product = job->right + words;
  random_seed(&numbers, 1);
  for (size_t i = 0; i < 2 * words; ++i)
    job->left[i] = random_next(&numbers);
}

int main(int argc, char **argv)
{
  const char *endpoint = NULL;
  struct job job = {.side = 4 * TILE};
  int option;

  while ((option = getopt(argc, argv, "n:e:h")) != -1) {
    if (option == 'n')
      job.side = TILE * (unsigned)parse_number("the number of tiles", optarg, MAX_TILES);
    else if (option == 'e')
      endpoint = optarg;
    else
      fail("%s", usage);
  }
  if (optind != argc - 1 || !job.side)
    fail("%s", usage);
  make_matrices(&job);
  job.fd = rpmsg_open(argv[optind], endpoint);
  multiply(&job);
  check(&job);
  printf("product of two matrices of %u by %u words is right\n%u messages\n", job.side, job.side,
         (unsigned)job.messages);
  free(job.left);
  return 0;
}
