// SPDX-License-Identifier: Apache-2.0
#include "display.h"

#include <cstdio>
#include <unistd.h>

namespace tandem
{

display::display(class platform &platform, const platform_options &options)
    : platform_(platform), consoles_(options.show_consoles), progress_(options.progress),
      terminal_(isatty(STDERR_FILENO)),
      at_hand_(options.interactive ? platform.instances().front().get() : nullptr),
      start_(clock::now()), last_(start_)
{
  for (const auto &instance : platform.instances())
    width_ = std::max(width_, std::string(instance->basename()).size());
}

void display::erase()
{
  if (drawn_)
    std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

bool display::shows_console(const qemu_instance &instance) const
{
  return consoles_ && &instance != at_hand_;
}

void display::show(const std::string &prefix, console_log &log, bool all)
{
  log.follow(
      [&](const std::string &line) {
        // QEMU's remark on a sleeping guest without timers, which is what such guests do here.
        if (line.find("icount sleep disabled and no active timers") != std::string::npos)
          return;
        erase();
        std::fflush(stderr);
        std::printf("%s %s\n", prefix.c_str(), line.c_str());
      },
      all);
}

void display::tick()
{
  for (const auto &instance : platform_.instances()) {
    std::string name = instance->basename();
    const std::string prefix = "[" + name + "]" + std::string(width_ - name.size(), ' ');
    if (shows_console(*instance))
      show(prefix, instance->console(), false);
    show("[" + name + " qemu]", instance->messages(), false);
  }
  std::fflush(stdout);
  const auto period = std::chrono::milliseconds(terminal_ ? 200 : 5000);
  if (!progress_ || clock::now() - last_ < period)
    return;
  last_ = clock::now();
  erase();
  std::fputs(progress().c_str(), stderr);
  if (terminal_)
    drawn_ = true;
  else
    std::fputc('\n', stderr);
  std::fflush(stderr);
}

void display::finish()
{
  tick();
  for (const auto &instance : platform_.instances()) {
    if (shows_console(*instance))
      show("[" + std::string(instance->basename()) + "]", instance->console(), true);
    show("[" + std::string(instance->basename()) + " qemu]", instance->messages(), true);
  }
  erase();
  std::fflush(stdout);
}

std::string display::progress() const
{
  const double simulated = static_cast<double>(platform_.domain().latest_ns()) * 1e-9;
  const double host = std::chrono::duration<double>(clock::now() - start_).count();
  char head[96];
  std::snprintf(head, sizeof head, "simulated %.6f s, %.2f of real time", simulated,
                host > 0 ? simulated / host : 0);
  std::string text = head;
  for (const auto &instance : platform_.instances())
    text += std::string(", ") + instance->basename() + " " + instance->state_text();
  return text;
}

} // namespace tandem
