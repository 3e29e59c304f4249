// What stands in for the engine in the server's tests: one thread that gives every open stream a token at each tick.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/http/exchange.h"

namespace malssi {

class Ticker {
 public:
  explicit Ticker(double milliseconds = 5)
      : period_(static_cast<int64_t>(milliseconds * 1000)), thread_([this] { run(); }) {}
  ~Ticker() {
    ending_ = true;
    thread_.join();
  }

  // "?tokens=N" ends a stream after N; "?bytes=N" makes each token so long. Without, it goes on until its client leaves.
  Handler handler() {
    return [this](std::shared_ptr<Exchange> exchange) {
      const auto& query = exchange->request().query;
      const auto number = [&](const char* name, int64_t fallback) {
        const auto at = query.find(name);
        return at == query.end() ? fallback : std::stol(at->second);
      };
      Stream stream = {.left = number("tokens", -1), .bytes = number("bytes", 0)};
      exchange->begin({.content_type = "text/event-stream"});
      stream.exchange = std::move(exchange);
      ++open_;
      const std::lock_guard lock(mutex_);
      streams_.push_back(std::move(stream));
    };
  }

  int64_t open() const { return open_; }
  int64_t ticks() const { return ticks_; }
  void finish_all() { finishing_ = true; }
  static int64_t now() {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::microseconds(1);
  }

 private:
  struct Stream {
    std::shared_ptr<Exchange> exchange = {};
    int64_t left = -1, bytes = 0;
  };

  void run() {
    while (!ending_) {
      std::this_thread::sleep_for(
          std::chrono::microseconds(period_));  // whoever has a new stream gets the lock
      const std::lock_guard lock(mutex_);
      std::erase_if(streams_, [&](Stream& stream) { return !goes_on(stream); });
      ++ticks_;
    }
    const std::lock_guard lock(mutex_);
    streams_.clear();
  }

  // A token is the time it was made at, in microseconds.
  bool goes_on(Stream& stream) {
    Exchange& exchange = *stream.exchange;
    const bool last = stream.left == 0 || finishing_;
    if (!last && !exchange.gone()) {
      exchange.write("data: " + std::to_string(now()) +
                     std::string(static_cast<size_t>(stream.bytes), '.') + "\n\n");
      --stream.left;
      return true;
    }
    if (last) {
      exchange.write("data: [DONE]\n\n");
      exchange.end();
    }
    --open_;
    return false;
  }

  const int64_t period_;  // microseconds
  std::atomic<bool> ending_ = false, finishing_ = false;
  std::atomic<int64_t> open_ = 0, ticks_ = 0;
  std::mutex mutex_;
  std::vector<Stream> streams_;
  std::thread thread_;
};

}  // namespace malssi
