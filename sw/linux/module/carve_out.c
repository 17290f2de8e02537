// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The slave's window as this guest sees it. Its end is set aside for vrings and buffers: the last
 * MiB, of small windows the last quarter.
 */
#include <linux/dma-map-ops.h>
#include <linux/io.h>
#include <linux/sizes.h>

#include "remoteproc.h"

static size_t carve_out_size(size_t window)
{
  return min_t(size_t, SZ_1M, ALIGN_DOWN(window / 4, PAGE_SIZE));
}

static int make_pool(struct remote *remote)
{
  size_t offset;

  remote->carve_out_size = carve_out_size(remote->size);
  offset = remote->size - remote->carve_out_size;
  remote->carve_out_da = remote->base + offset;
  remote->carve_out = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
  if (!remote->carve_out)
    return -ENOMEM;
  return gen_pool_add_virt(remote->carve_out, (unsigned long)remote->window + offset,
                           remote->carve_out_da, remote->carve_out_size, NUMA_NO_NODE);
}

int remote_map(struct remote *remote)
{
  phys_addr_t start;
  u64 size;
  int error = idm_peer_window(remote->peer, &start, &size);

  if (error) {
    dev_err(remote->dev, "this guest does not see the slave's window, 0x%llx bytes at 0x%llx\n",
            remote->info.size, remote->info.window);
    return error;
  }
  if (remote->info.ram_address + size > U32_MAX) {
    dev_err(remote->dev, "the window is not all below 4 GiB for the slave\n");
    return -EINVAL;
  }
  remote->window = memremap(start, size, MEMREMAP_WC);
  if (!remote->window) {
    dev_err(remote->dev, "no address space for a window of 0x%llx bytes\n", size);
    return -ENOMEM;
  }
  remote->base = remote->info.ram_address;
  remote->size = size;
  remote->low = start + size - 1 <= U32_MAX;
  error = make_pool(remote);
  if (error)
    remote_unmap(remote);
  return error;
}

void remote_unmap(struct remote *remote)
{
  if (remote->carve_out &&
      !WARN_ON(gen_pool_avail(remote->carve_out) != gen_pool_size(remote->carve_out)))
    gen_pool_destroy(remote->carve_out);
  remote->carve_out = NULL;
  if (remote->window)
    memunmap(remote->window);
  remote->window = NULL;
}

void *remote_da_to_va(struct remote *remote, u64 da, size_t size)
{
  if (da < remote->base || da - remote->base > remote->size ||
      size > remote->size - (da - remote->base))
    return NULL;
  return remote->window + (da - remote->base);
}

static void *reserve_at(struct remote *remote, u32 da, size_t size)
{
  struct genpool_data_fixed fixed = {.offset = da - remote->carve_out_da};

  if (da < remote->carve_out_da || fixed.offset > remote->carve_out_size ||
      size > remote->carve_out_size - fixed.offset)
    return NULL;
  return (void *)gen_pool_alloc_algo(remote->carve_out, size, gen_pool_fixed_alloc, &fixed);
}

void *remote_reserve(struct remote *remote, u32 *da, size_t size)
{
  void *memory;
  dma_addr_t address;

  if (*da == FW_RSC_ADDR_ANY) {
    memory = gen_pool_dma_alloc(remote->carve_out, size, &address);
    if (memory)
      *da = address;
  } else {
    memory = reserve_at(remote, *da, size);
  }
  if (memory)
    memset(memory, 0, size);
  return memory;
}

void remote_release(struct remote *remote, void *memory, size_t size)
{
  gen_pool_free(remote->carve_out, (unsigned long)memory, size);
}

/* Of the slave's device, or of a virtio device below its remote processor. */
static struct remote *remote_of(struct device *dev)
{
  struct rproc *rproc = rproc_get_by_child(dev);

  return rproc ? rproc->priv : dev_get_drvdata(dev);
}

static void *dma_alloc(struct device *dev, size_t size, dma_addr_t *address, gfp_t flags,
                       unsigned long attributes)
{
  struct remote *remote = remote_of(dev);
  u32 da = FW_RSC_ADDR_ANY;
  void *memory = remote_reserve(remote, &da, size);

  if (memory)
    *address = da;
  else
    dev_err(dev, "no room for 0x%zx bytes, the carve-out has 0x%zx left of 0x%zx\n", size,
            gen_pool_avail(remote->carve_out), remote->carve_out_size);
  return memory;
}

static void dma_free(struct device *dev, size_t size, void *memory, dma_addr_t address,
                     unsigned long attributes)
{
  remote_release(remote_of(dev), memory, size);
}

const struct dma_map_ops remote_dma_ops = {
    .alloc = dma_alloc,
    .free = dma_free,
};
