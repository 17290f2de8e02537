/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a device tree that comes from elsewhere, for programs of the host and of a guest.
 *
 * libfdt's own (1.6.1) reads through a null pointer in trees of old versions, and goes round for
 * ever where a property is so long that it leads back; so these are looked for before.
 */
#ifndef TANDEM_SW_WHOLE_TREE_H
#define TANDEM_SW_WHOLE_TREE_H

#include <libfdt.h>
#include <stddef.h>

#define TANDEM_SW_OLDEST_TREE 17 /* the version that QEMU and dtc make */

/* 0, or libfdt's error for what is wrong with the first `size` bytes at `tree`. */
static inline int tandem_sw_check_tree(const void *tree, size_t size)
{
  int error, at, next = 0;

  if (size < sizeof(struct fdt_header))
    return -FDT_ERR_TRUNCATED;
  error = fdt_check_header(tree);
  if (error)
    return error;
  if (fdt_totalsize(tree) > size)
    return -FDT_ERR_TRUNCATED;
  if (fdt_version(tree) < TANDEM_SW_OLDEST_TREE)
    return -FDT_ERR_BADVERSION;
  for (at = 0; fdt_next_tag(tree, at, &next) != FDT_END; at = next)
    if (next <= at)
      return -FDT_ERR_BADSTRUCTURE;
  return fdt_check_full(tree, size);
}

#endif
