// How much a test of many clients does: MALSSI_LONG=1 runs the figures of a server's day; without it they are a tenth.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace malssi {

inline int64_t scaled(int64_t full) { return std::getenv("MALSSI_LONG") ? full : full / 10; }

}  // namespace malssi
