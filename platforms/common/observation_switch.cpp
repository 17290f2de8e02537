// SPDX-License-Identifier: Apache-2.0
#include "observation_switch.h"

#include <algorithm>

namespace tandem
{

namespace
{

bool same(const std::vector<qemu_range> &a, const std::vector<qemu_range> &b)
{
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const qemu_range &x, const qemu_range &y) {
                      return x.address == y.address && x.size == y.size;
                    });
}

} // namespace

observation_switch::observation_switch(class platform &platform, const system_plan &plan,
                                       const platform_options &options)
    : platform_(platform), plan_(plan), first_(options.observations),
      changes_(options.observation_changes)
{
  if (changes_.empty())
    return;
  for (const planned_instance &one : plan_.instances)
    now_.push_back(one.config.observed);
  for (std::size_t i = 0; i < changes_.size(); ++i)
    if (changes_[i].when.what == moment::kind::time)
      platform_.domain().call_at(changes_[i].when.at, [this, i] { change({i}); });
  platform_.on_mark([this](const guest_mark &mark) { hear(mark); });
}

/// Whether something comes with it that changes may wait for. A region begins with the first begin,
/// and ends with the end that matches it.
bool observation_switch::is_next(const guest_mark &mark, moment::kind &what)
{
  switch (mark.what) {
  case guest_mark::kind::mark:
    what = moment::kind::mark;
    return true;
  case guest_mark::kind::begin:
    what = moment::kind::region;
    return begun_.insert(mark.number).second;
  default:
    what = moment::kind::region_end;
    return !platform_.marks().has_begun(mark.number) && begun_.erase(mark.number);
  }
}

void observation_switch::hear(const guest_mark &mark)
{
  moment::kind what;
  std::vector<std::size_t> which;
  if (!is_next(mark, what))
    return;
  for (std::size_t i = 0; i < changes_.size(); ++i)
    if (changes_[i].when.what == what && changes_[i].when.number == mark.number)
      which.push_back(i);
  if (!which.empty())
    change(which);
}

void observation_switch::change(const std::vector<std::size_t> &which)
{
  for (const std::size_t i : which) {
    changed_.erase(std::remove(changed_.begin(), changed_.end(), i), changed_.end());
    changed_.push_back(i);
  }
  std::vector<observation> all = first_;
  for (const std::size_t i : changed_)
    all.push_back(changes_[i].what);
  for (std::size_t i = 0; i < now_.size(); ++i) {
    const observed_ranges next = ranges_of(plan_.instances[i], plan_.shared, all, true);
    if (same(next.cached, now_[i].cached) && same(next.every, now_[i].every))
      continue;
    now_[i] = next;
    platform_.instances()[i]->observe(next);
  }
}

} // namespace tandem
