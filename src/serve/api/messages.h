// The messages of a chat request.
#pragma once

#include <string>
#include <vector>

#include "serve/api/fields.h"
#include "text/message.h"

namespace malssi {

// `key` is a list of {"role": system, developer, user, assistant or tool; "content": a text, or a list of parts of type text;
// "name"; of an assistant "reasoning_content" and "tool_calls"; of a tool "tool_call_id"}. ApiError 400: anything else, or an empty
// list.
std::vector<Message> read_messages(const Fields& request, std::string_view key);
// A message's text: the member, as a string, or joined from its parts, whose "type" is one of these words.
std::string read_content(const Fields& message, std::string_view key,
                         std::initializer_list<std::string_view> part_types);
// Bytes of all texts.
int64_t text_bytes(const std::vector<Message>& messages);

}  // namespace malssi
