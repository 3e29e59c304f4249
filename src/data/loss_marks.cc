#include "data/loss_marks.h"

#include <algorithm>

#include "base/error.h"
#include "data/encode_chats.h"

namespace malssi {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Leaves the marks behind what the conversation without its last answer has in common with it.
void mark_last(std::vector<EncodedChat>& encoded,
               const std::vector<std::vector<Message>>& conversations, const LossMarks& marks) {
  std::vector<std::vector<Message>> before = conversations;
  for (std::vector<Message>& chat : before) chat.pop_back();
  const std::vector<EncodedChat> prompts = encode_chats(before, marks.tokenizer, marks.chat);
  for (size_t i = 0; i < encoded.size(); ++i) {
    const auto& ids = encoded[i].ids;
    const auto ends =
        std::mismatch(prompts[i].ids.begin(), prompts[i].ids.end(), ids.begin(), ids.end());
    std::fill_n(encoded[i].trained.begin(), ends.second - ids.begin(), false);
  }
}

}  // namespace

void mark_losses(std::vector<EncodedChat>& encoded,
                 const std::vector<std::vector<Message>>& conversations, const LossMarks& marks) {
  const std::string& on = marks.loss_on;
  REQUIRE(on == "answers" || on == "last" || on == "all", "loss_on is \"", on,
          "\", expected answers, last or all");
  if (on == "last") mark_last(encoded, conversations, marks);
  if (on != "all") return;
  for (EncodedChat& chat : encoded) std::fill(chat.trained.begin(), chat.trained.end(), true);
}

std::optional<int64_t> dropped_message(const ChatTemplate& chat,
                                       const std::vector<Message>& conversation) {
  const std::string text = chat.render_text(conversation, false);
  size_t at = 0;
  for (size_t i = 0; i < conversation.size(); ++i) {
    const std::string_view words = trimmed(conversation[i].content);
    const size_t found = text.find(words, at);
    if (found == text.npos) return static_cast<int64_t>(i);
    at = found + words.size();
  }
  return {};
}

}  // namespace malssi
