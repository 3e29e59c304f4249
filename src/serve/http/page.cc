#include "serve/http/page.h"

#include <zlib.h>

#include "base/error.h"

namespace malssi {
namespace {

constexpr const char* kPolicy =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    // No text becomes markup or code: the page makes its elements one by one.
    "require-trusted-types-for 'script'; trusted-types 'none'";

std::string inflated(std::string_view gzip) {
  constexpr int kGzip = 16 + MAX_WBITS;
  z_stream stream = {};
  CHECK(::inflateInit2(&stream, kGzip) == Z_OK, "zlib does not start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  char piece[16384];
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof(piece);
    code = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof(piece) - stream.avail_out);
  }
  ::inflateEnd(&stream);
  CHECK(code == Z_STREAM_END, "the page's files are damaged");
  return out;
}

std::string_view header(const HttpRequest& request, const char* name) {
  const auto at = request.headers.find(name);
  return at == request.headers.end() ? std::string_view() : std::string_view(at->second);
}

HttpReply reply_with(const Asset& asset, const HttpRequest& request) {
  HttpReply reply = {.content_type = std::string(asset.content_type),
                     .headers = {{"etag", std::string(asset.etag)},
                                 {"cache-control", "no-cache"},  // ask, but keep it
                                 {"vary", "accept-encoding"},
                                 {"cross-origin-opener-policy", "same-origin"},
                                 {"content-security-policy", kPolicy}}};
  if (header(request, "if-none-match").find(asset.etag) != std::string_view::npos) {
    reply.status = 304;
  } else if (header(request, "accept-encoding").find("gzip") != std::string_view::npos) {
    reply.headers.emplace_back("content-encoding", "gzip");
    reply.body = std::string(asset.gzip);
  } else {
    reply.body = inflated(asset.gzip);
  }
  return reply;
}

}  // namespace

std::vector<Route> page_routes(std::span<const Asset> assets) {
  std::vector<Route> routes;
  for (const Asset& asset : assets)
    routes.push_back({.method = "GET",
                      .path = std::string(asset.path),
                      .handler =
                          [&asset](const std::shared_ptr<Exchange>& exchange) {
                            exchange->reply(reply_with(asset, exchange->request()));
                          },
                      .access = Access::open});
  return routes;
}

}  // namespace malssi
