// An item of a response's output: a message of one text, or the call of a function.
#pragma once

#include <string>

#include "base/json.h"

namespace malssi {

struct OutputItem {
  enum class Kind { message, call };
  Kind kind = Kind::message;
  std::string id;
  std::string text = {};             // a message's, or the JSON of a call's arguments
  std::string name = {}, call = {};  // the function's name, and what its output will refer to

  static OutputItem message();
  static OutputItem function_call(std::string name);
};

// {"type": "output_text", ...} of a message.
Json text_part_json(const std::string& text);
// status: "in_progress", and then without its text, "completed" or "incomplete".
Json item_json(const OutputItem& item, std::string_view status);

}  // namespace malssi
