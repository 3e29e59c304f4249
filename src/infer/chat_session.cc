#include "infer/chat_session.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "infer/generate.h"

namespace malssi {

ChatSession::ChatSession(const Tokenizer& tokenizer, const ChatTemplate& chat, int64_t capacity,
                         int64_t room)
    : tokenizer_(tokenizer),
      chat_(chat),
      capacity_(capacity),
      room_(std::clamp<int64_t>(room, 1, std::max<int64_t>(capacity / 4, 1))) {}

ChatSession::Prompt ChatSession::ask(std::string_view text) {
  check_utf8(text, "the message");
  turns_.push_back({.role = "user", .content = std::string(text)});
  const size_t first_before = first_;
  Prompt prompt{.ids = encoded()};
  const auto fits = [&](int64_t limit) { return static_cast<int64_t>(prompt.ids.size()) <= limit; };
  if (!fits(capacity_ - room_)) {
    while (first_ + 1 < turns_.size() && !fits(capacity_ / 2)) {
      first_ = std::min(first_ + 2, turns_.size() - 1);
      prompt.ids = encoded();
    }
  }
  if (!fits(capacity_ - 1)) {
    const size_t length = prompt.ids.size();
    turns_.pop_back();
    first_ = first_before;
    throw Error(concat("the message is ", length, " tokens with its frame, but prompt and answer ",
                       "must fit ", capacity_, " together: shorten it"));
  }
  prompt.forgotten = static_cast<int64_t>(first_ - first_before);
  return prompt;
}

void ChatSession::answer(std::string_view text) {
  CHECK(!turns_.empty() && turns_.back().role == "user", "an answer without a question");
  if (text.empty()) {
    turns_.pop_back();
    first_ = std::min(first_, turns_.size());
    return;
  }
  turns_.push_back({.role = "assistant", .content = std::string(text)});
}

bool ChatSession::undo() {
  if (turns_.empty()) return false;
  turns_.resize(turns_.size() - std::min<size_t>(2, turns_.size()));
  first_ = std::min(first_, turns_.size());
  return true;
}

void ChatSession::reset() {
  turns_.clear();
  first_ = 0;
}

std::vector<Message> ChatSession::messages() const {
  std::vector<Message> all;
  if (!system_.empty()) all.push_back({.role = "system", .content = system_});
  all.insert(all.end(), turns_.begin(), turns_.end());
  return all;
}

std::string ChatSession::to_json_line() const {
  Json list = Json::array();
  for (const Message& message : messages())
    list.push_back(Json{{"role", message.role}, {"content", message.content}});
  return dump_json(Json{{"messages", std::move(list)}}) + "\n";
}

std::vector<int32_t> ChatSession::encoded() const {
  std::vector<Message> some;
  if (!system_.empty()) some.push_back({.role = "system", .content = system_});
  some.insert(some.end(), turns_.begin() + static_cast<std::ptrdiff_t>(first_), turns_.end());
  return encode_chat(tokenizer_, chat_, some, true).ids;
}

}  // namespace malssi
