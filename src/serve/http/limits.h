// What the server grants each client, and all of them together. Whoever goes beyond is refused with the status that says so.
#pragma once

#include <cstdint>

namespace malssi {

struct HttpLimits {
  int64_t header_bytes = 16 << 10;  // request line and headers: 431
  int64_t header_fields = 100;      // 431
  int64_t body_bytes = 8 << 20;     // 413
  int64_t body_memory = 512 << 20;  // bytes of all bodies held at a time: 503
  int64_t connections = 8192;       // 503
  int64_t requests = 1024;          // being answered at a time: 429
  int64_t stream_bytes = 1 << 20;   // of an answer in pieces, made but not yet read: given up
  double header_seconds = 20;       // from a request's first byte to its header's end: 408
  double body_seconds = 60;         // from there to its body's end: 408
  double idle_seconds = 75;         // between requests: closed
  double write_seconds = 30;        // in which a client reads nothing: given up
  double answer_seconds = 3600;     // a whole answer: given up
  double grace_seconds = 30;        // for answers under way when the server is told to stop
};

}  // namespace malssi
