// SPDX-License-Identifier: Apache-2.0
// A VCD file of everything that the models of a platform show.
#pragma once

#include "tandem/marks.h"

#include <string>
#include <systemc>

namespace tandem
{

/// While it lives, a VCD is written. To be made after all modules and before
/// sc_start: calls sc_object::trace of every object in the hierarchy. The file is
/// complete when this object is destroyed, also after an error. Its date is blank,
/// so that the same run gives the same file.
class vcd_trace
{
public:
  /// path: with or without .vcd at its end. Reports SC_ERROR "/tandem/trace" when the
  /// file cannot be written.
  explicit vcd_trace(const std::string &path);
  ~vcd_trace();
  vcd_trace(const vcd_trace &) = delete;
  vcd_trace &operator=(const vcd_trace &) = delete;

  /// The file is to have the marks of this book, which has to live as long. They are put in when
  /// all is written, for their times may be later than that of SystemC when they are made: for each
  /// maker marks.NAME.number, .value and .count, for each region regions.NAME. Without marks the
  /// file has no such signals.
  void show(const mark_book &book) { book_ = &book; }

  /// For users who trace more than their models do.
  sc_core::sc_trace_file *file() const { return file_; }

private:
  std::string path_;
  sc_core::sc_trace_file *file_ = nullptr;
  const mark_book *book_ = nullptr;
};

} // namespace tandem
