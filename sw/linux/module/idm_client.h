/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tandem_idm.ko offers drivers of other modules: on a master, each slave that it may boot is
 * a platform device IDM_CLIENT_DEVICE with the number of its /dev/idmN.
 */
#ifndef TANDEM_IDM_CLIENT_H
#define TANDEM_IDM_CLIENT_H

#include <linux/platform_device.h>
#include <linux/types.h>

#include <tandem_idm_ioctl.h>

#define IDM_CLIENT_DEVICE "tandem-slave"

struct idm_peer;

/* Called from the interrupt thread of the IDM; may sleep, must not call idm_client_detach(). */
struct idm_client {
  void (*rang)(struct idm_client *client);    /* the slave has rung, once or more often */
  void (*changed)(struct idm_client *client); /* its state is another one */
};

/* The slave that the platform device stands for. It outlives the device's driver. */
static inline struct idm_peer *idm_client_peer(struct platform_device *device)
{
  return *(struct idm_peer **)dev_get_platdata(&device->dev);
}

/* Starts and ends the calls. EBUSY: another driver has them. */
int idm_client_attach(struct idm_peer *peer, struct idm_client *client);
void idm_client_detach(struct idm_peer *peer);

/* Commands by others, from files too, fail with EBUSY until it is given back. EBUSY: the slave
 * runs, or another has it. */
int idm_peer_take(struct idm_peer *peer, struct idm_client *by);
void idm_peer_give_back(struct idm_peer *peer);

/* Commands of `by`, which has taken the slave. Errors as tandem_idm_ioctl.h has them, none by
 * signals. They may sleep; the last waits until the slave is held. */
int idm_peer_setup(struct idm_peer *peer, struct idm_client *by, const struct idm_setup *setup);
int idm_peer_boot(struct idm_peer *peer, struct idm_client *by);
int idm_peer_reset(struct idm_peer *peer, struct idm_client *by);

void idm_peer_ring(struct idm_peer *peer);
u32 idm_peer_state(struct idm_peer *peer); /* TANDEM_IDM_BOOT_HELD and so on */
void idm_peer_info(struct idm_peer *peer, struct idm_info *info);
/* The slave's window as physical memory of this guest; ENXIO when it is not seen here. */
int idm_peer_window(struct idm_peer *peer, phys_addr_t *start, u64 *size);

#endif /* TANDEM_IDM_CLIENT_H */
