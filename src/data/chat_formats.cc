#include "data/chat_formats.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "data/chat_fields.h"

namespace malssi {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;
using Chat = std::vector<Message>;

struct Pair {
  std::string_view prompt, answer;
};
constexpr std::array<Pair, 5> kUsualPairs = {Pair{"prompt", "completion"},
                                             {"prompt", "response"},
                                             {"question", "answer"},
                                             {"query", "response"},
                                             {"Q", "A"}};

bool has(const object& record, std::string_view key) {
  element found;
  return !record.at_key(key).get(found);
}

Message message_of(std::string role, std::string content) {
  Message message;
  message.role = std::move(role);
  message.content = std::move(content);
  return message;
}

// A system prompt beside the turns.
void add_system(const object& record, const std::string& where, Chat& chat) {
  const std::string system = optional_string(record, "system", where);
  if (!is_blank(system)) chat.push_back(message_of("system", system));
}

Chat read_turns(const object& record, std::string_view key, const std::string& where) {
  element list;
  simdjson::dom::array turns;
  const bool is_list = !record.at_key(key).get(list) && !list.get(turns);
  REQUIRE(is_list, where, ": \"", key, "\" is not a list");
  Chat chat;
  add_system(record, where, chat);
  int64_t number = 0;
  for (const element turn : turns)
    chat.push_back(read_message(turn, concat(where, ": message ", ++number)));
  return chat;
}

Chat read_alpaca(const object& record, const std::string& where) {
  Chat chat;
  add_system(record, where, chat);
  std::string question = string_at(record, "instruction", where);
  const std::string input = optional_string(record, "input", where);
  if (!is_blank(input)) question += "\n\n" + input;
  chat.push_back(message_of("user", std::move(question)));
  chat.push_back(message_of("assistant", string_at(record, "output", where)));
  return chat;
}

std::optional<Pair> pair_of(const object& record, const ChatColumns& columns,
                            const std::string& where) {
  REQUIRE(columns.prompt.empty() == columns.answer.empty(), where,
          ": name both columns, --prompt-column and --answer-column, or none");
  if (!columns.prompt.empty()) return Pair{columns.prompt, columns.answer};
  for (const Pair& pair : kUsualPairs)
    if (has(record, pair.prompt) && has(record, pair.answer)) return pair;
  return {};
}

Chat read_pair(const object& record, const Pair& pair, const std::string& where) {
  for (const std::string_view key : {pair.prompt, pair.answer})
    REQUIRE(has(record, key), where, ": \"", key, "\" is missing, found ", keys_of(record));
  Chat chat;
  add_system(record, where, chat);
  chat.push_back(message_of("user", string_at(record, pair.prompt, where)));
  chat.push_back(message_of("assistant", string_at(record, pair.answer, where)));
  return chat;
}

}  // namespace

Chat read_conversation(const object& record, const ChatColumns& columns, const std::string& where) {
  const std::optional<Pair> pair = pair_of(record, columns, where);
  Chat chat;
  if (pair && !columns.prompt.empty())
    chat = read_pair(record, *pair, where);
  else if (has(record, "messages"))
    chat = read_turns(record, "messages", where);
  else if (has(record, "conversations"))
    chat = read_turns(record, "conversations", where);
  else if (has(record, "instruction"))
    chat = read_alpaca(record, where);
  else if (pair)
    chat = read_pair(record, *pair, where);
  else
    REQUIRE(false, where, ": found ", keys_of(record), ", ", kChatForms);
  check_order(chat, where);
  return chat;
}

}  // namespace malssi
