// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/idmN: one character device for each other participant, in their order.
 */
#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "idm.h"

#define MINORS TANDEM_IDM_MAX_PARTICIPANTS

static dev_t first_device;
static DEFINE_IDA(minors);

struct idm_file {
  struct idm_peer *peer;
  unsigned long claimed; /* bit 0: counts among the channel's users */
  int changes_seen;
};

static int claim(struct idm_file *file)
{
  int error;

  if (test_bit(0, &file->claimed))
    return 0;
  error = idm_channel_claim(file->peer);
  if (!error && test_and_set_bit(0, &file->claimed))
    idm_channel_release(file->peer); /* another thread was faster */
  return error;
}

static int idm_open(struct inode *inode, struct file *filp)
{
  struct idm_peer *peer = container_of(inode->i_cdev, struct idm_peer, cdev);
  struct idm_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

  if (!file)
    return -ENOMEM;
  file->peer = peer;
  file->changes_seen = atomic_read(&peer->changes);
  filp->private_data = file;
  return stream_open(inode, filp);
}

static int idm_close(struct inode *inode, struct file *filp)
{
  struct idm_file *file = filp->private_data;

  if (test_bit(0, &file->claimed))
    idm_channel_release(file->peer);
  kfree(file);
  return 0;
}

static ssize_t idm_read_message(struct file *filp, char __user *data, size_t size, loff_t *unused)
{
  struct idm_file *file = filp->private_data;
  int error = claim(file);

  return error ?: idm_channel_receive(file->peer, data, size, !(filp->f_flags & O_NONBLOCK));
}

static ssize_t idm_write_message(struct file *filp, const char __user *data, size_t size,
                                 loff_t *unused)
{
  struct idm_file *file = filp->private_data;
  int error = claim(file);

  return error ?: idm_channel_send(file->peer, data, size, !(filp->f_flags & O_NONBLOCK));
}

static __poll_t idm_poll(struct file *filp, poll_table *table)
{
  const __poll_t input = EPOLLIN | EPOLLRDNORM;
  const __poll_t output = EPOLLOUT | EPOLLWRNORM;
  struct idm_file *file = filp->private_data;
  struct idm_peer *peer = file->peer;
  __poll_t events = 0;

  poll_wait(filp, &peer->wait, table);
  if (atomic_read(&peer->changes) != file->changes_seen)
    events |= EPOLLPRI | EPOLLRDBAND;
  if (atomic_read(&peer->rings))
    events |= EPOLLPRI;
  if (!(poll_requested_events(table) & (input | output)))
    return events; /* leaves the messages to others */
  if (claim(file))
    return events | EPOLLERR;
  return events | (idm_channel_readable(peer) ? input : 0) |
         (idm_channel_writable(peer) ? output : 0);
}

static long ioctl_info(struct idm_file *file, void __user *argument)
{
  struct idm_info info;

  file->changes_seen = atomic_read(&file->peer->changes);
  idm_peer_info(file->peer, &info);
  return copy_to_user(argument, &info, sizeof(info)) ? -EFAULT : 0;
}

static long ioctl_setup(struct idm_file *file, void __user *argument)
{
  struct idm_setup setup;

  if (copy_from_user(&setup, argument, sizeof(setup)))
    return -EFAULT;
  return idm_peer_setup(file->peer, NULL, &setup);
}

static long ioctl_exit(struct idm_file *file, u32 __user *argument)
{
  u32 status;

  if (get_user(status, argument))
    return -EFAULT;
  if (status > 255)
    return -EINVAL;
  idm_write(file->peer->idm, TANDEM_IDM_EXIT, status);
  return 0;
}

