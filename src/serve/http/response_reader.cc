#include "serve/http/response_reader.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr size_t kLongestHeader = size_t{64} << 10;

}  // namespace

void ResponseReader::feed(std::string_view bytes) {
  while (state_ == State::header && !bytes.empty()) bytes.remove_prefix(feed_header(bytes));
  if (bytes.empty() || state_ == State::done) return;
  if (state_ == State::chunks) return feed_chunks(bytes);
  const auto size = static_cast<int64_t>(bytes.size());
  REQUIRE(state_ == State::body || size <= left_, "its answer is too long");
  const std::string_view part = bytes.substr(0, static_cast<size_t>(std::min(size, left_)));
  left_ -= static_cast<int64_t>(part.size());
  on_body_(part);
  if (state_ == State::body && left_ == 0) state_ = State::done;
}

void ResponseReader::end() {
  if (state_ == State::to_the_end) state_ = State::done;
  REQUIRE(is_done(), "it ended the connection ",
          state_ == State::header ? "without an answer" : "in the middle of its answer");
}

size_t ResponseReader::feed_header(std::string_view bytes) {
  const size_t before = header_.size();
  header_ += bytes;
  const size_t end = header_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  REQUIRE(std::min(end, header_.size()) <= kLongestHeader, "its answer's header is too long");
  // What speaks another language may never end a header.
  constexpr std::string_view kBegin = "HTTP/1.";
  const size_t known = std::min(kBegin.size(), header_.size());
  REQUIRE(header_.compare(0, known, kBegin.substr(0, known)) == 0,
          "it does not answer in HTTP/1.1; check the URL");
  if (end == std::string::npos) return bytes.size();
  header_.resize(end + 4);
  const size_t taken = header_.size() - before;
  read_header();
  header_.clear();
  return taken;
}

void ResponseReader::read_header() {
  namespace http = boost::beast::http;
  http::response_parser<http::empty_body> parser;
  parser.header_limit(static_cast<uint32_t>(header_.size()) + 1);
  parser.body_limit(boost::none);
  boost::beast::error_code code;
  parser.put(boost::asio::buffer(header_), code);
  REQUIRE((!code || code == http::error::need_more || code == http::error::unexpected_body) &&
              parser.is_header_done(),
          "its answer's header is damaged: ", code.message());
  const auto& message = parser.get();
  if (message.result_int() < 200) return;  // another one follows
  status_ = static_cast<int>(message.result_int());
  const auto length = parser.content_length();
  if (status_ == 204 || status_ == 304 || (length && *length == 0)) {
    state_ = State::done;
  } else if (parser.chunked()) {
    state_ = State::chunks;
  } else if (length) {
    REQUIRE(*length <= static_cast<uint64_t>(left_), "its answer is too long");
    left_ = static_cast<int64_t>(*length);
    state_ = State::body;
  } else {
    state_ = State::to_the_end;
  }
}

void ResponseReader::feed_chunks(std::string_view bytes) {
  std::string piece;
  try {
    chunks_.feed(bytes, piece, left_);
  } catch (const ApiError& error) {
    throw Error(error.status == 413 ? "its answer is too long" : "its answer's chunks are damaged");
  }
  left_ -= static_cast<int64_t>(piece.size());
  if (!piece.empty()) on_body_(piece);
  if (chunks_.is_done()) state_ = State::done;
}

}  // namespace malssi
