// What the server holds at the moment and has done so far. Shared by connections, handlers' exchanges and /metrics; whoever
// counts something up holds a token that counts it down again, so that nothing is ever lost or counted twice.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace malssi {

struct Load {
  std::atomic<int64_t> connections = 0, requests = 0, body_bytes = 0;      // now
  std::atomic<int64_t> accepted = 0, refused = 0, left = 0, given_up = 0;  // ever
  std::array<std::atomic<int64_t>, 6> replies = {};                        // [3]: with a status 3xx
  std::atomic<int64_t> bytes_in = 0, bytes_out = 0, unlogged = 0;
};

// Holds an amount of one of Load's figures, and gives it back.
class Hold {
 public:
  Hold() = default;
  Hold(std::shared_ptr<Load> load, std::atomic<int64_t> Load::*figure)
      : load_(std::move(load)), figure_(figure) {}
  Hold(Hold&& other) noexcept
      : load_(std::move(other.load_)), figure_(other.figure_), amount_(other.amount_) {
    other.amount_ = 0;
  }
  Hold& operator=(Hold&& other) noexcept {
    std::swap(load_, other.load_);
    std::swap(figure_, other.figure_);
    std::swap(amount_, other.amount_);
    return *this;
  }
  ~Hold() {
    if (load_) (*load_).*figure_ -= amount_;
  }

  // Whether the figure stays within the limit; then it is held.
  bool take(int64_t amount, int64_t limit) {
    if (((*load_).*figure_ += amount) > limit) {
      (*load_).*figure_ -= amount;
      return false;
    }
    amount_ += amount;
    return true;
  }

 private:
  std::shared_ptr<Load> load_;
  std::atomic<int64_t> Load::*figure_ = nullptr;
  int64_t amount_ = 0;
};

}  // namespace malssi
