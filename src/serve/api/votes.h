// POST /malssi/votes: which of two answers people liked better in the page's compare view, a line of JSON each. GET tells whether
// they are kept.
#pragma once

#include <memory>
#include <mutex>

#include "base/file.h"
#include "serve/http/exchange.h"

namespace malssi {

class Votes {
 public:
  // Empty: votes are not kept, and adding one is refused with 404.
  explicit Votes(fs::path file) : file_(std::move(file)) {}
  // {"a", "b": names of models; "vote": "a", "b", "tie" or "neither"; anything else of the page's} is appended, with the time.
  HttpReply add(const HttpRequest& request);
  // {"kept": true or false}.
  HttpReply state() const;

 private:
  fs::path file_;
  std::mutex mutex_;
};

}  // namespace malssi
