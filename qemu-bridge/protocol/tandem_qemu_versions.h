/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * Which versions of QEMU the bridge is tested with. An older one is refused. A newer one is tried,
 * with a warning: what the adapter relies on it checks when it is loaded.
 */
#ifndef TANDEM_QEMU_VERSIONS_H
#define TANDEM_QEMU_VERSIONS_H

#define TANDEM_QEMU_OLDEST_MAJOR 7
#define TANDEM_QEMU_OLDEST_MINOR 2
#define TANDEM_QEMU_NEWEST_MAJOR 11
#define TANDEM_QEMU_NEWEST_MINOR 1

/* One number for a version, for comparisons. */
#define TANDEM_QEMU_VERSION(major, minor) ((major) << 16 | (minor))

#define TANDEM_QEMU_OLDEST TANDEM_QEMU_VERSION(TANDEM_QEMU_OLDEST_MAJOR, TANDEM_QEMU_OLDEST_MINOR)
#define TANDEM_QEMU_NEWEST TANDEM_QEMU_VERSION(TANDEM_QEMU_NEWEST_MAJOR, TANDEM_QEMU_NEWEST_MINOR)

#endif
