/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "adapter.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Spin for the rest of a reply, which SystemC sends at once. */
#define MORE_SPIN_NS 300000

const char *tandem_channel_open(int page_fd, int socket_fd)
{
  struct stat about;
  if (fstat(page_fd, &about) != 0 || about.st_size != TANDEM_WIRE_PAGE_BYTES)
    return "descriptor 'page' is not a page of the Tandem wire";
  void *page = mmap(NULL, TANDEM_WIRE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
  if (page == MAP_FAILED)
    return "the page of the Tandem wire cannot be mapped";
  adapter.page = page;
  adapter.socket = socket_fd;
  const struct tandem_wire_config *config = &adapter.page->config;
  if (config->magic != TANDEM_WIRE_MAGIC || config->version != TANDEM_WIRE_VERSION)
    return "adapter and bridge speak different versions of the Tandem wire";
  if (config->windows > TANDEM_WIRE_WINDOWS || config->pins > TANDEM_WIRE_PINS ||
      config->rams > TANDEM_WIRE_RAM)
    return "the configuration in the page of the Tandem wire is out of range";
  return NULL;
}

struct tandem_wire_request *tandem_channel_request(enum tandem_wire_request_kind kind)
{
  struct tandem_wire_request *request = &adapter.page->request;
  request->kind = kind;
  request->flags = 0;
  request->time_ns = (uint64_t)q.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
  if (adapter.told.clock)
    adapter.told.clock(request->time_ns);
  request->next_timer_ns = TANDEM_WIRE_NEVER;
  return request;
}

void tandem_channel_post(void)
{
  struct tandem_wire_page *page = adapter.page;
  if (!adapter.free_mode)
    page->request.instructions = (uint64_t)q.icount_get_raw() + adapter.uncounted;
  adapter.expected = page->request_seq + 1;
  adapter.outstanding = true;
  tandem_tell_cpu(&page->request_cpu);
  tandem_post(&page->request_seq, &page->request_sleeper);
}

static bool answered(void)
{
  return tandem_seq(&adapter.page->reply_seq) == adapter.expected;
}

bool tandem_channel_spin(uint64_t limit_ns)
{
  return answered() || tandem_spin(&adapter.waiter, &adapter.page->reply_seq, adapter.expected - 1,
                                   limit_ns, &adapter.page->reply_cpu);
}

bool tandem_channel_sleep(unsigned timeout_ms)
{
  struct tandem_wire_page *page = adapter.page;
  if (answered())
    return true;
  tandem_sleep(&adapter.waiter, &page->reply_seq, adapter.expected - 1, &page->reply_sleeper,
               timeout_ms);
  page->sleeps = adapter.waiter.sleeps;
  return answered();
}

const struct tandem_wire_reply *tandem_channel_take(void)
{
  adapter.outstanding = false;
  return &adapter.page->reply;
}

static const struct tandem_wire_reply *exchange(void)
{
  tandem_channel_post();
  while (!tandem_channel_spin(MORE_SPIN_NS) && !tandem_channel_sleep(1000))
    ;
  return tandem_channel_take();
}

const struct tandem_wire_reply *tandem_channel_more(void)
{
  adapter.page->request.kind = TANDEM_WIRE_MORE;
  return exchange();
}

const struct tandem_wire_reply *tandem_channel_ask(uint32_t kind)
{
  tandem_channel_request(kind);
  return exchange();
}

int tandem_channel_receive_fd(void)
{
  char byte;
  struct iovec data = {&byte, 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = control.space,
                           .msg_controllen = sizeof control.space};
  ssize_t got;
  do
    got = recvmsg(adapter.socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  struct cmsghdr *header = got == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (!header || header->cmsg_type != SCM_RIGHTS)
    tandem_give_up("the descriptor of a memory did not arrive");
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

void tandem_channel_signal(char what)
{
  ssize_t sent;
  do
    sent = send(adapter.socket, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
}
