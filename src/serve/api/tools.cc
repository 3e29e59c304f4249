#include "serve/api/tools.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr int64_t kMostTools = 128;
constexpr size_t kLongestName = 64;

bool is_function_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_-.") == name.npos;
}

// What a tool or a choice says of its function.
Fields function_of(const Fields& holder, ToolShape shape) {
  holder.need("type");
  holder.choice("type", {"function"});
  if (shape == ToolShape::flat) return holder;
  return Fields(holder.need("function"), holder.name("function"));
}

Tool read_tool(const Fields& tool, ToolShape shape) {
  const Fields function = function_of(tool, shape);
  Tool out{.name = function.need_text("name"),
           .parameters = Json::object(),
           .field = function.name("parameters")};
  if (!is_function_name(out.name))
    function.refuse("name", "1 to 64 letters, digits, underscores, dots and dashes");
  function.text("description");
  if (const Json* parameters = function.object("parameters")) out.parameters = *parameters;
  if (out.parameters.empty()) out.parameters = {{"type", "object"}, {"properties", Json::object()}};
  return out;
}

// As chat lists it, for templates.
Json listed(const Json& tool, ToolShape shape) {
  if (shape == ToolShape::nested) return tool;
  Json function = tool;
  function.erase("type");
  return {{"type", "function"}, {"function", std::move(function)}};
}

// A named choice leaves that tool alone.
void read_choice(const Fields& request, ToolShape shape, Tools& tools) {
  const Json* given = request.find("tool_choice");
  tools.choice = tools.allowed.empty() ? ToolChoice::none : ToolChoice::automatic;
  if (!given) return;
  if (given->is_string()) {
    const std::string word = *request.choice("tool_choice", {"none", "auto", "required"});
    if (word == "none") tools.choice = ToolChoice::none;
    if (word == "required") tools.choice = ToolChoice::required;
    if (word == "required" && tools.allowed.empty())
      throw ApiError(400, "tool_choice is \"required\", but there are no tools", "tool_choice");
    return;
  }
  const Fields function = function_of(Fields(*given, "tool_choice"), shape);
  const std::string name = function.need_text("name");
  std::erase_if(tools.allowed, [&](const Tool& tool) { return tool.name != name; });
  if (tools.allowed.empty()) function.refuse("name", "the name of one of the tools");
  tools.choice = ToolChoice::required;
}

}  // namespace

Tools read_tools(const Fields& request, ToolShape shape) {
  Tools tools;
  if (const Json* given = request.list("tools", kMostTools); given && !given->empty()) {
    tools.listed = Json::array();
    for (size_t i = 0; i < given->size(); ++i) {
      const Fields tool((*given)[i], concat("tools[", i, "]"));
      Tool read = read_tool(tool, shape);
      const auto same = [&](const Tool& other) { return other.name == read.name; };
      if (std::any_of(tools.allowed.begin(), tools.allowed.end(), same))
        throw ApiError(400, concat("two tools are called \"", read.name, "\""),
                       tool.name(shape == ToolShape::flat ? "name" : "function.name"),
                       "invalid_value");
      tools.allowed.push_back(std::move(read));
      tools.listed.push_back(listed((*given)[i], shape));
    }
  }
  read_choice(request, shape, tools);
  tools.is_parallel = request.boolean("parallel_tool_calls").value_or(true);
  if (tools.choice == ToolChoice::none) tools.listed = nullptr;
  return tools;
}

}  // namespace malssi
