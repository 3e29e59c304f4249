#include "serve/http/header_check.h"

#include <algorithm>
#include <map>
#include <string>

#include "serve/api_error.h"

namespace malssi {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw ApiError(400, "bad request: " + what); }

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "GET /path HTTP/1.1" -> whether the version is 1.1.
bool check_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || line.find(' ', second + 1) != std::string_view::npos)
    refuse("the request line is not METHOD ADDRESS VERSION");
  if (!is_token(line.substr(0, first))) refuse("the method is not a word");
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const bool printable =
      std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (target.empty() || !printable) refuse("the address is empty or has bytes outside ASCII");
  const std::string_view version = line.substr(second + 1);
  if (version == "HTTP/1.1") return true;
  if (version == "HTTP/1.0") return false;
  const bool other = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.';
  if (!other) refuse("the version is not HTTP/1.1");
  throw ApiError(505, "this server speaks HTTP/1.1 and HTTP/1.0");
}

void check_content_length(std::string_view value) {
  const bool digits =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (value.empty() || value.size() > 18 || !digits) refuse("Content-Length is not a number");
}

// Fields that must not come twice, since a reader might take either.
bool is_single(const std::string& name) {
  constexpr std::string_view kSingle[] = {"host",         "content-length", "transfer-encoding",
                                          "content-type", "authorization",  "x-api-key",
                                          "origin",       "expect",         "content-encoding"};
  return std::find(std::begin(kSingle), std::end(kSingle), name) != std::end(kSingle);
}

struct Fields {
  std::map<std::string, std::string> single;
  int64_t count = 0;
};

void take_field(Fields& fields, std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') refuse("a header goes on in a second line");
  const size_t colon = std::min(line.find(':'), line.size());
  if (colon == line.size() || !is_token(line.substr(0, colon))) refuse("a header has no good name");
  const std::string name = lower(line.substr(0, colon));
  if (name == "trailer") refuse("trailers are not accepted");
  if (is_single(name) && !fields.single.emplace(name, trimmed(line.substr(colon + 1))).second)
    refuse(name + " is given twice");
  ++fields.count;
}

void check_framing(const Fields& fields, bool is_1_1) {
  const auto find = [&](const char* name) {
    const auto at = fields.single.find(name);
    return at == fields.single.end() ? nullptr : &at->second;
  };
  const std::string *length = find("content-length"), *coding = find("transfer-encoding");
  if (length) check_content_length(*length);
  if (length && coding) refuse("both Content-Length and Transfer-Encoding");
  if (coding && !is_1_1) refuse("Transfer-Encoding in HTTP/1.0");
  if (coding && lower(*coding) != "chunked")
    throw ApiError(501, "the only transfer coding that is accepted is chunked");
  if (is_1_1 && (!find("host") || find("host")->empty())) refuse("no Host");
  if (const std::string* encoding = find("content-encoding"); encoding && *encoding != "identity")
    throw ApiError(415, "compressed requests are not accepted");
  if (const std::string* expect = find("expect"); expect && lower(*expect) != "100-continue")
    throw ApiError(417, "the only expectation that can be met is 100-continue");
}

}  // namespace

void check_header(std::string_view header, int64_t max_fields) {
  if (!may_begin_header(header, 0)) refuse("a control character, or a line end that is not CRLF");
  Fields fields;
  bool is_1_1 = false;
  for (bool first = true; !header.starts_with("\r\n"); first = false) {
    const size_t end = header.find("\r\n");
    if (end == std::string_view::npos) refuse("the header does not end");
    const std::string_view line = header.substr(0, end);
    if (first)
      is_1_1 = check_request_line(line);
    else
      take_field(fields, line);
    if (fields.count > max_fields)
      throw ApiError(431, "the request has more than " + std::to_string(max_fields) + " headers");
    header.remove_prefix(end + 2);
  }
  check_framing(fields, is_1_1);
}

bool may_begin_header(std::string_view bytes, char previous) {
  for (const char c : bytes) {
    if ((c == '\n') != (previous == '\r')) return false;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\r' && c != '\n' && c != '\t') || byte == 0x7f) return false;
    previous = c;
  }
  return true;
}

}  // namespace malssi
