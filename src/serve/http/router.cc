#include "serve/http/router.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

bool matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {  // both begin with a slash
    const size_t pattern_end = std::min(pattern.find('/', 1), pattern.size());
    const size_t path_end = std::min(path.find('/', 1), path.size());
    const std::string_view wanted = pattern.substr(0, pattern_end), part = path.substr(0, path_end);
    const bool any = wanted.starts_with("/{") && wanted.ends_with('}');
    if (any ? part.size() < 2 : wanted != part) return false;
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
  return pattern.empty() && path.empty();
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (size_t i = 0; i < routes_.size(); ++i) {
    CHECK(routes_[i].path.starts_with('/'),
          "the path of a route begins with '/': ", routes_[i].path);
    for (size_t j = 0; j < i; ++j)
      CHECK(routes_[i].method != routes_[j].method || routes_[i].path != routes_[j].path,
            "two routes for ", routes_[i].method, " ", routes_[i].path);
  }
}

const Route& Router::find(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const Route* found = nullptr;
  for (const Route& route : routes_)  // a path written out goes before a pattern
    if (route.method == wanted && matches(route.path, path) && (!found || route.path == path))
      found = &route;
  if (found) return *found;
  const std::string others = methods(path);
  if (others.empty()) throw ApiError(404, "there is nothing at this address", {}, "not_found");
  throw ApiError(405, "this address does not take " + std::string(method) + ", but " + others, {},
                 "method_not_allowed");
}

std::string Router::methods(std::string_view path) const {
  std::string out;
  for (const Route& route : routes_) {
    if (!matches(route.path, path)) continue;
    if (!out.empty()) out += ", ";
    out += route.method;
    if (route.method == "GET") out += ", HEAD";
  }
  return out.empty() ? out : out + ", OPTIONS";
}

}  // namespace malssi
