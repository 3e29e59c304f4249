// A function's parameters one by one, for formats that write each by itself, texts without quotes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/tools.h"

namespace malssi {

struct ToolParameter {
  std::string name;
  Json schema;  // with the definitions it may refer to
  bool is_text = false, is_required = false;
  std::vector<std::string> words = {};  // the texts that are allowed; empty: any
};

// In the schema's order. Nothing: the schema does not list them, so that there may be any.
std::optional<std::vector<ToolParameter>> tool_parameters(const Tool& tool);
// Whether the function called so is known to take a text there.
bool has_text_parameter(const std::vector<Tool>& functions, std::string_view function,
                        std::string_view parameter);

}  // namespace malssi
