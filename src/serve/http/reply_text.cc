#include "serve/http/reply_text.h"

#include <boost/beast/http/status.hpp>
#include <charconv>
#include <ctime>

namespace malssi {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  out += "\r\n";
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::gmtime_r(&now, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

bool has_header(const HttpReply& reply, std::string_view name) {
  for (const auto& [each, value] : reply.headers)
    if (each == name) return true;
  return false;
}

// What every reply says to browsers: nothing of it is to be guessed at, framed, kept or told on.
void append_defences(std::string& out, const HttpReply& reply) {
  append_header(out, "x-content-type-options", "nosniff");
  append_header(out, "referrer-policy", "no-referrer");
  append_header(out, "cross-origin-resource-policy", "same-origin");
  if (!has_header(reply, "content-security-policy"))
    append_header(out, "content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  if (!has_header(reply, "cache-control")) append_header(out, "cache-control", "no-store");
}

}  // namespace

std::string head_text(const HttpReply& reply, const HeadStyle& style) {
  const auto status = static_cast<unsigned>(reply.status);
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
  out += std::string_view(
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status)));
  out += "\r\n";
  append_header(out, "date", date_now());
  append_header(out, "server", "malssi");
  const bool no_body = reply.status == 204 || reply.status == 304;
  if (!no_body && !reply.content_type.empty())
    append_header(out, "content-type", reply.content_type);
  if (!no_body && style.framing == Framing::length)
    append_header(out, "content-length", std::to_string(reply.body.size()));
  if (style.framing == Framing::chunked) append_header(out, "transfer-encoding", "chunked");
  if (style.framing != Framing::length) append_header(out, "x-accel-buffering", "no");
  append_header(out, "connection", style.after == After::keep ? "keep-alive" : "close");
  if (!style.request_id.empty()) append_header(out, "x-request-id", style.request_id);
  append_defences(out, reply);
  for (const auto& [name, value] : reply.headers) append_header(out, name, value);
  if (style.extra)
    for (const auto& [name, value] : *style.extra) append_header(out, name, value);
  return out + "\r\n";
}

void append_chunk(std::string& out, std::string_view piece) {
  if (piece.empty()) return;  // would end the body
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), piece.size(), 16).ptr;
  out.append(digits, end);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

}  // namespace malssi
