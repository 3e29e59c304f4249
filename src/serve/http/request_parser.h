// One request out of the bytes of a connection, however they were split: header (checked strictly, see header_check.h), then
// body, with a length or in chunks. Throws ApiError for what is refused; the connection cannot be used after that, since nobody
// knows where the next request would begin.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http/limits.h"

namespace malssi {

struct RequestHead {
  std::string method, target;
  std::map<std::string, std::string> headers =
      {};  // names in lower case; repeated ones joined by ", "
  bool is_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  bool has_body = false;

  // The value, or nothing.
  std::string_view header(const std::string& name) const;
};

class RequestParser {
 public:
  explicit RequestParser(const HttpLimits& limits);
  ~RequestParser();

  // Takes bytes from the front and says how many; what it leaves is to be given again with more after it, or, once is_done(),
  // belongs to the next request.
  int64_t feed(std::string_view bytes);
  bool has_head() const;
  bool is_done() const;
  const RequestHead& head() const;
  // So far.
  int64_t body_bytes() const;
  std::string take_body();

 private:
  struct Reader;
  int64_t feed_header(std::string_view bytes);
  void read_header();

  HttpLimits limits_;
  std::string header_;
  RequestHead head_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace malssi
