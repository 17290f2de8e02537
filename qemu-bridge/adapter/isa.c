/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "isa.h"

#include <string.h>

static const struct tandem_isa *const all[] = {
    &tandem_isa_x86_64, &tandem_isa_i386, &tandem_isa_arm, &tandem_isa_aarch64, &tandem_isa_riscv64,
};

const struct tandem_isa *tandem_isa_find(const char *target)
{
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
    if (strcmp(all[i]->target, target) == 0)
      return all[i];
  return NULL;
}
