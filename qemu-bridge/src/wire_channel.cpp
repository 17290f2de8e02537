// SPDX-License-Identifier: Apache-2.0
#include "tandem/wire_channel.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tandem
{
namespace
{

[[noreturn]] void fail(const char *what)
{
  throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

wire_channel::wire_channel(const std::string &name)
{
  page_fd_ = memfd_create(("tandem-wire-" + name).c_str(), MFD_CLOEXEC);
  if (page_fd_ < 0 || ftruncate(page_fd_, TANDEM_WIRE_PAGE_BYTES) != 0)
    fail("cannot make the page of the wire");
  void *mapped =
      mmap(nullptr, TANDEM_WIRE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd_, 0);
  if (mapped == MAP_FAILED)
    fail("cannot map the page of the wire");
  page_ = new (mapped) tandem_wire_page{};
  prepare();
}

void wire_channel::prepare()
{
  page_->config.magic = TANDEM_WIRE_MAGIC;
  page_->config.version = TANDEM_WIRE_VERSION;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    fail("cannot make the socket of the wire");
  local_ = ends[0];
  remote_ = ends[1];
}

void wire_channel::renew()
{
  close(local_);
  close_remote();
  files_.clear();
  *page_ = tandem_wire_page{};
  reply_ = {};
  prepare();
}

wire_channel::~wire_channel()
{
  munmap(page_, TANDEM_WIRE_PAGE_BYTES);
  close(page_fd_);
  close(local_);
  close_remote();
}

void wire_channel::close_remote()
{
  if (remote_ >= 0)
    close(remote_);
  remote_ = -1;
}

bool wire_channel::ready() const
{
  return tandem_seq(&page_->request_seq) != replies();
}

bool wire_channel::spin(std::uint64_t limit_ns)
{
  return ready() ||
         tandem_spin(&waiter_, &page_->request_seq, replies(), limit_ns, &page_->request_cpu);
}

bool wire_channel::sleep(unsigned timeout_ms)
{
  return ready() || tandem_sleep(&waiter_, &page_->request_seq, replies(), &page_->request_sleeper,
                                 timeout_ms);
}

void wire_channel::wake()
{
  syscall(SYS_futex, &page_->request_seq, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

tandem_wire_request wire_channel::request() const
{
  tandem_wire_request copy;
  std::memcpy(&copy, &page_->request, sizeof copy);
  return copy;
}

void wire_channel::reply()
{
  // Of the changes those that there are: this is the fast path.
  std::memcpy(&page_->reply, &reply_,
              offsetof(tandem_wire_reply, dmi) + reply_.dmi_count * sizeof reply_.dmi[0]);
  tandem_post(&page_->reply_seq, &page_->reply_sleeper);
}

tandem_wire_debug wire_channel::debug_request() const
{
  tandem_wire_debug copy;
  std::memcpy(&copy, &page_->debug, sizeof copy);
  return copy;
}

void wire_channel::debug_reply(tandem_wire_status status, std::uint64_t data)
{
  page_->debug_reply.status = status;
  page_->debug_reply.data = data;
  tandem_post(&page_->debug_reply_seq, &page_->debug_sleeper);
}

unsigned wire_channel::share(int fd, bool &fresh)
{
  struct stat about;
  if (fstat(fd, &about) != 0)
    fail("cannot examine a memory's descriptor");
  for (unsigned i = 0; i < files_.size(); ++i) {
    if (files_[i].device == about.st_dev && files_[i].inode == about.st_ino) {
      fresh = false;
      return i;
    }
  }
  if (files_.size() == TANDEM_WIRE_FDS)
    throw std::length_error("too many memories with descriptors of their own");
  send(fd);
  fresh = true;
  files_.push_back({about.st_dev, about.st_ino});
  return static_cast<unsigned>(files_.size() - 1);
}

void wire_channel::send(int fd)
{
  char byte = 'f';
  iovec data = {&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof fd)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  // EPIPE: QEMU has died, which the next wait for it finds out and explains.
  if (sendmsg(local_, &message, MSG_NOSIGNAL) != 1 && errno != EPIPE)
    fail("cannot hand a descriptor to QEMU");
}

} // namespace tandem
