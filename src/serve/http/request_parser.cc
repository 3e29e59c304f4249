#include "serve/http/request_parser.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

#include "base/error.h"
#include "serve/api_error.h"
#include "serve/http/header_check.h"

namespace malssi {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

}  // namespace

std::string_view RequestHead::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

int64_t RequestParser::feed(std::string_view bytes) {
  int64_t taken = 0;
  while (taken < static_cast<int64_t>(bytes.size()) && !is_done()) {
    const std::string_view rest = bytes.substr(static_cast<size_t>(taken));
    taken += state_ == State::header ? feed_header(rest)
             : state_ == State::body ? feed_body(rest)
                                     : feed_chunks(rest);
  }
  return taken;
}

int64_t RequestParser::feed_header(std::string_view bytes) {
  const size_t before = header_.size();
  const char previous = header_.empty() ? '\0' : header_.back();
  header_.append(bytes.substr(0, static_cast<size_t>(limits_.header_bytes) + 1 - before));
  const size_t end = header_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  const bool ended = end != std::string::npos;
  if (ended) header_.resize(end + 4);
  if (header_.front() == '\r' ||
      !may_begin_header(std::string_view(header_).substr(before), previous))
    throw ApiError(400, "bad request: a control character, or a line end that is not CRLF");
  if (static_cast<int64_t>(header_.size()) > limits_.header_bytes)
    throw ApiError(431, concat("the header is longer than ", limits_.header_bytes, " bytes"));
  if (!ended) return static_cast<int64_t>(bytes.size());
  const auto taken = static_cast<int64_t>(header_.size() - before);
  check_header(header_, limits_.header_fields);
  read_header();
  return taken;
}

void RequestParser::read_header() {
  namespace http = boost::beast::http;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<uint32_t>(header_.size()) + 1);
  parser.body_limit(boost::none);  // begin_body() looks at it
  boost::beast::error_code code;
  parser.put(boost::asio::buffer(header_), code);
  if (code && code != http::error::need_more) throw ApiError(400, "bad request: " + code.message());
  if (!parser.is_header_done()) throw ApiError(400, "bad request: the header does not end");
  const auto& message = parser.get();
  head_.method = std::string(message.method_string());
  head_.target = std::string(message.target());
  for (const auto& field : message) {
    std::string& value = head_.headers[lower(field.name_string())];
    if (!value.empty()) value += ", ";
    value += std::string_view(field.value());
  }
  head_.is_1_1 = message.version() == 11;
  head_.keep_alive = message.keep_alive();
  std::string().swap(header_);
  begin_body();
}

void RequestParser::begin_body() {
  const std::string_view length = head_.header("content-length");
  std::from_chars(length.data(), length.data() + length.size(), left_);
  const bool is_chunked = !head_.header("transfer-encoding").empty();
  state_ = is_chunked ? State::chunks : left_ > 0 ? State::body : State::done;
  head_.has_body = state_ != State::done;
  head_.expects_continue = head_.has_body && head_.is_1_1 && !head_.header("expect").empty();
  if (left_ > limits_.body_bytes)
    throw ApiError(413, concat("the body is longer than ", limits_.body_bytes, " bytes"));
}

int64_t RequestParser::feed_body(std::string_view bytes) {
  const std::string_view part = bytes.substr(0, static_cast<size_t>(left_));
  body_ += part;
  left_ -= static_cast<int64_t>(part.size());
  if (left_ == 0) state_ = State::done;
  return static_cast<int64_t>(part.size());
}

int64_t RequestParser::feed_chunks(std::string_view bytes) {
  const int64_t taken = chunks_.feed(bytes, body_, limits_.body_bytes);
  if (chunks_.is_done()) state_ = State::done;
  return taken;
}

}  // namespace malssi
