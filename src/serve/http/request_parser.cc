#include "serve/http/request_parser.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/error.h"
#include "serve/api_error.h"
#include "serve/http/header_check.h"

namespace malssi {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

[[noreturn]] void refuse(const error_code& code, const HttpLimits& limits) {
  if (code == http::error::body_limit)
    throw ApiError(413, concat("the body is longer than ", limits.body_bytes, " bytes"));
  throw ApiError(400, "bad request: " + code.message());
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

}  // namespace

struct RequestParser::Reader {
  http::request_parser<http::string_body> parser;
  int64_t fields = 0;  // of the header: more at the end are trailers

  int64_t count_fields() const { return std::distance(parser.get().begin(), parser.get().end()); }
  // Extensions of chunks mean nothing to anyone but those who smuggle with them.
  std::function<void(std::uint64_t, boost::beast::string_view, error_code&)> on_chunk =
      [](std::uint64_t, boost::beast::string_view extensions, error_code& code) {
        if (!extensions.empty()) code = http::error::bad_chunk_extension;
      };
};

std::string_view RequestHead::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

RequestParser::RequestParser(const HttpLimits& limits) : limits_(limits) {}
RequestParser::~RequestParser() = default;

bool RequestParser::has_head() const { return reader_ != nullptr; }
bool RequestParser::is_done() const { return reader_ && reader_->parser.is_done(); }
const RequestHead& RequestParser::head() const { return head_; }
int64_t RequestParser::body_bytes() const {
  return reader_ ? static_cast<int64_t>(reader_->parser.get().body().size()) : 0;
}
std::string RequestParser::take_body() { return std::move(reader_->parser.get().body()); }

int64_t RequestParser::feed(std::string_view bytes) {
  if (!reader_) return feed_header(bytes);
  int64_t taken = 0;
  while (taken < static_cast<int64_t>(bytes.size()) && !reader_->parser.is_done()) {
    const std::string_view rest = bytes.substr(static_cast<size_t>(taken));
    error_code code;
    const auto used = reader_->parser.put(boost::asio::buffer(rest.data(), rest.size()), code);
    taken += static_cast<int64_t>(used);
    if (code == http::error::need_more) break;
    if (code) refuse(code, limits_);
    if (used == 0) break;
  }
  if (reader_->parser.is_done() && reader_->count_fields() != reader_->fields)
    throw ApiError(400, "bad request: trailers are not accepted");
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
  auto reader = std::make_unique<Reader>();
  auto& parser = reader->parser;
  parser.header_limit(static_cast<uint32_t>(header_.size()) + 1);
  parser.body_limit(static_cast<uint64_t>(limits_.body_bytes));
  parser.eager(true);
  parser.on_chunk_header(reader->on_chunk);
  error_code code;
  parser.put(boost::asio::buffer(header_), code);
  if (code && code != http::error::need_more) refuse(code, limits_);
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
  head_.keep_alive = parser.keep_alive();
  head_.expects_continue = !head_.header("expect").empty() && head_.is_1_1;
  head_.has_body = !parser.is_done();
  reader->fields = reader->count_fields();
  header_.clear();
  header_.shrink_to_fit();
  reader_ = std::move(reader);
}

}  // namespace malssi
