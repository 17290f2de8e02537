// SPDX-License-Identifier: Apache-2.0
// A part that looks at the RAM of an instance as another initiator. With a word to answer, it waits
// until there is something at its address, by transactions, and writes the inverse behind it. With
// a text to find, it looks for it in all of the memory when the simulation has ended.
#include <tandem/part.h>
#include <tandem/sockets.h>
#include <tandem/statistics.h>

#include <algorithm>
#include <cstring>

struct ram_reader : sc_core::sc_module, tandem::statistics_provider {
  tandem::initiator_socket memory{"memory"};

  static tandem::part_info describe()
  {
    return {"looks at memory",
            {{"address", "0", "of a word, or of the memory in which to look"},
             {"size", "0", "bytes of the memory; 0: a word is to be answered"},
             {"text", "", "to look for"}},
            {},
            {"memory"},
            {}};
  }

  ram_reader(sc_core::sc_module_name, const tandem::parameters &p)
      : address_(p.number("address")), size_(p.size("size")), text_(p.text("text"))
  {
    SC_HAS_PROCESS(ram_reader);
    if (size_ == 0)
      SC_THREAD(answer);
  }

  nlohmann::ordered_json statistics() const override
  {
    return {{"word", word_}, {"after", after_}, {"found", found_}, {"found_directly", direct_}};
  }

private:
  void answer()
  {
    while (word_ == 0) {
      wait(sc_core::sc_time(1, sc_core::SC_US));
      access(tlm::TLM_READ_COMMAND, address_, word_);
    }
    std::uint32_t inverse = ~word_;
    access(tlm::TLM_WRITE_COMMAND, address_ + 4, inverse);
  }

  tlm::tlm_generic_payload &prepare(tlm::tlm_command command, std::uint64_t address, void *data,
                                    std::uint64_t size)
  {
    payload_.set_command(command);
    payload_.set_address(address);
    payload_.set_data_ptr(static_cast<unsigned char *>(data));
    payload_.set_data_length(static_cast<unsigned>(size));
    payload_.set_streaming_width(static_cast<unsigned>(size));
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    return payload_;
  }

  void access(tlm::tlm_command command, std::uint64_t address, std::uint32_t &word)
  {
    sc_core::sc_time delay;
    memory->b_transport(prepare(command, address, &word, 4), delay);
    wait(delay);
    if (payload_.is_response_error())
      SC_REPORT_ERROR("/test/ram_reader", payload_.get_response_string().c_str());
  }

  void end_of_simulation() override
  {
    if (size_ == 0) {
      memory->transport_dbg(prepare(tlm::TLM_READ_COMMAND, address_ + 8, &after_, 4));
      return;
    }
    // Pieces overlap, so that a text at the end of one is in the next.
    std::vector<char> bytes(piece + text_.size() - 1);
    for (std::uint64_t done = 0; done < size_; done += piece) {
      const std::uint64_t length = std::min<std::uint64_t>(bytes.size(), size_ - done);
      if (memory->transport_dbg(
              prepare(tlm::TLM_READ_COMMAND, address_ + done, bytes.data(), length)) == 0)
        SC_REPORT_ERROR("/test/ram_reader", "the memory cannot be read by debug transport");
      found_ += count(bytes.data(), length);
    }
    tlm::tlm_dmi dmi;
    if (memory->get_direct_mem_ptr(prepare(tlm::TLM_READ_COMMAND, address_, nullptr, 0), dmi) &&
        dmi.get_end_address() - address_ >= size_ - 1)
      direct_ = count(reinterpret_cast<const char *>(dmi.get_dmi_ptr()) +
                          (address_ - dmi.get_start_address()),
                      size_);
  }

  unsigned count(const char *at, std::uint64_t size) const
  {
    unsigned found = 0;
    const char *const end = at + size;
    while ((at = std::search(at, end, text_.begin(), text_.end())) != end)
      ++found, ++at;
    return found;
  }

  static constexpr std::uint64_t piece = 1 << 20;
  const std::uint64_t address_, size_;
  const std::string text_;
  tlm::tlm_generic_payload payload_;
  std::uint32_t word_ = 0, after_ = 0;
  unsigned found_ = 0, direct_ = 0;
};

TANDEM_REGISTER_PART("ram_reader", ram_reader)
