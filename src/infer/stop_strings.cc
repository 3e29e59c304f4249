#include "infer/stop_strings.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    REQUIRE(!stop.empty(), "a stop string is empty: it would stop every answer at once");
    longest_ = std::max(longest_, static_cast<int64_t>(stop.size()));
  }
}

std::string StopStrings::push(std::string_view text) {
  if (stopped()) return "";
  held_ += text;
  size_t first_end = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t begin = held_.find(stop);
    if (begin == std::string::npos) continue;
    const size_t end = begin + stop.size();
    if (end < first_end || (end == first_end && stop.size() > found_.size())) {
      first_end = end;
      found_ = stop;
    }
  }
  if (stopped()) {
    std::string before = held_.substr(0, first_end - found_.size());
    held_.clear();
    return before;
  }
  // Keep the longest end that is the beginning of a stop string.
  size_t keep = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
      if (std::string_view(held_).substr(held_.size() - n) != std::string_view(stop).substr(0, n))
        continue;
      keep = n;
      break;
    }
  }
  std::string sure = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return sure;
}

std::string StopStrings::finish() {
  std::string rest = std::move(held_);
  held_.clear();
  return rest;
}

}  // namespace malssi
