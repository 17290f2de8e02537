// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The platform device of a port of the IDM: registers, interrupt, life of the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/acpi.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "idm.h"

#define IDM_CAUSES                                                                                 \
  (TANDEM_IDM_IRQ_DOORBELL | TANDEM_IDM_IRQ_MAILBOX_RX | TANDEM_IDM_IRQ_MAILBOX_TX |               \
   TANDEM_IDM_IRQ_BOOT)

/* What went wrong with a device that is there; platform_driver_probe() does not tell. */
static int idm_probe_error;

u32 idm_read(struct idm_device *idm, unsigned int offset)
{
  return readl(idm->registers + offset);
}

void idm_write(struct idm_device *idm, unsigned int offset, u32 value)
{
  writel(value, idm->registers + offset);
}

u64 idm_read_pair(struct idm_device *idm, unsigned int offset)
{
  u32 low = idm_read(idm, offset);

  return low | (u64)idm_read(idm, offset + 4) << 32;
}

void idm_write_pair(struct idm_device *idm, unsigned int offset, u64 value)
{
  idm_write(idm, offset, lower_32_bits(value));
  idm_write(idm, offset + 4, upper_32_bits(value));
}

/*
 * The output is a level, and most causes need somebody who may sleep: they are disabled here and
 * enabled again by the thread.
 */
static irqreturn_t idm_interrupt(int irq, void *data)
{
  struct idm_device *idm = data;
  u32 causes;

  spin_lock(&idm->lock);
  causes = idm_read(idm, TANDEM_IDM_IRQ_STATUS) & idm->irq_enabled;
  if (causes) {
    idm->irq_enabled &= ~causes;
    idm_write(idm, TANDEM_IDM_IRQ_ENABLE, idm->irq_enabled);
    idm->irq_work |= causes;
  }
  spin_unlock(&idm->lock);
  return causes ? IRQ_WAKE_THREAD : IRQ_NONE;
}

static u32 idm_take_work(struct idm_device *idm)
{
  u32 causes;

  spin_lock_irq(&idm->lock);
  causes = idm->irq_work;
  idm->irq_work = 0;
  spin_unlock_irq(&idm->lock);
  return causes;
}

static void idm_enable(struct idm_device *idm, u32 causes)
{
  spin_lock_irq(&idm->lock);
  idm->irq_enabled |= causes;
  idm_write(idm, TANDEM_IDM_IRQ_ENABLE, idm->irq_enabled);
  spin_unlock_irq(&idm->lock);
}

static void idm_collect_rings(struct idm_device *idm)
{
  u32 rung = idm_read(idm, TANDEM_IDM_DB_STATUS);
  struct idm_peer *peer;
  unsigned int p;

  idm_write(idm, TANDEM_IDM_DB_CLEAR, rung);
  idm_for_each_peer(idm, p, peer)
  {
    if (rung & BIT(p)) {
      atomic_inc(&peer->rings);
      wake_up_all(&peer->wait);
      idm_client_rang(peer);
    }
  }
}

/* Acknowledged first: a change after that is a new event. */
static void idm_collect_changes(struct idm_device *idm)
{
  u32 changed = idm_read(idm, TANDEM_IDM_BOOT_EVENT);
  unsigned int p;

  for (p = 0; p < idm->participants; ++p) {
    if (!(changed & BIT(p)))
      continue;
    idm_write(idm, TANDEM_IDM_BOOT(p) + TANDEM_IDM_BOOT_ACK, 1);
    if (idm->peers[p]) {
      atomic_inc(&idm->peers[p]->changes);
      wake_up_all(&idm->peers[p]->wait);
      idm_client_changed(idm->peers[p]);
    }
  }
}

static irqreturn_t idm_interrupt_thread(int irq, void *data)
{
  struct idm_device *idm = data;
  u32 causes = idm_take_work(idm);
  struct idm_peer *peer;
  unsigned int p;

  if (causes & TANDEM_IDM_IRQ_DOORBELL)
    idm_collect_rings(idm);
  if (causes & TANDEM_IDM_IRQ_BOOT)
    idm_collect_changes(idm);
  if (causes & (TANDEM_IDM_IRQ_MAILBOX_RX | TANDEM_IDM_IRQ_MAILBOX_TX))
    idm_for_each_peer(idm, p, peer) idm_channel_service(peer);
  idm_enable(idm, causes);
  return IRQ_HANDLED;
}

