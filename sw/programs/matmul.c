/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocked matrix multiplication C = A B. The master hands out the tiles of C through the IDM, to
 * whoever is free; a slave reads the tiles of A and B that it needs from the shared memory into
 * its own, multiplies, and writes the tile of C to the shared memory.
 *
 *   n=N     rows and columns (default 64, a multiple of tile, at most 512)
 *   tile=T  rows and columns of a tile (default 16, at most 64)
 *   seed=S  of the matrices (default 1)
 *
 * The master prints "RESULT sum", the sum of C's words rotated by their column, and checks C
 * with a random vector: A (B x) = C x.
 */
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/team.h"
#include "tandem-sw/time.h"

const char guest_name[] = "matmul";
const bool guest_uses_idm = true;

#define MAX_SIDE 512
#define MAX_TILE 64
#define STOP UINT32_MAX

static struct team team;
static uint32_t side, tile_side;
static volatile uint32_t *a, *b, *c;

static uint32_t tiles_in_a_row(void)
{
  return side / tile_side;
}

/* --- Slave ---------------------------------------------------------------- */

static uint32_t left[MAX_TILE][MAX_TILE], right[MAX_TILE][MAX_TILE], product[MAX_TILE][MAX_TILE];

static void fetch(uint32_t to[MAX_TILE][MAX_TILE], const volatile uint32_t *matrix, uint32_t row,
                  uint32_t column)
{
  const volatile uint32_t *from = matrix + row * tile_side * side + column * tile_side;
  for (uint32_t i = 0; i < tile_side; ++i)
    for (uint32_t j = 0; j < tile_side; ++j)
      to[i][j] = from[i * side + j];
}

static void multiply_and_add(void)
{
  for (uint32_t i = 0; i < tile_side; ++i) {
    for (uint32_t k = 0; k < tile_side; ++k) {
      uint32_t factor = left[i][k];
      for (uint32_t j = 0; j < tile_side; ++j)
        product[i][j] += factor * right[k][j];
    }
  }
}

static void compute_tile(uint32_t index)
{
  uint32_t row = index / tiles_in_a_row(), column = index % tiles_in_a_row();
  memset(product, 0, sizeof product);
  for (uint32_t k = 0; k < tiles_in_a_row(); ++k) {
    fetch(left, a, row, k);
    fetch(right, b, k, column);
    multiply_and_add();
  }
  volatile uint32_t *to = c + row * tile_side * side + column * tile_side;
  for (uint32_t i = 0; i < tile_side; ++i)
    for (uint32_t j = 0; j < tile_side; ++j)
      to[i * side + j] = product[i][j];
}

static void serve(void)
{
  uint32_t tiles = 0, index;
  while ((index = idm_mailbox_receive(0)) != STOP) {
    compute_tile(index);
    memory_barrier();
    idm_mailbox_send(0, index);
    ++tiles;
  }
  printf("RESULT tiles %u\n", (unsigned)tiles);
}

/* --- Master --------------------------------------------------------------- */

static void fill(void)
{
  struct random_state numbers;
  random_seed(&numbers, param_u32("seed", 1));
  for (uint32_t i = 0; i < side * side; ++i) {
    a[i] = random_next(&numbers);
    b[i] = random_next(&numbers);
    c[i] = 0;
  }
}

/* Gives every slave a tile, and each that comes back the next one. */
static void hand_out(void)
{
  uint32_t tiles = tiles_in_a_row() * tiles_in_a_row(), next = 0, working = 0;
  for (uint32_t slave = 1; slave < team.count && next < tiles; ++slave) {
    idm_mailbox_send(slave, next++);
    working |= UINT32_C(1) << slave;
  }
  while (working) {
    idm_mailbox_wait(working, 0, 0);
    for (uint32_t slave = 1; slave < team.count; ++slave) {
      uint32_t index;
      if (!(working >> slave & 1) || !idm_mailbox_try_receive(slave, &index))
        continue;
      if (next < tiles)
        idm_mailbox_send(slave, next++);
      else
        working &= ~(UINT32_C(1) << slave);
    }
  }
}

/* to = matrix from, all vectors in own memory. */
static void apply(const volatile uint32_t *matrix, const uint32_t *from, uint32_t *to)
{
  for (uint32_t i = 0; i < side; ++i) {
    uint32_t sum = 0;
    for (uint32_t j = 0; j < side; ++j)
      sum += matrix[i * side + j] * from[j];
    to[i] = sum;
  }
}

static bool product_is_right(void)
{
  static uint32_t x[MAX_SIDE], bx[MAX_SIDE], abx[MAX_SIDE], cx[MAX_SIDE];
  struct random_state numbers;
  random_seed(&numbers, 12345);
  for (uint32_t i = 0; i < side; ++i)
    x[i] = random_next(&numbers) | 1; /* odd: one wrong word cannot vanish */
  apply(b, x, bx);
  apply(a, bx, abx);
  apply(c, x, cx);
  return !memcmp(abx, cx, side * sizeof *cx);
}

static uint32_t sum_of_product(void)
{
  uint32_t sum = 0;
  for (uint32_t i = 0; i < side; ++i) {
    for (uint32_t j = 0; j < side; ++j) {
      uint32_t word = c[i * side + j];
      sum += word << j % 32 | word >> (32 - j % 32) % 32;
    }
  }
  return sum;
}

static uint64_t lead(void)
{
  fill();
  team_barrier(&team);
  uint64_t start = now_ns();
  hand_out();
  uint64_t ns = now_ns() - start;
  for (uint32_t slave = 1; slave < team.count; ++slave)
    idm_mailbox_send(slave, STOP);
  printf("RESULT sum %u\n", (unsigned)sum_of_product());
  return ns;
}

int guest_main(void)
{
  team_init(&team);
  uint64_t n = param_u64("n", 64), t = param_u64("tile", 16);
  if (!t || t > MAX_TILE)
    team_refuse("tile must be 1 to 64");
  if (!n || n > MAX_SIDE || n % t)
    team_refuse("n must be a multiple of tile, at most 512");
  if (team.count < 2)
    team_refuse("matmul needs at least one slave");
  side = (uint32_t)n;
  tile_side = (uint32_t)t;
  size_t matrix = (size_t)side * side;
  a = (volatile uint32_t *)shm_address(SHM_BUFFER_OFFSET, 3 * matrix * sizeof *a);
  b = a + matrix;
  c = b + matrix;
  if (!team.leads) {
    team_barrier(&team);
    serve();
    team_finish(&team, 0, true);
  }
  uint64_t ns = lead();
  team_finish(&team, ns, product_is_right());
}
