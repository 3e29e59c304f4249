// The two ends of one answer. A handler, on any thread, holds an Exchange and fills it; the connection, on its own thread, takes
// what is there and sends it. Neither waits for the other: what a slow client leaves unread is kept up to a limit.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serve/http/exchange.h"
#include "serve/http/load.h"

namespace malssi {

class Answer {
 public:
  enum class State {
    open,    // nothing, or not everything, was said
    ended,   // all was said
    broken,  // begun and never ended, or given up: the connection must be cut
  };
  struct Taken {
    std::optional<HttpReply> head = {};
    std::string bytes = {};  // of a body in pieces
    bool in_pieces = false;  // what the head began
    State state = State::open;
  };
  struct Options {
    int64_t max_unread = 1 << 20;
    std::function<void()> wake =
        {};                        // called, from any thread, when there may be something to take
    Hold request = {}, body = {};  // given back when nobody can write any more
  };

  Answer(HttpRequest request, Options options);

  // The handler's end, which every copy of the pointer shares. When the last is gone without an answer, the client is told 500.
  static std::shared_ptr<Exchange> exchange(const std::shared_ptr<Answer>& answer);

  // The connection's end.
  const HttpRequest& request() const { return request_; }
  Taken take();
  void leave();   // the client left: gone() is true from now on
  void detach();  // wake is not called any more
  bool was_given_up() const { return given_up_; }

 private:
  class Handle;
  void reply(HttpReply reply);
  void begin(HttpReply head);
  void write(std::string piece);
  void end();
  void abandon();
  void wake();

  const HttpRequest request_;
  const int64_t max_unread_;
  Hold held_request_, held_body_;
  std::atomic<bool> gone_ = false, given_up_ = false;

  std::mutex mutex_;  // of all below
  std::function<void()> wake_;
  bool woken_ = false;
  bool begun_ = false, in_pieces_ = false;
  State state_ = State::open;
  std::optional<HttpReply> head_;
  std::string bytes_;
};

}  // namespace malssi
