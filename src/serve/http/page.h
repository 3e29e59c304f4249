// The chat page's files as routes: compressed for whoever takes that, kept by browsers until they change, and held to a
// Content-Security-Policy that lets in nothing from elsewhere and no script or style written into the page.
#pragma once

#include <span>
#include <vector>

#include "serve/http/exchange.h"
#include "serve/web/assets.h"

namespace malssi {

// The assets must live as long as the routes.
std::vector<Route> page_routes(std::span<const Asset> assets);

}  // namespace malssi
