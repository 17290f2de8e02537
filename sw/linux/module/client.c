// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slaves as platform devices, for drivers of other modules, and what these are told.
 */
#include <linux/export.h>

#include "idm.h"

void idm_client_rang(struct idm_peer *peer)
{
  mutex_lock(&peer->client_lock);
  if (peer->client)
    peer->client->rang(peer->client);
  mutex_unlock(&peer->client_lock);
}

void idm_client_changed(struct idm_peer *peer)
{
  mutex_lock(&peer->client_lock);
  if (peer->client)
    peer->client->changed(peer->client);
  mutex_unlock(&peer->client_lock);
}

int idm_client_attach(struct idm_peer *peer, struct idm_client *client)
{
  int error = -EBUSY;

  mutex_lock(&peer->client_lock);
  if (!peer->client) {
    peer->client = client;
    error = 0;
  }
  mutex_unlock(&peer->client_lock);
  return error;
}
EXPORT_SYMBOL_GPL(idm_client_attach);

void idm_client_detach(struct idm_peer *peer)
{
  mutex_lock(&peer->client_lock);
  peer->client = NULL;
  mutex_unlock(&peer->client_lock);
}
EXPORT_SYMBOL_GPL(idm_client_detach);

static void remove_device(void *device)
{
  platform_device_unregister(device);
}

int idm_client_add_device(struct idm_peer *peer)
{
  struct device *dev = peer->idm->dev;
  struct platform_device *device;

  if (!idm_peer_is_slave(peer))
    return 0;
  device = platform_device_register_data(dev, IDM_CLIENT_DEVICE, peer->minor, &peer, sizeof(peer));
  if (IS_ERR(device))
    return PTR_ERR(device);
  return devm_add_action_or_reset(dev, remove_device, device);
}
