// Many conversations turned into tokens, in parallel.
#pragma once

#include <vector>

#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

// Throws the first conversation's Error.
std::vector<EncodedChat> encode_chats(const std::vector<std::vector<Message>>& conversations,
                                      const Tokenizer& tokenizer, const ChatTemplate& chat);

}  // namespace malssi
