// The chat page's files as they stand in the program: bundled from src/serve/web by its npm build and compressed. None where
// the program was built without node, npm or a network (the build says so).
#pragma once

#include <span>
#include <string_view>

namespace malssi {

struct Asset {
  std::string_view path;          // on the server: "/" (the page itself), "/assets/app.js", ...
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view gzip;          // the file, gzip-compressed: content-encoding gzip
  std::string_view etag;          // of the content, in quotes
};

std::span<const Asset> page_assets();

}  // namespace malssi
