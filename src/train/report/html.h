// The pieces of a web page: text made safe, tags made short.
#pragma once

#include <string>
#include <string_view>

namespace malssi {

// Text for between tags and inside quoted attributes: & < > " ' escaped, broken UTF-8 and control
// characters (but tab and newline) shown as U+FFFD, marks that turn the direction of writing taken
// out.
std::string escape_html(std::string_view text);

// A JSON text that may stand inside a <script> element.
std::string json_for_script(std::string json);

// "en", or "ko" when most of the text's letters are Hangul: what a page's lang attributes say.
std::string_view language_of(std::string_view text);

}  // namespace malssi
