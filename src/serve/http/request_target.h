// The target of a request ("/v1/models?limit=2") taken apart. Only what names one path in one way is accepted: no dot
// segments, no encoded slashes, no control characters, well-formed UTF-8. Throws ApiError (400, or 404 for what looks for files).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace malssi {

struct RequestTarget {
  std::string path;  // decoded
  std::map<std::string, std::string> query = {};
};

RequestTarget parse_target(std::string_view target);

}  // namespace malssi
