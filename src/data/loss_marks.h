// Which tokens of a conversation are learned, and what a chat template leaves out of it. Inside src/data and for previews.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

struct LossMarks {
  const Tokenizer& tokenizer;
  const ChatTemplate& chat;
  std::string loss_on;  // see ChatSetOptions
};

// Changes encoded[i].trained, which marks every answer, to what loss_on says. Throws Error for an unknown one.
void mark_losses(std::vector<EncodedChat>& encoded,
                 const std::vector<std::vector<Message>>& conversations, const LossMarks& marks);

// The first message, from 0, whose words are not in what the template makes of the conversation: nothing where all are there.
std::optional<int64_t> dropped_message(const ChatTemplate& chat,
                                       const std::vector<Message>& conversation);

}  // namespace malssi
