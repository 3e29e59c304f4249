#include "data/chat_fields.h"

#include "base/error.h"

namespace malssi {

using simdjson::dom::element;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string keys_of(const simdjson::dom::object& record) {
  std::string names;
  for (const auto& [key, value] : record) {
    if (names.size() > 200) break;
    names += concat(names.empty() ? "" : ", ", "\"", key, "\"");
  }
  return names.empty() ? "nothing" : names;
}

std::string string_at(const simdjson::dom::object& record, std::string_view key,
                      std::string_view where) {
  element value;
  REQUIRE(!record.at_key(key).get(value), where, ": \"", key, "\" is missing");
  std::string_view text;
  REQUIRE(!value.get(text), where, ": \"", key, "\" is not a string");
  return std::string(text);
}

// A key that may be missing or null.
std::string optional_string(const simdjson::dom::object& record, std::string_view key,
                            std::string_view where) {
  element value;
  if (record.at_key(key).get(value) || value.is_null()) return "";
  return string_at(record, key, where);
}

namespace {

// ShareGPT's names, and those of its kin.
std::string common_role(std::string role) {
  if (role == "human") return "user";
  if (role == "gpt" || role == "function_call") return "assistant";
  if (role == "observation") return "tool";
  return role;
}

std::string_view expected_after(std::string_view before) {
  if (before == "user" || before == "tool") return "assistant";
  return "user";
}

}  // namespace

Message read_message(const element& item, const std::string& where) {
  simdjson::dom::object message;
  REQUIRE(!item.get(message), where, ": not an object, expected {\"role\": .., \"content\": ..}");
  element other;
  const bool from = !message.at_key("from").get(other);
  Message read;
  read.role = common_role(string_at(message, from ? "from" : "role", where));
  read.content = string_at(message, from ? "value" : "content", where);
  return read;
}

void check_order(const std::vector<Message>& chat, const std::string& where) {
  for (size_t i = 0; i < chat.size(); ++i) {
    const std::string& role = chat[i].role;
    const std::string at = concat(where, ": message ", i + 1);
    const bool known = role == "system" || role == "user" || role == "assistant" || role == "tool";
    REQUIRE(known, at, ": role \"", role, "\", expected system, user or assistant");
    REQUIRE(role != "system" || i == 0, at, ": the system message must come first");
    if (role == "system") continue;
    const std::string_view before = i == 0 ? "system" : std::string_view(chat[i - 1].role);
    const bool answers_call = role == "tool" && (before == "assistant" || before == "tool");
    REQUIRE(answers_call || role == expected_after(before), at, ": role \"", role, "\", expected ",
            expected_after(before), " (they speak in turn)");
    REQUIRE(role == "assistant" || !is_blank(chat[i].content), at, ": its content is empty");
  }
  REQUIRE(!chat.empty() && chat.back().role == "assistant", where,
          ": the last message is not the assistant's: there is no answer to learn");
}

}  // namespace malssi
