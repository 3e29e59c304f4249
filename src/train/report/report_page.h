// What every report page shares: style, script, mark. Of use to report.cc alone.
#pragma once

#include <string>
#include <string_view>

namespace malssi {

// The page around a body; title and subtitle are plain text, navigation and body are HTML.
std::string report_page(std::string_view title, std::string_view subtitle,
                        std::string_view navigation, std::string_view body);

}  // namespace malssi
