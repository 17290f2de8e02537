// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/idm_marks: the page of the port with the registers of marks, for programs to map, so that a
 * mark costs one access and no system call. Nothing else of the port is in this page. Of several
 * ports the further ones are /dev/idm_marks1 and so on.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "idm.h"

static DEFINE_IDA(numbers);

struct idm_marks {
  struct miscdevice device;
  int number;
  phys_addr_t page;
};

/* The page is all that an open file needs: the port may go while it is open. */
static int marks_open(struct inode *inode, struct file *filp)
{
  struct idm_marks *marks = container_of(filp->private_data, struct idm_marks, device);

  filp->private_data = (void *)(unsigned long)PHYS_PFN(marks->page);
  return 0;
}

static int marks_mmap(struct file *filp, struct vm_area_struct *vma)
{
  phys_addr_t page = PFN_PHYS((unsigned long)filp->private_data);

  if (!(vma->vm_flags & VM_SHARED))
    return -EINVAL;
  vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
  return vm_iomap_memory(vma, page, TANDEM_IDM_MARKS_SIZE);
}

static const struct file_operations file_operations = {
    .owner = THIS_MODULE,
    .open = marks_open,
    .mmap = marks_mmap,
    .llseek = no_llseek,
};

static void marks_remove(void *data)
{
  struct idm_marks *marks = data;

  misc_deregister(&marks->device);
  ida_free(&numbers, marks->number);
}

/* A device without marks, and a kernel whose pages hold more than the marks, do without. */
int idm_marks_add(struct idm_device *idm, phys_addr_t port)
{
  struct idm_marks *marks;
  int error;

  if (!idm->has_marks || PAGE_SIZE > TANDEM_IDM_MARKS_SIZE)
    return 0;
  marks = devm_kzalloc(idm->dev, sizeof(*marks), GFP_KERNEL);
  if (!marks)
    return -ENOMEM;
  marks->page = port + TANDEM_IDM_MARKS;
  marks->number = ida_alloc(&numbers, GFP_KERNEL);
  if (marks->number < 0)
    return marks->number;
  marks->device.minor = MISC_DYNAMIC_MINOR;
  marks->device.fops = &file_operations;
  marks->device.parent = idm->dev;
  marks->device.mode = 0666; /* whoever runs may be measured */
  marks->device.name = marks->number
                           ? devm_kasprintf(idm->dev, GFP_KERNEL, "idm_marks%d", marks->number)
                           : "idm_marks";
  error = marks->device.name ? misc_register(&marks->device) : -ENOMEM;
  if (error) {
    ida_free(&numbers, marks->number);
    return error;
  }
  return devm_add_action_or_reset(idm->dev, marks_remove, marks);
}
