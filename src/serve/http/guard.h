// Who may ask: the Host a request names (against DNS rebinding), the Origin of the page it comes from (against foreign pages
// that use a visitor's browser), and the key. All are pure functions of the request's header.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/http/api_keys.h"
#include "serve/http/exchange.h"
#include "serve/http/request_parser.h"

namespace malssi {

struct GuardOptions {
  std::string bound_address = "127.0.0.1";        // with 0.0.0.0 or ::, every numeric Host is ours
  std::vector<std::string> allowed_hosts = {};    // names besides localhost's; "*" for any
  std::vector<std::string> allowed_origins = {};  // "https://example.org"; "*" for any
  ApiKeys keys = {};
};

class Guard {
 public:
  // Throws Error for an origin that is none, and for "*" as origin without keys.
  explicit Guard(GuardOptions options);

  // Throws ApiError 400 or 403.
  void check_host(const RequestHead& head) const;
  // Throws ApiError 403 for pages of others; the headers by which a page that is allowed may read the answer.
  HttpHeaders check_origin(const RequestHead& head) const;
  // The owner of the key that the request shows, empty where the server has none. Throws ApiError 401.
  std::string check_key(const RequestHead& head) const;
  // What a browser asks before it sends a request from another origin: the headers of the answer.
  HttpHeaders preflight(const RequestHead& head, std::string_view methods) const;

  bool has_keys() const { return !options_.keys.empty(); }

 private:
  bool is_ours(std::string_view host) const;
  GuardOptions options_;
};

// "Example.org:8080" -> "example.org", "[::1]:80" -> "::1"; empty where it is neither.
std::string host_name(std::string_view authority);
bool is_numeric_address(const std::string& host);

}  // namespace malssi
