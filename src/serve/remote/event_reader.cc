#include "serve/remote/event_reader.h"

#include "base/error.h"

namespace malssi {

void EventReader::push(std::string_view bytes) {
  constexpr size_t kLongest = size_t{16} << 20;
  held_ += bytes;
  size_t begin = 0;
  for (size_t end = 0; (end = held_.find('\n', begin)) != held_.npos; begin = end + 1) {
    std::string_view text = std::string_view(held_).substr(begin, end - begin);
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(text);
  }
  held_.erase(0, begin);
  REQUIRE(held_.size() + data_.size() <= kLongest, "the server's event is longer than 16 MiB");
}

void EventReader::line(std::string_view text) {
  if (text.empty()) {
    if (has_data_) on_data_(data_);
    data_.clear();
    has_data_ = false;
  } else if (text.starts_with("data:")) {
    text.remove_prefix(text.starts_with("data: ") ? 6 : 5);
    if (has_data_) data_ += '\n';
    data_ += text;
    has_data_ = true;
  }
}

}  // namespace malssi
