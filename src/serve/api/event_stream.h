// Server-sent events over an exchange, as OpenAI's streams have them: "data: {...}", at last "data: [DONE]".
#pragma once

#include <memory>
#include <string_view>

#include "base/json.h"
#include "serve/http/exchange.h"

namespace malssi {

class EventStream {
 public:
  explicit EventStream(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  // Before anything else, once.
  void begin();
  void data(const Json& json);
  // With an event's name before it.
  void event(std::string_view name, const Json& json);
  void done();  // data: [DONE]
  void end();
  // An error as data, and the stream's end; as a plain reply where it has not begun.
  void fail(const std::exception& error);

 private:
  std::shared_ptr<Exchange> exchange_;
  bool has_begun_ = false;
};

}  // namespace malssi
