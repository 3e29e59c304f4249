// Tools: the functions that a model may call, as OpenAI's API lists them.
#pragma once

#include <string>
#include <vector>

#include "serve/api/fields.h"

namespace malssi {

struct Tool {
  std::string name;
  Json parameters;         // a JSON schema
  std::string field = {};  // where that stands in the request: "tools[1].function.parameters"
};

enum class ToolChoice { none, automatic, required };

struct Tools {
  std::vector<Tool> allowed = {};  // those that may be called: one alone where the request names it
  Json listed = nullptr;           // all, as chat lists them; null: none
  ToolChoice choice = ToolChoice::none;
  bool is_parallel = true;  // several calls in one answer

  bool given() const { return choice != ToolChoice::none; }
};

// Where a function is described and chosen: in a member "function", as chat has it, or beside "type", as responses have it.
enum class ToolShape { nested, flat };

// "tools", "tool_choice" and "parallel_tool_calls". ApiError 400: what is wrong with them.
Tools read_tools(const Fields& request, ToolShape shape);

}  // namespace malssi
