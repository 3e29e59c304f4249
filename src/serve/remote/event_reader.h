// Server-sent events out of a body that arrives in pieces: the data of each.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace malssi {

class EventReader {
 public:
  // Calls on_data with each event's data. Error: an event of more than 16 MiB.
  explicit EventReader(std::function<void(std::string_view)> on_data)
      : on_data_(std::move(on_data)) {}
  void push(std::string_view bytes);

 private:
  void line(std::string_view text);

  std::function<void(std::string_view)> on_data_;
  std::string held_, data_;
  bool has_data_ = false;
};

}  // namespace malssi
