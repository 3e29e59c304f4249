// Tools: the functions that a model may call, as OpenAI's API lists them.
#pragma once

#include <string>
#include <vector>

#include "serve/api/fields.h"

namespace malssi {

struct Tool {
  std::string name;
  Json parameters;   // a JSON schema
  size_t index = 0;  // in the request's list
};

enum class ToolChoice { none, automatic, required };

struct Tools {
  std::vector<Tool> allowed = {};  // those that may be called: one alone where the request names it
  Json listed = nullptr;           // all, as given; null: none
  ToolChoice choice = ToolChoice::none;
  bool is_parallel = true;  // several calls in one answer

  bool given() const { return choice != ToolChoice::none; }
};

// "tools", "tool_choice" and "parallel_tool_calls". ApiError 400: what is wrong with them.
Tools read_tools(const Fields& request);

}  // namespace malssi
