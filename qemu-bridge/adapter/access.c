/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses of the guest that do not find RAM, one request each: timed on the CPU thread, in free
 * mode from any, and debug accesses beside them.
 */
#define _GNU_SOURCE
#include "adapter.h"

/* Spin for the answer to an access. Models answer within microseconds unless another
 * instance has to come up to this point of time first. */
#define ACCESS_SPIN_NS 400000

/* An access that is not the guest's own, or not now: a debugger's, the monitor's, a device's. It
 * has a slot of its own, since the guest may wait for a reply meanwhile, and for ever. */
static uint32_t inspect(bool reading, uint64_t address, uint64_t *data, unsigned size)
{
  static struct tandem_waiter waiter;
  struct tandem_wire_page *page = adapter.page;
  page->debug = (struct tandem_wire_debug){
      .address = address, .data = reading ? 0 : *data, .size = size, .write = !reading};
  uint32_t wanted = page->debug_seq + 1;
  __atomic_store_n(&page->debug_seq, wanted, __ATOMIC_RELEASE);
  tandem_channel_signal(TANDEM_WIRE_DEBUG);
  while (tandem_seq(&page->debug_reply_seq) != wanted)
    tandem_sleep(&waiter, &page->debug_reply_seq, wanted - 1, &page->debug_sleeper, 100);
  *data = page->debug_reply.data;
  return page->debug_reply.status;
}

struct answer {
  uint32_t status;
  uint64_t data;
};

/* Posts the request and applies its reply, on the CPU thread within an instruction. */
static struct answer exchange(void)
{
  struct answer answer;
  tandem_channel_post();
  if (!tandem_channel_spin(ACCESS_SPIN_NS)) {
    /* Let the main loop go on, unless a timer is due at this very instant: it must not run
     * there, or its order with this access would depend on the host. */
    bool release = q.qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, -1) != 0;
    if (release)
      tandem_unlock();
    while (!tandem_channel_sleep(1000))
      ;
    if (release)
      tandem_lock();
  }
  const struct tandem_wire_reply *reply = tandem_channel_take();
  answer.status = reply->status;
  answer.data = reply->data;
  if (tandem_sync_apply(reply)) {
    for (int i = 0; i < q.cpus; ++i)
      q.cpu_exit(q.qemu_get_cpu(i));
  }
  return answer;
}

void tandem_access_unlock(void)
{
  tandem_channel_request(TANDEM_WIRE_UNLOCK);
  exchange();
}

static uint32_t access_free(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                            uint64_t *data, unsigned size)
{
  struct tandem_wire_request request = {
      .kind = kind, .flags = flags, .address = address, .size = size};
  if (kind == TANDEM_WIRE_WRITE)
    request.data = *data;
  tandem_unlock();
  uint32_t status = tandem_free_exchange(&request, data);
  tandem_lock();
  return status;
}

/* An access of the guest itself, at its time. */
static uint32_t access_timed(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                             uint64_t *data, unsigned size)
{
  if (tandem_sync_ending())
    return TANDEM_WIRE_DEVICE_ERROR;
  if (adapter.batched) { /* what was before this access */
    adapter.told.batch();
    exchange();
  }
  struct tandem_wire_request *request = tandem_channel_request(kind);
  if (adapter.told.access)
    flags |= adapter.told.access(kind == TANDEM_WIRE_READ, size);
  request->flags = flags;
  request->address = address;
  request->size = size;
  request->data = kind == TANDEM_WIRE_READ ? 0 : *data;
  struct answer answer = exchange();
  *data = answer.data;
  return answer.status;
}

static uint32_t access_window(enum tandem_wire_request_kind kind, uint32_t flags, uint64_t address,
                              uint64_t *data, unsigned size)
{
  bool reading = kind == TANDEM_WIRE_READ;
  uint32_t status;
  if (adapter.free_mode)
    status = access_free(kind, flags, address, data, size);
  else if (q.qemu_in_vcpu_thread() && !adapter.outstanding)
    status = access_timed(kind, flags, address, data, size);
  else
    status = inspect(reading, address, data, size);
  if (status == TANDEM_WIRE_OK)
    return QEMU_MEMTX_OK;
  if (reading)
    *data = UINT64_MAX;
  return status == TANDEM_WIRE_DECODE_ERROR ? QEMU_MEMTX_DECODE_ERROR : QEMU_MEMTX_ERROR;
}

static uint32_t window_read(void *window, uint64_t offset, uint64_t *data, unsigned size,
                            uint64_t attributes)
{
  (void)attributes;
  const struct tandem_wire_window *w = window;
  return access_window(TANDEM_WIRE_READ, 0, w->address + offset, data, size);
}

static uint32_t window_write(void *window, uint64_t offset, uint64_t data, unsigned size,
                             uint64_t attributes)
{
  (void)attributes;
  const struct tandem_wire_window *w = window;
  return access_window(TANDEM_WIRE_WRITE, 0, w->address + offset, &data, size);
}

static uint32_t outside_read(void *opaque, uint64_t address, uint64_t *data, unsigned size,
                             uint64_t attributes)
{
  (void)opaque, (void)attributes;
  return access_window(TANDEM_WIRE_READ, TANDEM_WIRE_FLAG_OUTSIDE, address, data, size);
}

static uint32_t outside_write(void *opaque, uint64_t address, uint64_t data, unsigned size,
                              uint64_t attributes)
{
  (void)opaque, (void)attributes;
  return access_window(TANDEM_WIRE_WRITE, TANDEM_WIRE_FLAG_OUTSIDE, address, &data, size);
}

static const MemoryRegionOps window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = QEMU_DEVICE_LITTLE_ENDIAN,
    .valid = {1, 8, true, NULL},
    .impl = {1, 8, true},
};

static const MemoryRegionOps outside_ops = {
    .read_with_attrs = outside_read,
    .write_with_attrs = outside_write,
    .endianness = QEMU_DEVICE_LITTLE_ENDIAN,
    .valid = {1, 8, true, NULL},
    .impl = {1, 8, true},
};

/* A ROM device's operations get its guest address, which fits: QEMU runs on 64-bit hosts. */
static uint32_t rom_read(void *address, uint64_t offset, uint64_t *data, unsigned size,
                         uint64_t attributes)
{
  (void)attributes;
  return access_window(TANDEM_WIRE_READ, 0, (uintptr_t)address + offset, data, size);
}

static uint32_t rom_write(void *address, uint64_t offset, uint64_t data, unsigned size,
                          uint64_t attributes)
{
  (void)attributes;
  return access_window(TANDEM_WIRE_WRITE, 0, (uintptr_t)address + offset, &data, size);
}

static const MemoryRegionOps rom_ops = {
    .read_with_attrs = rom_read,
    .write_with_attrs = rom_write,
    .endianness = QEMU_DEVICE_LITTLE_ENDIAN,
    .valid = {1, 8, true, NULL},
    .impl = {1, 8, true},
};

void tandem_access_init(void)
{
  tandem_map_init(&window_ops, &outside_ops, &rom_ops);
}
