// SPDX-License-Identifier: Apache-2.0
#include "tandem/interrupt_inputs.h"

#include "tandem/time_domain.h"

namespace tandem
{

struct interrupt_inputs::line : interrupt_if {
  line(interrupt_inputs &owner, unsigned index) : owner_(owner), bit_(1ull << index) {}

  void set_level(bool now) override
  {
    if (now == high)
      return;
    high = now;
    if (now) {
      owner_.level_ |= bit_;
      if (!(owner_.rise_ & bit_))
        rose = sc_core::sc_time_stamp();
      owner_.rise_ |= bit_;
    } else {
      owner_.level_ &= ~bit_;
    }
    owner_.changed_();
  }

  bool high = false;
  sc_core::sc_time rose; ///< the first rise since the last sample

private:
  interrupt_inputs &owner_;
  std::uint64_t bit_;
};

interrupt_inputs::interrupt_inputs(unsigned count, std::function<void()> changed)
    : changed_(std::move(changed))
{
  for (unsigned i = 0; i < count; ++i) {
    lines_.push_back(std::make_unique<line>(*this, i));
    exports_.push_back(
        std::make_unique<sc_core::sc_export<interrupt_if>>(("irq_" + std::to_string(i)).c_str()));
    exports_.back()->bind(*lines_.back());
  }
}

interrupt_inputs::~interrupt_inputs() = default;

std::uint64_t interrupt_inputs::take_rises(const sc_core::sc_time &guest_time)
{
  const std::uint64_t rise = rise_;
  for (std::uint64_t rest = rise; rest; rest &= rest - 1) {
    const line &l = *lines_[static_cast<unsigned>(__builtin_ctzll(rest))];
    ++delivered_;
    if (guest_time > l.rose)
      latest_ns_.add(to_ns(guest_time - l.rose));
  }
  rise_ = 0;
  return rise;
}

void interrupt_inputs::trace(sc_core::sc_trace_file *file, const std::string &prefix) const
{
  for (unsigned i = 0; i < lines_.size(); ++i)
    sc_core::sc_trace(file, lines_[i]->high, prefix + ".irq_" + std::to_string(i));
}

} // namespace tandem
