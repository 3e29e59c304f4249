// Files compressed by gzip (RFC 1952).
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"

namespace malssi {

bool is_gzip(std::string_view bytes);

// What was compressed, members after one another. Throws Error naming the file: it is damaged or cut short, or larger than
// max_bytes once unpacked.
std::string gunzip(std::string_view bytes, const fs::path& file,
                   int64_t max_bytes = int64_t{4} << 30);

}  // namespace malssi
