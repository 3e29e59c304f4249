#include "serve/api/event_stream.h"

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {

void EventStream::begin() {
  has_begun_ = true;
  // The last one keeps nginx from holding events back.
  exchange_->begin({.content_type = "text/event-stream",
                    .headers = {{"cache-control", "no-cache"}, {"x-accel-buffering", "no"}}});
}

void EventStream::data(const Json& json) {
  exchange_->write(concat("data: ", dump_json(json), "\n\n"));
}

void EventStream::event(std::string_view name, const Json& json) {
  exchange_->write(concat("event: ", name, "\ndata: ", dump_json(json), "\n\n"));
}

void EventStream::done() { exchange_->write("data: [DONE]\n\n"); }

void EventStream::end() { exchange_->end(); }

void EventStream::fail(const std::exception& error) {
  HttpReply reply = error_reply(error);
  if (!has_begun_) return exchange_->reply(std::move(reply));
  exchange_->write(concat("data: ", reply.body, "\n\n"));
  done();
  end();
}

}  // namespace malssi
