// SPDX-License-Identifier: Apache-2.0
// Shared memory for the tests of sw/rpmsg, which its two sides know by other addresses than the
// host does, and the kernel's own view of the rings in it.
#ifndef TANDEM_TESTS_RPMSG_BENCH_H
#define TANDEM_TESTS_RPMSG_BENCH_H

#include "kernel_ring.h"
extern "C" {
#include "tandem-sw/rpmsg.h"
}

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#ifndef __has_feature // gcc 12 does not have it
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace rpmsg_bench
{

constexpr uint64_t driver_base = 0x9'0000'0000;
constexpr uint64_t device_base = 0x2100'0000;

// Memory between two guards, which a sanitizer does not let anybody touch, and whose content is
// checked where there is none.
class shared_memory
{
public:
  static constexpr size_t size = 0x20000;
  static constexpr size_t guard = 0x4000;

  shared_memory()
      : m_all(static_cast<uint8_t *>(std::aligned_alloc(4096, size + 2 * guard)), &std::free)
  {
    std::memset(m_all.get(), canary, size + 2 * guard);
    std::memset(data(), 0, size);
    ASAN_POISON_MEMORY_REGION(m_all.get(), guard);
    ASAN_POISON_MEMORY_REGION(data() + size, guard);
  }

  ~shared_memory() { ASAN_UNPOISON_MEMORY_REGION(m_all.get(), size + 2 * guard); }

  uint8_t *data() { return m_all.get() + guard; }

  shared_region region() { return {data(), size, driver_base, device_base}; }

  bool guards_are_whole()
  {
    ASAN_UNPOISON_MEMORY_REGION(m_all.get(), guard);
    ASAN_UNPOISON_MEMORY_REGION(data() + size, guard);
    const std::vector<uint8_t> untouched(guard, canary);
    const bool whole = std::memcmp(m_all.get(), untouched.data(), guard) == 0 &&
                       std::memcmp(data() + size, untouched.data(), guard) == 0;
    ASAN_POISON_MEMORY_REGION(m_all.get(), guard);
    ASAN_POISON_MEMORY_REGION(data() + size, guard);
    return whole;
  }

private:
  static constexpr uint8_t canary = 0xa5;
  std::unique_ptr<uint8_t, void (*)(void *)> m_all;
};

// Where the tests put things, as offsets in the shared memory.
constexpr uint32_t align = 4096;
constexpr uint32_t to_master_ring = 0x0000;
constexpr uint32_t to_remote_ring = 0x4000;
constexpr uint32_t to_master_buffers = 0x8000;
constexpr uint32_t to_remote_buffers = 0x10000;
constexpr uint32_t max_count = 64; // of the buffers that there is room for

// The ring as the kernel's header describes it.
inline vring kernel_view(shared_memory &memory, uint32_t offset, unsigned count)
{
  vring ring;
  kernel_vring_init(&ring, count, memory.data() + offset, align);
  return ring;
}

} // namespace rpmsg_bench

#endif // TANDEM_TESTS_RPMSG_BENCH_H
