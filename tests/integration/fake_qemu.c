/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Started in QEMU's place: speaks the wire, and does one thing wrong, which the environment
 * variable TANDEM_FAKE names. "good" does nothing wrong: it takes a few windows and switches
 * itself off, so that a refusal of the others is due to what they do.
 */
#define _GNU_SOURCE
#include "tandem_wait.h"
#include "tandem_wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

static struct tandem_wire_page *page;
static int control_socket;
static const char *mode;

static int is(const char *name)
{
  return strcmp(mode, name) == 0;
}

static void hang(void)
{
  for (;;)
    pause();
}

static void open_page(int argc, char **argv)
{
  const char *text = NULL;
  for (int i = 1; i < argc - 1; ++i)
    if (strcmp(argv[i], "-plugin") == 0)
      text = argv[i + 1];
  const char *fd = text ? strstr(text, ",page=") : NULL;
  const char *socket = text ? strstr(text, ",socket=") : NULL;
  if (!fd || !socket) {
    fprintf(stderr, "fake: no page and socket\n");
    exit(9);
  }
  control_socket = atoi(socket + 8);
  page = mmap(NULL, TANDEM_WIRE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd + 6), 0);
  if (page == MAP_FAILED || page->config.magic != TANDEM_WIRE_MAGIC) {
    fprintf(stderr, "fake: no page of the wire\n");
    exit(9);
  }
}

static struct tandem_wire_request *request(uint32_t kind, uint64_t time_ns)
{
  memset(&page->request, 0, sizeof page->request);
  page->request.kind = kind;
  page->request.time_ns = time_ns;
  page->request.next_timer_ns = TANDEM_WIRE_NEVER;
  page->request.size = 4;
  page->request.address = page->config.window[0].address;
  return &page->request;
}

static void exchange(void)
{
  struct tandem_waiter waiter = {0};
  tandem_post(&page->request_seq, &page->request_sleeper);
  uint32_t wanted = page->request_seq;
  while (tandem_seq(&page->reply_seq) != wanted)
    tandem_sleep(&waiter, &page->reply_seq, wanted - 1, &page->reply_sleeper, 100);
}

static uint64_t seen_rises;

/* The request that was made, as the adapter makes it: a reply that says `more` is completed at
 * once, and what it says besides is in its first part. */
static void converse(void)
{
  exchange();
  seen_rises |= page->reply.irq_rise;
  if (is("more_not_asked_for") && page->reply.more)
    return;
  while (page->reply.more) {
    page->request.kind = TANDEM_WIRE_MORE;
    exchange();
  }
}

static void ready(void)
{
  request(TANDEM_WIRE_READY, 0)->data = 7ull << 32 | 2ull << 16;
  converse();
}

/* What goes wrong before the first request. */
static void misbehave_at_start(void)
{
  if (is("exit"))
    exit(0);
  if (is("exit_3"))
    exit(3);
  if (is("garbage_exit")) {
    for (int byte = 255; byte >= 0; --byte)
      fputc(byte, stderr);
    fputs("\nlast words", stderr);
    exit(3);
  }
  if (is("garbage_last")) {
    fwrite("\033[31mred\007\0bell \xff\xfe\x80\r\x9b", 1, 20, stderr);
    exit(3);
  }
  if (is("error_garbage")) {
    strcpy(page->error, "one\ntwo\033[1m\xff three");
    exit(1);
  }
  if (is("garbage_hang")) {
    for (int i = 0; i < 100000; ++i)
      fputc(i * 7919 % 251, stderr);
    fflush(stderr);
    hang();
  }
  if (is("flood")) {
    char bytes[4096] = {0};
    for (uint64_t end = tandem_host_ns() + 30000000000ull; tandem_host_ns() < end;)
      send(control_socket, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    hang();
  }
  if (is("error_unterminated")) {
    memset(page->error, 'x', sizeof page->error);
    exit(1);
  }
  if (is("segv"))
    raise(SIGSEGV);
  if (is("not_ready_first")) {
    request(TANDEM_WIRE_WINDOW, 0);
    exchange();
    hang();
  }
  if (is("closed_socket")) {
    close(control_socket);
    hang();
  }
}

/* What goes wrong later; leaves a bad request in the slot. */
static void prepare_bad_request(uint64_t now)
{
  const struct tandem_wire_window *w = &page->config.window[0];
  struct tandem_wire_request *r = request(TANDEM_WIRE_READ, now);
  if (is("unknown_kind"))
    r->kind = 77;
  else if (is("kind_0"))
    r->kind = 0;
  else if (is("size_3"))
    r->size = 3;
  else if (is("size_0"))
    r->size = 0;
  else if (is("size_huge"))
    r->size = UINT32_MAX;
  else if (is("outside"))
    r->address = w->address - 4;
  else if (is("across_the_end"))
    r->address = w->address + w->size - 2;
  else if (is("address_wraps"))
    r->address = UINT64_MAX - 1;
  else if (is("write_outside"))
    r->kind = TANDEM_WIRE_WRITE, r->address = 0x1234567890;
  else if (is("backwards"))
    r->time_ns = now - 1;
  else if (is("far_ahead"))
    r->time_ns = now + 3600000000000ull;
  else if (is("never"))
    r->time_ns = TANDEM_WIRE_NEVER;
  else if (is("ready_twice"))
    r->kind = TANDEM_WIRE_READY;
  else if (is("timer_in_the_past"))
    r->kind = TANDEM_WIRE_HALTED, r->next_timer_ns = now - 1;
  else if (is("more_unasked"))
    r->kind = TANDEM_WIRE_MORE;
  else if (is("just_ahead"))
    r->kind = TANDEM_WIRE_WINDOW, r->time_ns = page->reply.window_end_ns + 1000;
  else if (is("out_of_turn"))
    ++page->request_seq;
  else if (is("hang"))
    hang();
  else
    fprintf(stderr, "fake: unknown mode %s\n", mode), exit(9);
}

int main(int argc, char **argv)
{
  mode = getenv("TANDEM_FAKE");
  if (!mode)
    mode = "good";
  open_page(argc, argv);
  misbehave_at_start();
  ready();
  for (int windows = 0; windows < 3; ++windows) {
    request(TANDEM_WIRE_WINDOW, page->reply.window_end_ns);
    converse();
  }
  if (is("lines")) { /* all of which must have risen by now */
    uint64_t all = (1ull << page->config.pins) - 1;
    if (seen_rises != all) {
      snprintf(page->error, sizeof page->error, "lines that rose: 0x%llx, not 0x%llx",
               (unsigned long long)seen_rises, (unsigned long long)all);
      exit(1);
    }
  }
  uint64_t now = page->request.time_ns;
  if (is("good") || is("lines"))
    request(TANDEM_WIRE_POWEROFF, now);
  else
    prepare_bad_request(now);
  exchange();
  hang();
}
