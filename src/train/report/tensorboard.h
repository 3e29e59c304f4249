// TensorBoard event files. A record is: u64 length, masked CRC-32C of it, the bytes of a
// protocol-buffer Event, masked CRC-32C of these (all little-endian); the first Event names the
// version "brain.Event:2". A file holds one start of a run; a resumed run opens another, whose
// START mark tells TensorBoard to forget the steps that are done again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace malssi {

// Castagnoli's CRC.
uint32_t crc32c(std::string_view bytes);
// As the records carry it: rotated and shifted, so that a CRC over data with CRCs stays strong.
uint32_t masked_crc32c(std::string_view bytes);

class EventWriter {
 public:
  // Creates events.out.tfevents.<time>.<host>.<process>.<number> in the folder. first_step: the
  // first step that this run will report.
  explicit EventWriter(const fs::path& folder, int64_t first_step = 0);

  // Tags with a slash ("train/loss") are grouped by what stands before it.
  void scalar(std::string_view tag, int64_t step, double value);
  // Shown as Markdown.
  void text(std::string_view tag, int64_t step, std::string_view value);

  const fs::path& path() const { return path_; }

 private:
  void record(std::string_view event);

  fs::path path_;
  AppendFile file_;
};

}  // namespace malssi
