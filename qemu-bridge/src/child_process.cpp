// SPDX-License-Identifier: Apache-2.0
#include "tandem/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tandem
{
namespace
{

/// In the child, between fork and exec: only async-signal-safe calls. Reports errno
/// through the pipe when it fails.
[[noreturn]] void run_child(char *const *arguments, char *const *environment,
                            const std::vector<int> &inherit, int error_fd, int report_fd,
                            pid_t parent)
{
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127); // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(error_fd, STDOUT_FILENO);
  dup2(error_fd, STDERR_FILENO);
  for (int fd : inherit)
    fcntl(fd, F_SETFD, 0);
  execvpe(arguments[0], arguments, environment);
  int error = errno;
  ssize_t ignored = write(report_fd, &error, sizeof error);
  (void)ignored;
  _exit(127);
}

std::vector<char *> pointers_to(const std::vector<std::string> &texts)
{
  std::vector<char *> pointers;
  for (const std::string &text : texts)
    pointers.push_back(const_cast<char *>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Ours, and a heap of huge pages where the user has not said otherwise: a sixth of what QEMU takes
/// to start are the first touches of pages of its heap, of what it takes to load a kernel more.
std::vector<std::string> environment_of_child()
{
  std::vector<std::string> all;
  for (char **variable = environ; *variable; ++variable)
    all.push_back(*variable);
  if (!std::getenv("GLIBC_TUNABLES"))
    all.push_back("GLIBC_TUNABLES=glibc.malloc.hugetlb=1");
  return all;
}

} // namespace

child_process::~child_process()
{
  kill();
}

void child_process::start(const std::vector<std::string> &arguments,
                          const std::vector<int> &inherit, int error_fd)
{
  const std::vector<std::string> environment = environment_of_child();
  const std::vector<char *> words = pointers_to(arguments), variables = pointers_to(environment);
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot start " + arguments[0]);
  pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0)
    run_child(words.data(), variables.data(), inherit, error_fd, report[1], parent);
  int error = errno;
  close(report[1]);
  if (pid_ > 0) {
    error = 0;
    ssize_t got = read(report[0], &error, sizeof error);
    if (got == 0)
      error = 0;
  }
  close(report[0]);
  if (error) {
    if (pid_ > 0)
      waitpid(pid_, nullptr, 0);
    pid_ = -1;
    throw std::system_error(error, std::generic_category(), "cannot start " + arguments[0]);
  }
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) {
    error = errno;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    throw std::system_error(error, std::generic_category(), "cannot watch " + arguments[0]);
  }
}

void child_process::kill()
{
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
      ;
  }
  pid_ = -1;
  if (pidfd_ >= 0)
    close(pidfd_);
  pidfd_ = -1;
}

bool child_process::ended() const
{
  if (pidfd_ < 0)
    return false;
  pollfd p = {pidfd_, POLLIN, 0};
  return poll(&p, 1, 0) > 0;
}

child_process::ending child_process::reap()
{
  int status = 0;
  while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR)
    ;
  pid_ = -1;
  if (WIFSIGNALED(status))
    return {true, WTERMSIG(status)};
  return {false, WEXITSTATUS(status)};
}

std::string child_process::ending::text() const
{
  if (by_signal)
    return "was killed by signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  return "exited with status " + std::to_string(number);
}

double child_process::cpu_seconds() const
{
  if (pid_ <= 0)
    return 0;
  // Fields 14 and 15 of /proc/PID/stat, counted after the parenthesised name.
  std::FILE *file = std::fopen(("/proc/" + std::to_string(pid_) + "/stat").c_str(), "r");
  if (!file)
    return 0;
  char text[1024] = {};
  size_t length = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[length] = 0;
  const char *after_name = std::strrchr(text, ')');
  unsigned long user = 0, system = 0;
  if (!after_name ||
      std::sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                  &system) != 2)
    return 0;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

} // namespace tandem
