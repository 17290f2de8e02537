// SPDX-License-Identifier: Apache-2.0
#include "tandem/arrival.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace tandem
{

namespace
{

std::vector<const declared_order *> &declarations()
{
  static std::vector<const declared_order *> all;
  return all;
}

/// The promise that was given last; of no process when there is none. Losing one to another process
/// costs a wait and nothing else.
struct {
  const sc_core::sc_object *process = nullptr;
  sc_core::sc_time until;
} promise;

/// The process that runs; nullptr outside of all.
sc_core::sc_object *process_now()
{
  if (sc_core::sc_get_status() != sc_core::SC_RUNNING)
    return nullptr;
  return sc_core::sc_get_current_process_handle().get_process_object();
}

[[noreturn]] void refuse(const sc_core::sc_object &process, const sc_core::sc_time &time)
{
  const std::string cause = std::string("the method process ") + process.name() +
                            " asks for something at " + time.to_string() +
                            ", later than now; only a thread can wait for that";
  SC_REPORT_ERROR("/tandem/arrival", cause.c_str());
  std::abort(); // the report throws
}

void wait_until(const sc_core::sc_time &time)
{
  sc_core::sc_object *const process = process_now();
  if (!process || (promise.process == process && time <= promise.until))
    return;
  if (sc_core::sc_get_current_process_handle().proc_kind() == sc_core::SC_METHOD_PROC_)
    refuse(*process, time);
  sc_core::wait(time - sc_core::sc_time_stamp());
}

} // namespace

void arrive(sc_core::sc_time &delay)
{
  if (delay == sc_core::SC_ZERO_TIME)
    return;
  const sc_core::sc_time time = sc_core::sc_time_stamp() + delay;
  wait_until(time);
  delay = time - sc_core::sc_time_stamp();
}

void arrive_at(const sc_core::sc_time &time)
{
  if (time > sc_core::sc_time_stamp())
    wait_until(time);
}

declared_order::declared_order(sc_core::sc_export_base &socket, sc_core::sc_port_base *onward,
                               arrival_order order)
    : socket_(socket), onward_(onward), order_(order)
{
  declarations().push_back(this);
}

declared_order::~declared_order()
{
  auto &all = declarations();
  all.erase(std::find(all.begin(), all.end(), this));
}

arrival_order order_at(sc_core::sc_port_base &port)
{
  const sc_core::sc_interface *const target = port.get_interface();
  for (const declared_order *one : declarations())
    if (one->socket_.get_interface() == target)
      return one->onward_ ? order_at(*one->onward_) : one->order_;
  return arrival_order::of_time;
}

bool onward_order::is_any(sc_core::sc_port_base &port)
{
  if (!known_)
    order_ = order_at(port);
  known_ = true;
  return order_ == arrival_order::any;
}

void onward_order::let_earlier_go_first(sc_core::sc_port_base &port, sc_core::sc_time &delay)
{
  if (!is_any(port))
    arrive(delay);
}

first_of_all::first_of_all(const sc_core::sc_time &until)
{
  promise.process = process_now();
  promise.until = until;
}

first_of_all::~first_of_all()
{
  if (promise.process == process_now())
    promise.process = nullptr;
}

} // namespace tandem
