// SPDX-License-Identifier: Apache-2.0
// Any kind of interconnect between any number of initiators and targets, for
// tests of what its traffic meets.
#pragma once

#include "traffic.h"

#include <tandem/interconnect.h>

#include <list>
#include <memory>

namespace traffic
{

/// Initiators "i0", "i1", ... and targets "t0", "t1", ...: target n at n * span. Targets
/// take no time unless told, so that what is measured is the interconnect.
struct crossing {
  static constexpr std::uint64_t span = 0x10000;

  std::vector<std::unique_ptr<initiator>> from;
  std::unique_ptr<tandem::interconnect> model;
  std::vector<std::unique_ptr<recorder>> to;
  /// Here and not on the stacks of threads, which nobody unwinds where a simulation ends.
  std::list<tlm::tlm_generic_payload> under_way;

  static tandem::interconnect_config config(unsigned initiators, unsigned targets,
                                            tandem::parameter_values parameters)
  {
    tandem::interconnect_config made;
    for (unsigned i = 0; i < initiators; ++i)
      made.initiators.push_back("i" + std::to_string(i));
    for (unsigned t = 0; t < targets; ++t) {
      made.targets.push_back("t" + std::to_string(t));
      made.map.push_back({made.targets[t], t * span, span, made.targets[t], 0, {}});
    }
    made.parameters = std::move(parameters);
    return made;
  }
  crossing(const std::string &kind, unsigned initiators, unsigned targets,
           tandem::parameter_values parameters = {})
      : model(tandem::make_interconnect(kind, "model",
                                        config(initiators, targets, std::move(parameters))))
  {
    for (unsigned i = 0; i < initiators; ++i) {
      from.push_back(std::make_unique<initiator>(("i" + std::to_string(i)).c_str()));
      from[i]->socket.bind(model->from[i]);
    }
    for (unsigned t = 0; t < targets; ++t) {
      to.push_back(std::make_unique<recorder>(("t" + std::to_string(t)).c_str()));
      model->to[t].bind(to[t]->socket);
    }
  }
  /// One access in the calling thread; returns when it has ended, with what it took.
  sc_core::sc_time access(unsigned who, unsigned target, unsigned length,
                          tlm::tlm_command command = tlm::TLM_WRITE_COMMAND,
                          std::uint64_t offset = 0)
  {
    static std::vector<unsigned char> data(span);
    const sc_core::sc_time before = sc_core::sc_time_stamp();
    const auto place = under_way.emplace(under_way.end());
    tlm::tlm_generic_payload &payload = *place;
    initiator::prepare(payload, command, target * span + offset, data.data(), length);
    sc_core::sc_time delay; // not the initiator's: other threads may use it meanwhile
    from[who]->socket->b_transport(payload, delay);
    EXPECT_EQ(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
    under_way.erase(place);
    if (delay != sc_core::SC_ZERO_TIME)
      sc_core::wait(delay);
    return sc_core::sc_time_stamp() - before;
  }
  /// Issues accesses back to back in a thread of its own until `until`; counts those that
  /// have ended by then.
  void saturate(unsigned who, unsigned target, unsigned length, sc_core::sc_time until,
                std::uint64_t &count)
  {
    from[who]->run([this, who, target, length, until, &count] {
      for (;;) {
        access(who, target, length);
        if (sc_core::sc_time_stamp() > until)
          return;
        ++count;
      }
    });
  }
};

} // namespace traffic
