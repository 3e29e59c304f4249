// An HTTP/1.1 client for asking other servers: one POST, whose answer comes in pieces. TLS where the URL says https, with the
// system's certificates and the server's name checked. Redirects are not followed: a key must not go elsewhere.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "serve/http/exchange.h"

namespace malssi {

struct Url {
  bool is_secure = false;
  std::string host, port;
  std::string path;  // begins with "/", or empty; never ends with it
};
// "http://..." or "https://...". Error: another scheme, no host, or a user's name in it.
Url parse_url(const std::string& text);

struct PostRequest {
  Url url;  // with the whole path and query
  HttpHeaders headers = {};
  std::string body = {};
  double quiet_seconds = 300;  // longest time without a byte
};
// Calls on_body with each piece of the answer's body, whatever its status; returns the status. cancelled is asked about every tenth
// of a second, and ends it: then 0. Error: the server cannot be reached or trusted, says nothing for too long, or more than 64 MiB.
int post(const PostRequest& request, const std::function<void(std::string_view)>& on_body,
         const std::function<bool()>& cancelled = {});

}  // namespace malssi
