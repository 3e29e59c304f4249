// What readers of chat records share: fields of a JSON object, checked, and the order of roles. Inside src/data only.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "text/message.h"

namespace malssi {

bool is_blank(std::string_view text);

// The object's keys, quoted, for an error; not all of them where they are many.
std::string keys_of(const simdjson::dom::object& record);

// The string under `key`. Error: it is missing, or no string.
std::string string_at(const simdjson::dom::object& record, std::string_view key,
                      std::string_view where);
// The same of a key that may be missing or null: then empty.
std::string optional_string(const simdjson::dom::object& record, std::string_view key,
                            std::string_view where);

// {"role": .., "content": ..}, or ShareGPT's {"from": .., "value": ..} with its names of the roles ("human", "gpt", ..).
Message read_message(const simdjson::dom::element& item, const std::string& where);

// Error unless: an optional system message, then user and assistant in turn, ending with the assistant; no user's message is
// blank. After the assistant's message a tool may answer, and after that the assistant speaks again.
void check_order(const std::vector<Message>& chat, const std::string& where);

}  // namespace malssi
