#include "serve/http/request_target.h"

#include <algorithm>

#include "serve/api_error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr int kMaxQueryFields = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      throw ApiError(400, "the address has a '%' without two hexadecimal digits after it");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_valid_utf8(out)) throw ApiError(400, "the address is not UTF-8");
  return out;
}

std::string decoded_path(std::string_view raw) {
  std::string path;
  while (!raw.empty()) {  // raw begins with a slash
    const size_t end = std::min(raw.find('/', 1), raw.size());
    const std::string segment = percent_decoded(raw.substr(1, end - 1));
    if (std::any_of(segment.begin(), segment.end(), is_control))
      throw ApiError(400, "the address has a control character");
    if (segment == "." || segment == ".." || segment.find_first_of("/\\") != std::string::npos)
      throw ApiError(404, "there is nothing at this address", {}, "not_found");
    path += '/' + segment;
    raw.remove_prefix(end);
  }
  return path;
}

std::string form_decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

std::map<std::string, std::string> parse_query(std::string_view raw) {
  std::map<std::string, std::string> query;
  for (int count = 0; !raw.empty(); ++count) {
    if (count == kMaxQueryFields) throw ApiError(400, "the address has more than 64 parameters");
    const size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view field = raw.substr(0, end);
    const size_t equals = std::min(field.find('='), field.size());
    if (!field.empty())
      query[form_decoded(field.substr(0, equals))] =
          equals < field.size() ? form_decoded(field.substr(equals + 1)) : "";
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
  return query;
}

}  // namespace

RequestTarget parse_target(std::string_view target) {
  if (!target.starts_with('/'))
    throw ApiError(400, "the address of a request must begin with '/': this is no proxy");
  if (target.find('#') != std::string_view::npos)
    throw ApiError(400, "the address of a request must not have a '#'");
  const size_t question = std::min(target.find('?'), target.size());
  RequestTarget parsed = {.path = decoded_path(target.substr(0, question))};
  if (question < target.size()) parsed.query = parse_query(target.substr(question + 1));
  return parsed;
}

}  // namespace malssi
