/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource table of a firmware with one rpmsg device, as Linux' remoteproc reads it from the
 * ELF section .resource_table (layout: tandem/rpmsg_layout.h). The master changes the loaded
 * table while the firmware runs.
 */
#ifndef TANDEM_SW_RESOURCE_TABLE_H
#define TANDEM_SW_RESOURCE_TABLE_H

#include "tandem/rpmsg_layout.h"

#include <stddef.h>
#include <stdint.h>

struct resource_carveout {
  uint32_t type, da, pa, length, flags, reserved;
  char name[TANDEM_RSC_NAME_SIZE];
};

struct resource_vring {
  uint32_t da, align, count, notify_id, pa;
};

struct resource_vdev {
  uint32_t type, id, notify_id, device_features, driver_features, config_length;
  uint8_t status, vring_count, reserved[2];
  struct resource_vring vrings[2];
};

struct resource_watchdog {
  uint32_t type, timeout_ms, heartbeat;
};

struct resource_table {
  uint32_t version, count, reserved[2], offset[3];
  struct resource_carveout window;
  struct resource_vdev vdev;
  struct resource_watchdog watchdog;
};

_Static_assert(sizeof(struct resource_carveout) == TANDEM_RSC_CARVEOUT_SIZE, "carveout");
_Static_assert(sizeof(struct resource_vring) == TANDEM_RSC_VRING_SIZE, "vring");
_Static_assert(sizeof(struct resource_vdev) == TANDEM_RSC_VDEV_SIZE(2, 0), "vdev");
_Static_assert(offsetof(struct resource_vdev, status) == TANDEM_RSC_VDEV_STATUS, "status");
_Static_assert(sizeof(struct resource_watchdog) == TANDEM_RSC_WATCHDOG_SIZE, "watchdog");
_Static_assert(offsetof(struct resource_table, window) == TANDEM_RSC_TABLE_SIZE(3), "entries");

#define RESOURCE_TABLE_ALIGN 4096

/* Defines the program's table: `buffers` in each direction (a power of two, at most 256), and
 * the watchdog's timeout in ms, 0 for none. */
#define RESOURCE_TABLE(table, buffers, timeout)                                                    \
  struct resource_table table __attribute__((section(TANDEM_RSC_SECTION), aligned(8), used)) = {   \
      .version = TANDEM_RSC_VERSION_VALUE,                                                         \
      .count = 3,                                                                                  \
      .offset = {offsetof(struct resource_table, window), offsetof(struct resource_table, vdev),   \
                 offsetof(struct resource_table, watchdog)},                                       \
      .window = {.type = TANDEM_RSC_TYPE_CARVEOUT,                                                 \
                 .da = TANDEM_RSC_ADDRESS_ANY,                                                     \
                 .name = TANDEM_RSC_CARVEOUT_WINDOW},                                              \
      .vdev = {.type = TANDEM_RSC_TYPE_VDEV,                                                       \
               .id = TANDEM_VIRTIO_ID_RPMSG,                                                       \
               .device_features = TANDEM_VIRTIO_RPMSG_F_NS,                                        \
               .vring_count = 2,                                                                   \
               .vrings = {{TANDEM_RSC_ADDRESS_ANY, RESOURCE_TABLE_ALIGN, buffers, 0, 0},           \
                          {TANDEM_RSC_ADDRESS_ANY, RESOURCE_TABLE_ALIGN, buffers, 1, 0}}},         \
      .watchdog = {.type = TANDEM_RSC_TYPE_WATCHDOG, .timeout_ms = timeout}}

#endif /* TANDEM_SW_RESOURCE_TABLE_H */
