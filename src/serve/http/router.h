// Which route a request goes to. A pattern is a path whose parts in braces match one part each: "/v1/models/{name}".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/http/exchange.h"

namespace malssi {

class Router {
 public:
  // Throws InternalError for two routes of one method and pattern, and for a pattern without a slash in front.
  explicit Router(std::vector<Route> routes);

  // HEAD is answered by GET's route. Throws ApiError 404, or 405 where the path has other methods.
  const Route& find(std::string_view method, std::string_view path) const;
  // The methods of a path, as "GET, HEAD, OPTIONS"; empty where there is no such path.
  std::string methods(std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace malssi
