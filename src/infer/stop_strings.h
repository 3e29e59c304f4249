// Finds stop strings in text that arrives in pieces. The answer ends before the stop string that is
// completed first (the longest one, when several end at the same byte), however the text was cut
// into pieces; text that may still become a stop string is held back until it is decided.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

class StopStrings {
 public:
  // Throws Error on an empty stop string.
  explicit StopStrings(std::vector<std::string> stops);
  // Takes more text; returns the text that certainly lies before any stop string.
  std::string push(std::string_view text);
  // The text has ended: returns what was held back.
  std::string finish();
  // The stop string that was found; nothing is returned after it. Empty when none was.
  const std::string& found() const { return found_; }
  bool stopped() const { return !found_.empty(); }

 private:
  std::vector<std::string> stops_;
  int64_t longest_ = 0;
  std::string held_;
  std::string found_;
};

}  // namespace malssi
