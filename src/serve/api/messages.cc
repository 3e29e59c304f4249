#include "serve/api/messages.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr int64_t kMostMessages = 20'000, kMostParts = 1000, kMostCalls = 128;

// OpenAI's form, its arguments as text.
Json read_calls(const Fields& message) {
  const Json* given = message.list("tool_calls", kMostCalls);
  if (!given || given->empty()) return nullptr;
  Json calls = Json::array();
  for (size_t i = 0; i < given->size(); ++i) {
    const Fields call((*given)[i], concat(message.name("tool_calls"), "[", i, "]"));
    const Fields function(call.need("function"), call.name("function"));
    Json out;
    out["id"] = call.text("id").value_or("");
    out["type"] = "function";
    out["function"]["name"] = function.need_text("name");
    out["function"]["arguments"] = function.text("arguments").value_or("{}");
    calls.push_back(std::move(out));
  }
  return calls;
}

Message read_message(const Fields& message) {
  Message out;
  message.need("role");
  out.role =
      *message.choice("role", {"system", "developer", "user", "assistant", "tool", "function"});
  if (out.role == "developer") out.role = "system";
  if (out.role == "function") out.role = "tool";
  const bool is_assistant = out.role == "assistant";
  if (is_assistant) {
    out.tool_calls = read_calls(message);
    out.reasoning = message.text("reasoning_content").value_or("");
  }
  if (!is_assistant) message.need("content");
  out.content = read_content(message, "content", {"text", "refusal"});
  out.name = message.text("name").value_or("");
  out.tool_call_id = message.text("tool_call_id").value_or("");
  return out;
}

}  // namespace

std::string read_content(const Fields& message, std::string_view key,
                         std::initializer_list<std::string_view> part_types) {
  const Json* content = message.find(key);
  if (!content || !content->is_array()) {
    if (content && !content->is_string()) message.refuse(key, "a string or a list of parts");
    return message.text(key).value_or("");
  }
  message.list(key, kMostParts);
  std::string text;
  for (size_t i = 0; i < content->size(); ++i) {
    const Fields part((*content)[i], concat(message.name(key), "[", i, "]"));
    const std::string type = part.need_text("type");
    if (std::find(part_types.begin(), part_types.end(), type) == part_types.end())
      part.refuse("type", concat("\"", *part_types.begin(), "\": the model reads text only"));
    text += part.need_text(type == "refusal" ? "refusal" : "text");
  }
  return text;
}

std::vector<Message> read_messages(const Fields& request, std::string_view key) {
  request.need(key);
  const Json& given = *request.list(key, kMostMessages);
  if (given.empty())
    throw ApiError(400, concat(request.name(key), " is empty, expected at least one message"),
                   request.name(key), "empty_list");
  std::vector<Message> messages;
  for (size_t i = 0; i < given.size(); ++i)
    messages.push_back(read_message(Fields(given[i], concat(request.name(key), "[", i, "]"))));
  return messages;
}

int64_t text_bytes(const std::vector<Message>& messages) {
  int64_t bytes = 0;
  for (const Message& message : messages)
    bytes += std::ssize(message.content) + std::ssize(message.reasoning);
  return bytes;
}

}  // namespace malssi
