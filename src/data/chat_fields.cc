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

void check_order(const std::vector<Message>& chat, const std::string& where) {
  for (size_t i = 0; i < chat.size(); ++i) {
    const std::string& role = chat[i].role;
    const std::string at = concat(where, ": message ", i + 1);
    const bool known = role == "system" || role == "user" || role == "assistant";
    REQUIRE(known, at, ": role \"", role, "\", expected system, user or assistant");
    REQUIRE(role != "system" || i == 0, at, ": the system message must come first");
    if (role == "system") continue;
    const bool opens = i == 0 || chat[i - 1].role == "system";
    const std::string_view expected =
        opens || chat[i - 1].role == "assistant" ? "user" : "assistant";
    REQUIRE(role == expected, at, ": role \"", role, "\", expected ", expected,
            " (they speak in turn)");
    REQUIRE(role == "assistant" || !is_blank(chat[i].content), at, ": its content is empty");
  }
  REQUIRE(!chat.empty() && chat.back().role == "assistant", where,
          ": the last message is not the assistant's: there is no answer to learn");
}

}  // namespace malssi
