// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls the initcalls of remoteproc as a module. It cannot be removed, because the virtio part,
 * which is always built in elsewhere, does not unregister its driver.
 */
#include <linux/module.h>

int remoteproc_core_init(void);
int remoteproc_virtio_init(void);

static int __init remoteproc_module_init(void)
{
  return remoteproc_core_init() ?: remoteproc_virtio_init();
}
module_init(remoteproc_module_init);

MODULE_LICENSE("GPL");
