// Replies as bytes on the wire (RFC 9112): the status line and headers, and the pieces of a chunked body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serve/http/exchange.h"

namespace malssi {

enum class Framing {
  length,     // Content-Length
  chunked,    // HTTP/1.1
  until_end,  // HTTP/1.0: the body ends with the connection
};
enum class After { keep, close };  // what becomes of the connection

struct HeadStyle {
  Framing framing = Framing::length;
  After after = After::keep;
  std::string_view request_id = {};
  const HttpHeaders* extra = nullptr;  // after the reply's own
};

// A control character in a header's value becomes a space, so that no value can begin another header.
std::string head_text(const HttpReply& reply, const HeadStyle& style);
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace malssi
