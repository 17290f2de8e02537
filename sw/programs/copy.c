/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a block there and back again. A guest that counts instructions sees
 * the same time whatever the memory; the host's time tells the difference.
 *
 *   size=BYTES  of the block (default and at most 1M)
 *   rounds=N    there and back (default 16)
 *   target=ram  own memory (default), or shm
 *   offset=O    of the block in the shared memory (default 0x10000 + self * 1M)
 */
#include "tandem-sw/console.h"
#include "tandem-sw/crc32.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/random.h"
#include "tandem-sw/shared_memory.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"
#include "tandem-sw/time.h"

const char guest_name[] = "copy";
const bool guest_uses_idm = true;

#define MAX_SIZE 0x100000

/* QEMU's table of translated pages is direct mapped: two blocks that lie a power of two apart
 * would push each other out at every access, which no memory deserves to be compared with. */
#define APART (MAX_SIZE + 0x10000)

static uint8_t near[APART + MAX_SIZE] __attribute__((aligned(4096), section(".noinit")));
static uint8_t *const far = near + APART;

static uint8_t *target_block(void)
{
  if (!param_is("target", "shm"))
    return far;
  uint64_t offset = SHM_BUFFER_OFFSET + (uint64_t)idm_info()->self * MAX_SIZE;
  return (uint8_t *)shm_address(param_u64("offset", offset), MAX_SIZE);
}

int guest_main(void)
{
  size_t size = param_u32("size", MAX_SIZE);
  uint64_t rounds = param_u64("rounds", 16);
  uint8_t *target = target_block();
  struct random_state numbers;
  if (!target || size > MAX_SIZE || size < 4) {
    printf("size must be 4 to %u bytes, in reach of this machine\n", MAX_SIZE);
    return 2;
  }
  random_seed(&numbers, 1);
  for (size_t i = 0; i < size; ++i)
    near[i] = (uint8_t)(random_next(&numbers) >> 9);
  uint32_t before = crc32(0, near, size);

  uint64_t start = now_ns();
  for (uint64_t i = 0; i < rounds; ++i) {
    memcpy(target, near, size);
    compiler_barrier();
    memcpy(near, target, size);
    compiler_barrier();
  }
  uint64_t ns = now_ns() - start;

  uint32_t after = crc32(0, target, size);
  bool good = !rounds || (after == before && crc32(0, near, size) == before);
  printf("RESULT bytes %llu\n", (unsigned long long)(2 * rounds * size));
  printf("RESULT ns %llu\n", (unsigned long long)ns);
  printf("RESULT crc %08x\n", (unsigned)after);
  printf("RESULT content %s\n", good ? "ok" : "FAILED");
  return !good;
}
