// SPDX-License-Identifier: Apache-2.0
#include "fake_process.h"

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <map>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <tandem_wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

std::vector<fuzz::fake_process *> all;
std::map<const tandem::child_process *, fuzz::fake_process *> started;
std::thread::id systemc_thread;
std::atomic<std::uint64_t> host_ns{1000000000};

constexpr std::uint64_t glance_ns = 100;         // host time between two looks at the clock
constexpr std::uint64_t given_away_ns = 1000000; // by a yield after which nothing has happened

} // namespace

namespace fuzz
{

std::atomic<bool> fake_process::serving{false};

fake_process::fake_process(std::string name) : name_(std::move(name))
{
  all.push_back(this);
}

fake_process::~fake_process()
{
  stop();
}

fake_process &fake_process::find(const std::string &line)
{
  for (fake_process *process : all)
    if (line.find(process->name_) != std::string::npos)
      return *process;
  std::abort();
}

void fake_process::post()
{
  tandem_tell_cpu(&page->request_cpu);
  tandem_post(&page->request_seq, &page->request_sleeper);
}

bool fake_process::poll()
{
  if (dead || acting_ || tandem_seq(&page->request_seq) != tandem_seq(&page->reply_seq))
    return false;
  acting_ = true;
  turn();
  acting_ = false;
  return true;
}

void fake_process::start(int page_fd, int socket_fd)
{
  page = static_cast<tandem_wire_page *>(
      mmap(nullptr, TANDEM_WIRE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0));
  socket = dup(socket_fd);
  if (page == MAP_FAILED || socket < 0 || page->config.magic != TANDEM_WIRE_MAGIC)
    std::abort();
  dead = false;
  how = {};
  systemc_thread = std::this_thread::get_id();
  born();
}

void fake_process::stop()
{
  if (!page)
    return;
  munmap(page, TANDEM_WIRE_PAGE_BYTES);
  close(socket);
  page = nullptr;
  socket = -1;
  dead = true;
}

} // namespace fuzz

// ---- in the place of the bridge's own: the executable's functions come before a library's ----

namespace tandem
{

child_process::~child_process()
{
  kill();
}

void child_process::start(const std::vector<std::string> &arguments,
                          const std::vector<int> &inherit, int)
{
  std::string line;
  for (const std::string &argument : arguments)
    line += argument + ' ';
  fuzz::fake_process &process = fuzz::fake_process::find(line);
  started[this] = &process;
  process.start(inherit.at(0), inherit.at(1));
}

void child_process::kill()
{
  if (started.count(this))
    started[this]->stop();
  started.erase(this);
}

bool child_process::ended() const
{
  const auto found = started.find(this);
  if (found == started.end())
    return false;
  found->second->poll();
  return found->second->dead;
}

child_process::ending child_process::reap()
{
  return started.count(this) ? started[this]->how : ending{};
}

double child_process::cpu_seconds() const
{
  return 0;
}

} // namespace tandem

extern "C" int sched_yield() noexcept
{
  // At its end the sanitizer's search for leaks yields as well.
  if (!fuzz::fake_process::serving || std::this_thread::get_id() != systemc_thread)
    return 0;
  bool acted = false;
  for (fuzz::fake_process *process : all)
    acted |= process->poll();
  if (!acted)
    host_ns += given_away_ns;
  return 0;
}

extern "C" int clock_gettime(clockid_t clock, timespec *time) noexcept
{
  if (clock != CLOCK_MONOTONIC)
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  const std::uint64_t now = host_ns += glance_ns;
  time->tv_sec = static_cast<time_t>(now / 1000000000);
  time->tv_nsec = static_cast<long>(now % 1000000000);
  return 0;
}
