// A chunked body (RFC 9112, section 7.1), strictly: hexadecimal sizes, CRLF, no extensions, no trailers. Written here since
// Beast's parser, fed by parts, ends the program at some malformed ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace malssi {

class ChunkDecoder {
 public:
  // Appends what the bytes carry to body, up to its end; returns how many it took: all but those after the end. Throws ApiError
  // 400, or 413 beyond max_bytes of body.
  int64_t feed(std::string_view bytes, std::string& body, int64_t max_bytes);
  bool is_done() const { return state_ == State::done; }

 private:
  enum class State { size, size_end, data, data_return, data_end, last_return, last_end, done };
  void take(char c, int64_t body_bytes, int64_t max_bytes);
  void take_digit(char c, int64_t body_bytes, int64_t max_bytes);

  State state_ = State::size;
  int64_t left_ = 0;  // of the chunk
  int digits_ = 0;
};

}  // namespace malssi
