/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/pair.h"
#include "tandem-sw/console.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/param.h"
#include "tandem-sw/system.h"

void pair_init(struct pair *pair)
{
  idm_require();
  pair->self = idm_info()->self;
  pair->peer = param_u32("peer", pair->self ^ 1);
  pair->leads = pair->self < pair->peer;
  if (pair->peer == pair->self || pair->peer >= idm_info()->participants) {
    console_printf("peer %u: this platform has participants 0 to %u and this is %u\n",
                   (unsigned)pair->peer, (unsigned)idm_info()->participants - 1,
                   (unsigned)pair->self);
    platform_exit(2);
  }
}

uint32_t pair_exchange(const struct pair *pair, uint32_t word)
{
  idm_mailbox_send(pair->peer, word);
  return idm_mailbox_receive(pair->peer);
}

void pair_barrier(const struct pair *pair)
{
  pair_exchange(pair, 0);
}

void pair_finish(const struct pair *pair, int status)
{
  console_printf("RESULT status %d\n", status);
  if (!pair->leads) {
    idm_mailbox_send(pair->peer, (uint32_t)status);
    halt();
  }
  int other = (int)idm_mailbox_receive(pair->peer);
  platform_exit(other > status ? other : status);
}
