#include "serve/http/guard.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "https://example.org:8080" -> "example.org:8080"; empty where it is no origin.
std::string authority_of(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme) && origin.find('/', scheme.size()) == std::string_view::npos)
      return lower(origin.substr(scheme.size()));
  return "";
}

// A browser leaves the scheme's own port out of either header.
std::string without_usual_port(std::string authority) {
  for (const std::string_view port : {":80", ":443"})
    if (authority.ends_with(port)) authority.resize(authority.size() - port.size());
  return authority;
}

}  // namespace

std::string host_name(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return "";
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !is_port(rest.substr(1)))) return "";
    return lower(authority.substr(1, end - 1));
  }
  const size_t colon = std::min(authority.find(':'), authority.size());
  if (colon < authority.size() && !is_port(authority.substr(colon + 1))) return "";
  std::string name = lower(authority.substr(0, colon));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

bool is_numeric_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

Guard::Guard(GuardOptions options) : options_(std::move(options)) {
  for (std::string& host : options_.allowed_hosts) host = lower(host);
  for (std::string& origin : options_.allowed_origins) {
    origin = lower(origin);
    REQUIRE(origin == "*" || !host_name(authority_of(origin)).empty(), "allowed origin '", origin,
            "' is not of the form https://example.org or http://localhost:3000");
    REQUIRE(origin != "*" || has_keys(),
            "any page on the web could use this server: an allowed origin '*' needs API keys (give "
            "--api-key-file, or name the origins)");
  }
}

bool Guard::is_ours(std::string_view host) const {
  const std::string& bound = options_.bound_address;
  const bool any_address = bound == "0.0.0.0" || bound == "::";
  return host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" ||
         host == "::1" || host == bound || (any_address && is_numeric_address(std::string(host))) ||
         contains(options_.allowed_hosts, host) || contains(options_.allowed_hosts, "*");
}

void Guard::check_host(const RequestHead& head) const {
  const std::string_view authority = head.header("host");
  if (authority.empty() && !head.is_1_1) return;  // no browser: it would speak HTTP/1.1
  const std::string host = host_name(authority);
  if (host.empty()) throw ApiError(400, "bad request: Host is no name and port");
  if (!is_ours(host))
    throw ApiError(403,
                   concat("this server does not answer to the name '", message_line(host),
                          "'; start it with --allowed-host ", message_line(host)),
                   {}, "host_not_allowed");
}

HttpHeaders Guard::check_origin(const RequestHead& head) const {
  const std::string origin = lower(head.header("origin"));
  if (origin.empty()) {
    // A foreign page's <img> or <script>: it could not read the answer, and needs none.
    if (head.header("sec-fetch-site") == "cross-site" && head.header("sec-fetch-mode") == "no-cors")
      throw ApiError(403, "pages of other origins may not use this server", {},
                     "origin_not_allowed");
    return {};
  }
  const std::string authority = without_usual_port(authority_of(origin));
  if (!authority.empty() && authority == without_usual_port(lower(head.header("host")))) return {};
  if (!contains(options_.allowed_origins, origin) && !contains(options_.allowed_origins, "*"))
    throw ApiError(403,
                   concat("pages of the origin '", message_line(origin),
                          "' may not use this server; start it with --allowed-origin to let them"),
                   {}, "origin_not_allowed");
  return {{"access-control-allow-origin", std::string(head.header("origin"))},
          {"access-control-expose-headers", "x-request-id, retry-after"},
          {"vary", "origin"}};
}

std::string Guard::check_key(const RequestHead& head) const {
  if (!has_keys()) return "";
  constexpr std::string_view kBearer = "bearer ";
  std::string_view key = head.header("x-api-key");
  const std::string_view authorization = head.header("authorization");
  if (lower(authorization.substr(0, kBearer.size())) == kBearer)
    key = authorization.substr(kBearer.size());
  if (key.empty())
    throw ApiError(401, "this server asks for an API key: send 'Authorization: Bearer KEY'", {},
                   "missing_api_key");
  const std::string owner = options_.keys.owner_of(key);
  if (owner.empty()) throw ApiError(401, "the API key is not known here", {}, "invalid_api_key");
  return owner;
}

HttpHeaders Guard::preflight(const RequestHead& head, std::string_view methods) const {
  HttpHeaders headers = check_origin(head);
  headers.emplace_back("allow", methods);
  if (headers.size() == 1) return headers;
  headers.emplace_back("access-control-allow-methods", methods);
  const std::string_view asked = head.header("access-control-request-headers");
  const bool plain = std::all_of(asked.begin(), asked.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
  if (!asked.empty() && plain) headers.emplace_back("access-control-allow-headers", asked);
  headers.emplace_back("access-control-max-age", "600");
  return headers;
}

}  // namespace malssi
