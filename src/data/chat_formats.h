// The forms that a conversation's record may have. Inside src/data only.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "text/message.h"

namespace malssi {

// Names of the columns that hold question and answer; empty: they are found by what they are usually called.
struct ChatColumns {
  std::string prompt = {}, answer = {};
};

inline constexpr std::string_view kChatForms =
    "expected {\"messages\": [..]}, {\"conversations\": [..]}, {\"instruction\": .., \"output\": .."
    "} or a question and an answer (--prompt-column, --answer-column name them)";

// Throws Error naming `where`: it has none of these forms, something is missing or no string, or the roles are out of order.
std::vector<Message> read_conversation(const simdjson::dom::object& record,
                                       const ChatColumns& columns, const std::string& where);

}  // namespace malssi
