// What calls of tools may be: grammars that hold a model to a format and to the functions' schemas.
#pragma once

#include "serve/api/tool_format.h"
#include "serve/api/tools.h"
#include "text/grammar/grammar.h"

namespace malssi {

// Calls alone, without the marker where is_after_marker. ApiError 400 names the tool whose schema cannot be held to.
Grammar calls_grammar(const Tools& tools, ToolFormat format, bool is_after_marker);
// Calls, or a text without any; where other is given, what it allows in the text's place.
Grammar text_or_calls_grammar(const Tools& tools, ToolFormat format, const Grammar* other);

}  // namespace malssi
