#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/error.h"

namespace malssi {

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view bytes, const fs::path& file, int64_t max_bytes) {
  constexpr int kGzipWrapper = 16 + MAX_WBITS;
  z_stream stream = {};
  CHECK(inflateInit2(&stream, kGzipWrapper) == Z_OK, "zlib does not start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closing(&stream, inflateEnd);
  std::string text, chunk(size_t{1} << 18, '\0');
  size_t given = 0;
  const auto next_input = [&] {  // zlib counts in 32 bits
    const size_t most = std::min<size_t>(bytes.size() - given, size_t{1} << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + given));
    stream.avail_in = static_cast<uInt>(most);
    given += most;
  };
  bool is_complete = false;
  while (stream.avail_in > 0 || given < bytes.size() || !is_complete) {
    if (stream.avail_in == 0) next_input();
    if (is_complete) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    REQUIRE(status == Z_OK || status == Z_STREAM_END, file.string(),
            ": the gzip archive is damaged or cut short (",
            stream.msg ? stream.msg : "it ends too early", "): copy it again");
    text.append(chunk, 0, chunk.size() - stream.avail_out);
    REQUIRE(static_cast<int64_t>(text.size()) <= max_bytes, file.string(),
            ": unpacks to more than ", max_bytes >> 20, " MiB: unpack and split it first");
    is_complete = status == Z_STREAM_END;
  }
  return text;
}

}  // namespace malssi
