/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <tandem-sw/whole_tree.h>

#define ROOM 1024 /* for the properties of /chosen and their names */

static uint64_t read_cells(const fdt32_t *cells, int count)
{
  uint64_t value = 0;

  while (count--)
    value = value << 32 | fdt32_to_cpu(*cells++);
  return value;
}

static void check_memory_node(const struct plan *plan, const char *name, const void *tree, int node)
{
  int address_cells = fdt_address_cells(tree, 0), size_cells = fdt_size_cells(tree, 0);
  int length;
  const fdt32_t *reg = fdt_getprop(tree, node, "reg", &length);

  if (address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2)
    fail("%s has neither 1 nor 2 cells for addresses and sizes", name);
  if (!reg || !length || (size_t)length % ((size_t)(address_cells + size_cells) * sizeof(*reg)))
    fail("%s has a memory node without a proper reg", name);
  for (const fdt32_t *end = reg + (size_t)length / sizeof(*reg); reg < end;
       reg += address_cells + size_cells) {
    uint64_t start = read_cells(reg, address_cells);
    uint64_t size = read_cells(reg + address_cells, size_cells);

    if (start < window_start(plan) || start > window_end(plan) || size > window_end(plan) - start)
      fail("%s has memory from 0x%llx to 0x%llx, but slave %u has it from 0x%llx to 0x%llx", name,
           (unsigned long long)start, (unsigned long long)(start + size - 1), plan->slave->number,
           (unsigned long long)window_start(plan), (unsigned long long)window_end(plan) - 1);
  }
}

static void check_memory(const struct plan *plan, const char *name, const void *tree)
{
  bool found = false;
  int node = -1;

  while ((node = fdt_node_offset_by_prop_value(tree, node, "device_type", "memory",
                                               sizeof("memory"))) >= 0) {
    check_memory_node(plan, name, tree, node);
    found = true;
  }
  if (!found)
    fail("%s has no memory node", name);
}

/* Errors of libfdt that can only be want of room, or a tree that passed the check and is bad. */
static int done(const char *name, int result)
{
  if (result < 0 && result != -FDT_ERR_NOTFOUND)
    fail("%s cannot be changed: %s", name, fdt_strerror(result));
  return result;
}

struct contents device_tree_for(const struct plan *plan, const struct request *request,
                                uint64_t initrd)
{
  const struct contents *from = &request->device_tree;
  size_t room = ROOM + (request->append ? strlen(request->append) : 0);
  int chosen, error;
  void *tree;

  error = tandem_sw_check_tree(from->data, from->size);
  if (error == -FDT_ERR_TRUNCATED)
    fail("the device tree %s is truncated", from->name);
  if (error == -FDT_ERR_BADMAGIC)
    fail("%s is no device tree", from->name);
  if (error)
    fail("the device tree %s is damaged: %s", from->name, fdt_strerror(error));
  if (fdt_totalsize(from->data) + room > DEVICE_TREE_UNIT)
    fail("the device tree %s is larger than 2 MiB", from->name);
  check_memory(plan, from->name, from->data);

  tree = malloc(fdt_totalsize(from->data) + room);
  if (!tree)
    fail("out of memory");
  done(from->name, fdt_open_into(from->data, tree, (int)(fdt_totalsize(from->data) + room)));
  chosen = done(from->name, fdt_path_offset(tree, "/chosen"));
  if (chosen < 0)
    chosen = done(from->name, fdt_add_subnode(tree, 0, "chosen"));
  if (request->append)
    done(from->name, fdt_setprop_string(tree, chosen, "bootargs", request->append));
  if (request->initrd.name) {
    uint64_t end = initrd + request->initrd.size;
    done(from->name, fdt_setprop_u64(tree, chosen, "linux,initrd-start", initrd));
    done(from->name, fdt_setprop_u64(tree, chosen, "linux,initrd-end", end));
  } else { /* of one that the tree was made for and that is not here */
    done(from->name, fdt_delprop(tree, chosen, "linux,initrd-start"));
    done(from->name, fdt_delprop(tree, chosen, "linux,initrd-end"));
  }
  done(from->name, fdt_pack(tree));
  return (struct contents){from->name, tree, fdt_totalsize(tree)};
}
