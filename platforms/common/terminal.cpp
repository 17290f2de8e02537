// SPDX-License-Identifier: Apache-2.0
#include "terminal.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <systemc>
#include <termios.h>
#include <unistd.h>

namespace tandem
{
namespace
{

constexpr char leave_key = 0x1d;       // Ctrl-]
constexpr int socket_buffer = 1 << 20; // what the guest may print while this process does not run
constexpr int last_output_ms = 2000;   // a user's side that takes nothing ends the wait

/// What the terminal was like; for handlers of signals, which can use nothing else.
termios saved;
volatile std::sig_atomic_t is_raw;

void restore_and_die(int signal)
{
  terminal::restore();
  raise(signal); // its default action, see SA_RESETHAND
}

void restore_at_every_end()
{
  std::atexit(terminal::restore);
  struct sigaction action = {};
  action.sa_handler = restore_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE})
    sigaction(signal, &action, nullptr);
}

/// Input as it is typed; output as before, since messages for the user end lines their way.
bool make_raw()
{
  if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) != 0)
    return false;
  termios raw = saved;
  cfmakeraw(&raw);
  raw.c_oflag = saved.c_oflag;
  is_raw = 1;
  restore_at_every_end();
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  return true;
}

} // namespace

terminal::terminal() : end_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
  int pair[2];
  if (end_fd_ < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
    SC_REPORT_ERROR("/tandem/terminal",
                    (std::string("no socket for the console: ") + std::strerror(errno)).c_str());
  own_fd_ = pair[0];
  guest_fd_ = pair[1];
  setsockopt(guest_fd_, SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
}

void terminal::restore()
{
  if (is_raw)
    tcsetattr(STDIN_FILENO, TCSANOW, &saved);
  is_raw = 0;
}

terminal::~terminal()
{
  finish();
  for (int fd : {guest_fd_, own_fd_, end_fd_})
    close(fd);
}

void terminal::start(const std::string &instance, std::function<void()> leave)
{
  leave_ = std::move(leave);
  if (isatty(STDIN_FILENO))
    std::fprintf(stderr, "this terminal is the console of %s; ctrl-] leaves\n", instance.c_str());
  raw_ = make_raw();
  thread_ = std::thread([this] { run(); });
}

void terminal::finish()
{
  if (!thread_.joinable())
    return;
  eventfd_write(end_fd_, 1);
  thread_.join();
  restore();
}

/// False at the end of the input.
bool terminal::take_input()
{
  char bytes[4096];
  const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
  if (got <= 0)
    return got < 0 && (errno == EINTR || errno == EAGAIN);
  const char *const all = bytes + got;
  const char *const end = raw_ ? std::find<const char *>(bytes, all, leave_key) : all;
  to_guest_.append(bytes, static_cast<std::size_t>(end - bytes));
  if (end == all)
    return true;
  leave_();
  return false;
}

/// False when there is nothing more at present.
bool terminal::take_output()
{
  char bytes[65536];
  const ssize_t got = recv(own_fd_, bytes, sizeof bytes, 0);
  if (got > 0)
    to_user_.append(bytes, static_cast<std::size_t>(got));
  return got > 0;
}

void terminal::give_input()
{
  const ssize_t sent = send(own_fd_, to_guest_.data(), to_guest_.size(), MSG_NOSIGNAL);
  if (sent > 0)
    to_guest_.erase(0, static_cast<std::size_t>(sent));
  else if (errno != EAGAIN && errno != EINTR)
    to_guest_.clear(); // nobody is there any more
}

void terminal::give_output()
{
  // As much as a pipe that is writable takes without making this thread wait.
  const ssize_t written =
      write(STDOUT_FILENO, to_user_.data(), std::min<std::size_t>(to_user_.size(), PIPE_BUF));
  if (written > 0)
    to_user_.erase(0, static_cast<std::size_t>(written));
  else if (errno != EAGAIN && errno != EINTR)
    to_user_.clear();
}

void terminal::run()
{
  bool input = true, ending = false;
  while (!ending || !to_user_.empty()) {
    pollfd fds[] = {
        {ending ? -1 : end_fd_, POLLIN, 0},
        {input && !ending && to_guest_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
        {own_fd_, static_cast<short>(to_guest_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
        {to_user_.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0},
    };
    const int ready = poll(fds, 4, ending ? last_output_ms : -1);
    if (ready == 0)
      return;
    if (ready < 0)
      continue; // a signal
    if (fds[1].revents)
      input = take_input();
    if (fds[2].revents & POLLOUT)
      give_input();
    if (fds[2].revents & (POLLIN | POLLHUP))
      take_output();
    if (fds[3].revents)
      give_output();
    if (fds[0].revents) {
      ending = true;
      while (take_output())
        ;
    }
  }
}

} // namespace tandem