static long idm_ioctl(struct file *filp, unsigned int number, unsigned long argument)
{
  struct idm_file *file = filp->private_data;
  struct idm_peer *peer = file->peer;
  void __user *user = (void __user *)argument;

  switch (number) {
  case IDM_INFO:
    return ioctl_info(file, user);
  case IDM_SETUP:
    return ioctl_setup(file, user);
  case IDM_BOOT:
    return idm_peer_boot(peer, NULL);
  case IDM_RESET:
    return idm_peer_reset(peer, NULL);
  case IDM_HALT:
    return idm_peer_halt(peer, NULL);
  case IDM_RING:
    idm_peer_ring(peer);
    return 0;
  case IDM_RINGS:
    return put_user((u32)atomic_xchg(&peer->rings, 0), (u32 __user *)user);
  case IDM_DROP:
    return idm_channel_drop(peer, IDM_DROP_RECEIVED);
  case IDM_EXIT:
    return ioctl_exit(file, user);
  default:
    return -ENOTTY;
  }
}

/* Uncached, as the slave sees its memory until it has turned its caches on. */
static int idm_mmap(struct file *filp, struct vm_area_struct *vma)
{
  struct idm_file *file = filp->private_data;
  phys_addr_t start;
  u64 size;
  int error;

  if (!(vma->vm_flags & VM_SHARED))
    return -EINVAL;
  error = idm_peer_window(file->peer, &start, &size);
  if (error)
    return error;
  vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
  return vm_iomap_memory(vma, start, size);
}

static const struct file_operations file_operations = {
    .owner = THIS_MODULE,
    .open = idm_open,
    .release = idm_close,
    .read = idm_read_message,
    .write = idm_write_message,
    .poll = idm_poll,
    .unlocked_ioctl = idm_ioctl,
    .compat_ioctl = compat_ptr_ioctl,
    .mmap = idm_mmap,
    .llseek = no_llseek,
};

static ssize_t participant_show(struct device *dev, struct device_attribute *unused, char *text)
{
  return sysfs_emit(text, "%u\n", container_of(dev, struct idm_peer, dev)->participant);
}
static DEVICE_ATTR_RO(participant);

static struct attribute *device_attrs[] = {&dev_attr_participant.attr, NULL};
ATTRIBUTE_GROUPS(device);

static struct class device_class = {
    .name = "tandem_idm",
    .dev_groups = device_groups,
};

static void release_peer(struct device *dev)
{
  struct idm_peer *peer = container_of(dev, struct idm_peer, dev);

  idm_channel_free(peer);
  if (peer->minor >= 0)
    ida_free(&minors, peer->minor);
  kfree(peer);
}

static void put_peer(void *dev)
{
  put_device(dev);
}

/* The peer is gone with the platform device, unless somebody holds its device still. */
int idm_peer_create(struct idm_device *idm, unsigned int participant)
{
  struct idm_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);
  int error;

  if (!peer)
    return -ENOMEM;
  peer->idm = idm;
  peer->participant = participant;
  peer->minor = ida_alloc_max(&minors, MINORS - 1, GFP_KERNEL);
  mutex_init(&peer->boot_lock);
  mutex_init(&peer->client_lock);
  init_waitqueue_head(&peer->wait);
  idm_channel_init(peer);
  cdev_init(&peer->cdev, &file_operations);
  peer->cdev.owner = THIS_MODULE;
  device_initialize(&peer->dev);
  peer->dev.parent = idm->dev;
  peer->dev.class = &device_class;
  peer->dev.release = release_peer;
  peer->dev.devt = first_device + peer->minor;
  error = devm_add_action_or_reset(idm->dev, put_peer, &peer->dev);
  if (error)
    return error;
  if (peer->minor < 0)
    return peer->minor;
  idm->peers[participant] = peer;
  return dev_set_name(&peer->dev, "idm%d", peer->minor);
}

static void remove_chardev(void *data)
{
  struct idm_peer *peer = data;

  cdev_device_del(&peer->cdev, &peer->dev);
}

int idm_chardev_add(struct idm_peer *peer)
{
  int error = cdev_device_add(&peer->cdev, &peer->dev);

  return error ?: devm_add_action_or_reset(peer->idm->dev, remove_chardev, peer);
}

int idm_chardev_init(void)
{
  int error = class_register(&device_class);

  if (error)
    return error;
  error = alloc_chrdev_region(&first_device, 0, MINORS, "tandem_idm");
  if (error)
    class_unregister(&device_class);
  return error;
}

void idm_chardev_exit(void)
{
  unregister_chrdev_region(first_device, MINORS);
  class_unregister(&device_class);
}
