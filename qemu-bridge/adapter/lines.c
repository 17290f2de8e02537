/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's interrupt inputs, which SystemC drives. Big lock held. */
#define _GNU_SOURCE
#include "adapter.h"

#include <glib.h>

static qemu_irq lines[TANDEM_WIRE_PINS];

static bool forgets_levels(void)
{
  return q.isa && q.isa->forgets_levels;
}

void tandem_lines_remind(void)
{
  if (forgets_levels())
    for (uint64_t high = adapter.level; high; high &= high - 1)
      q.qemu_set_irq(lines[__builtin_ctzll(high)], 1);
}

void tandem_lines_set(uint64_t now, uint64_t rise)
{
  for (uint64_t changed = (now ^ adapter.level) | rise; changed; changed &= changed - 1) {
    unsigned i = (unsigned)__builtin_ctzll(changed);
    uint64_t bit = 1ull << i;
    bool was = adapter.level & bit, is = now & bit;
    if (rise & bit) {
      if (was)
        q.qemu_set_irq(lines[i], 0);
      q.qemu_set_irq(lines[i], 1);
      if (!is && !forgets_levels()) /* which may forget an edge as well when the input falls */
        q.qemu_set_irq(lines[i], 0);
    } else {
      q.qemu_set_irq(lines[i], is);
    }
  }
  adapter.level = now;
}

static void keep_all(struct tandem_kept *kept)
{
  tandem_kept_bytes(kept, &adapter.level, sizeof adapter.level);
}

void tandem_lines_init(void)
{
  const struct tandem_wire_config *config = &adapter.page->config;
  for (unsigned i = 0; i < config->pins; ++i) {
    const struct tandem_wire_pin *pin = &config->pin[i];
    Object *device = pin->device[0] == '/' ? q.object_resolve_path(pin->device, NULL)
                                           : q.object_resolve_path_type("", pin->device, NULL);
    if (!device)
      tandem_give_up("the machine has no device '%s' (or several) for interrupt line %u",
                     pin->device, i);
    const char *name = pin->gpio[0] ? pin->gpio : NULL;
    char *property = g_strdup_printf("%s[%u]", name ? name : "unnamed-gpio-in", pin->index);
    if (!q.object_property_find(device, property))
      tandem_give_up("device '%s' has no input %s for interrupt line %u", pin->device, property, i);
    g_free(property);
    lines[i] = q.qdev_get_gpio_in_named(device, name, (int)pin->index);
  }
  tandem_checkpoint_keep("lines", keep_all);
}
