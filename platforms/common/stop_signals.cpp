// SPDX-License-Identifier: Apache-2.0
#include "stop_signals.h"

#include "terminal.h"

#include <atomic>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace tandem
{
namespace
{

constexpr int caught[] = {SIGINT, SIGTERM, SIGHUP};
constexpr int interrupted_status = 130;
/// Nobody asks twice as fast: timeout(1) signals its child and then the group, the child included.
constexpr std::int64_t same_wish_ms = 100;

std::atomic<stop_signals *> present{nullptr};
std::atomic<time_domain *> to_save{nullptr};

void on_save_signal(int)
{
  if (time_domain *const domain = to_save)
    domain->request_save();
}

} // namespace

/// Only what a handler of signals may do.
void stop_signals::on_signal(int)
{
  stop_signals *const here = present;
  if (!here)
    return;
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
  if (here->asked_ms_ == 0) {
    here->asked_ms_ = now_ms;
    return here->domain_.request_stop("interrupted");
  }
  if (now_ms - here->asked_ms_ < same_wish_ms)
    return;
  terminal::restore();
  for (const std::string &file : here->sockets_)
    if (struct stat about; lstat(file.c_str(), &about) == 0 && S_ISSOCK(about.st_mode))
      unlink(file.c_str());
  _exit(interrupted_status);
}

stop_signals::stop_signals(time_domain &domain, std::vector<std::string> sockets)
    : domain_(domain), sockets_(std::move(sockets))
{
  present = this;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 3; ++i)
    sigaction(caught[i], &action, &before_[i]);
}

stop_signals::~stop_signals()
{
  for (int i = 0; i < 3; ++i)
    sigaction(caught[i], &before_[i], nullptr);
  present = nullptr;
}

save_signal::save_signal(time_domain &domain)
{
  to_save = &domain;
  struct sigaction action = {};
  action.sa_handler = on_save_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, &before_);
}

save_signal::~save_signal()
{
  sigaction(SIGUSR1, &before_, nullptr);
  to_save = nullptr;
}

} // namespace tandem