/* Refuses what is no IDM that this module knows, and learns what the others need. */
static int idm_identify(struct idm_device *idm)
{
  u32 id = idm_read(idm, TANDEM_IDM_ID);
  u32 version;

  if (id != TANDEM_IDM_ID_VALUE) {
    dev_err(idm->dev, "no IDM at this address: the ID register reads 0x%08x\n", id);
    return -ENXIO;
  }
  version = idm_read(idm, TANDEM_IDM_VERSION);
  if (version >> 16 != TANDEM_IDM_VERSION_VALUE >> 16) {
    dev_err(idm->dev, "the IDM has version %u.%u, this module knows %u\n", version >> 16,
            version & 0xffff, TANDEM_IDM_VERSION_VALUE >> 16);
    return -EINVAL;
  }
  idm->has_marks = (version & 0xffff) >= 2;
  idm->self = idm_read(idm, TANDEM_IDM_SELF);
  idm->participants = idm_read(idm, TANDEM_IDM_PARTICIPANTS);
  idm->masters = idm_read(idm, TANDEM_IDM_MASTERS);
  idm->fifo_depth = idm_read(idm, TANDEM_IDM_FIFO_DEPTH);
  idm->memory_size = idm_read_pair(idm, TANDEM_IDM_MEMORY_LO);
  if (idm->participants > TANDEM_IDM_MAX_PARTICIPANTS || idm->self >= idm->participants) {
    dev_err(idm->dev, "the IDM says participant %u of %u\n", idm->self, idm->participants);
    return -EINVAL;
  }
  return 0;
}

/* Closes everything that an earlier user of this port has left open. */
static void idm_quiesce(void *data)
{
  struct idm_device *idm = data;
  unsigned int p;

  idm_write(idm, TANDEM_IDM_IRQ_ENABLE, 0);
  idm_write(idm, TANDEM_IDM_DB_ENABLE, 0);
  for (p = 0; p < idm->participants; ++p) {
    idm_write(idm, TANDEM_IDM_MAILBOX(p) + TANDEM_IDM_MB_RX_CONTROL, 0);
    idm_write(idm, TANDEM_IDM_MAILBOX(p) + TANDEM_IDM_MB_TX_CONTROL, 0);
  }
}

static int idm_start(struct platform_device *platform)
{
  struct device *dev = &platform->dev;
  struct idm_device *idm;
  struct idm_peer *peer;
  struct resource *port;
  unsigned int p;
  int irq, error;

  idm = devm_kzalloc(dev, sizeof(*idm), GFP_KERNEL);
  if (!idm)
    return -ENOMEM;
  idm->dev = dev;
  spin_lock_init(&idm->lock);
  idm->registers = devm_platform_get_and_ioremap_resource(platform, 0, &port);
  if (IS_ERR(idm->registers))
    return PTR_ERR(idm->registers);
  if (resource_size(port) < TANDEM_IDM_PORT_SIZE) {
    dev_err(dev, "a port has %u bytes, not %pR\n", TANDEM_IDM_PORT_SIZE, port);
    return -EINVAL;
  }
  idm->memory = platform_get_resource(platform, IORESOURCE_MEM, 1);
  error = idm_identify(idm);
  if (error)
    return error;

  idm_quiesce(idm);
  for (p = 0; p < idm->participants; ++p) {
    error = p == idm->self ? 0 : idm_peer_create(idm, p);
    if (error)
      return error;
  }
  error = devm_add_action_or_reset(dev, idm_quiesce, idm);
  if (error)
    return error;
  irq = platform_get_irq(platform, 0);
  if (irq < 0)
    return irq;
  error = devm_request_threaded_irq(dev, irq, idm_interrupt, idm_interrupt_thread, 0, dev_name(dev),
                                    idm);
  if (error)
    return error;
  error = idm_mailbox_register(idm);
  if (error)
    return error;
  error = idm_marks_add(idm, port->start);
  if (error)
    return error;
  idm_write(idm, TANDEM_IDM_DB_ENABLE, 0xffffffff);
  idm_enable(idm, IDM_CAUSES);
  idm_for_each_peer(idm, p, peer)
  {
    error = idm_chardev_add(peer) ?: idm_client_add_device(peer);
    if (error)
      return error;
  }
  dev_info(dev, "participant %u of %u%s\n", idm->self, idm->participants,
           idm->masters & BIT(idm->self) ? ", master" : "");
  return 0;
}

static int idm_probe(struct platform_device *platform)
{
  idm_probe_error = idm_start(platform);
  return idm_probe_error;
}

/* Without MODULE_DEVICE_TABLE: the packaged modpost of armhf cannot read it on a 64-bit host,
 * and insmod does without. */
static const struct of_device_id idm_of_match[] = {{.compatible = "tandem,idm"}, {}};
static const struct acpi_device_id idm_acpi_match[] = {{.id = "TNDM0001"}, {}};

static struct platform_driver idm_driver = {
    .driver =
        {
            .name = "tandem-idm",
            .of_match_table = idm_of_match,
            .acpi_match_table = idm_acpi_match,
        },
};

static int __init idm_init(void)
{
  int error = idm_chardev_init();

  if (error)
    return error;
  error = platform_driver_probe(&idm_driver, idm_probe);
  if (!error)
    return 0;
  idm_chardev_exit();
  if (idm_probe_error)
    return idm_probe_error;
  pr_err("no IDM: there is neither a device tree node \"%s\" nor an ACPI device %s\n",
         idm_of_match[0].compatible, idm_acpi_match[0].id);
  return error;
}
module_init(idm_init);

static void __exit idm_exit(void)
{
  platform_driver_unregister(&idm_driver);
  idm_chardev_exit();
}
module_exit(idm_exit);

MODULE_DESCRIPTION("Inter-processor device module (IDM) of Tandem");
MODULE_AUTHOR("The Tandem project");
MODULE_LICENSE("GPL");
