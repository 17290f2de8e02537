// SPDX-License-Identifier: Apache-2.0
#include "tandem/transfer.h"

#include <sstream>

namespace tandem
{

void transfer(tlm::tlm_fw_transport_if<> &target, tlm::tlm_command command, sc_dt::uint64 address,
              void *bytes, unsigned count)
{
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(static_cast<unsigned char *>(bytes));
  payload.set_data_length(count);
  payload.set_streaming_width(count);
  sc_core::sc_time delay;
  target.b_transport(payload, delay);
  sc_core::wait(delay);
  if (!payload.is_response_error())
    return;
  std::ostringstream cause;
  cause << (command == tlm::TLM_READ_COMMAND ? "a read" : "a write") << " of " << count
        << " bytes at 0x" << std::hex << address
        << " was refused: " << payload.get_response_string();
  SC_REPORT_ERROR("/tandem/transport", cause.str().c_str());
}

} // namespace tandem
