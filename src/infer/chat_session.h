// A conversation: what was said, what of it still fits the model's context, and how it reads as
// tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

class ChatSession {
 public:
  // Both must outlive this. capacity: tokens that prompt and answer may have together; an answer
  // gets at least `room` of them before old turns are kept.
  ChatSession(const Tokenizer& tokenizer, const ChatTemplate& chat, int64_t capacity, int64_t room);

  // The system message that leads every prompt; empty: none. What was said stays.
  void set_system(std::string text) { system_ = std::move(text); }
  const std::string& system() const { return system_; }

  struct Prompt {
    std::vector<int32_t> ids;
    int64_t forgotten = 0;  // messages that had to be left out for the first time
  };
  // Adds the user's message and returns the prompt for its answer. When the context is full, old
  // exchanges are left out of this and later prompts, down to half of it, so that the next turns do
  // not have to be read afresh. Error, and the message is not added: it is not UTF-8, or does not
  // fit even alone.
  Prompt ask(std::string_view text);
  // The answer to the last question. An empty one withdraws the question.
  void answer(std::string_view text);
  // Withdraws the last exchange; false when there is none.
  bool undo();
  // Starts over; the system message stays.
  void reset();

  // Everything said, the system message first, forgotten turns included.
  std::vector<Message> messages() const;
  bool empty() const { return turns_.empty(); }
  // One line {"messages": [...]}, as `malssi tune sft` reads it.
  std::string to_json_line() const;

 private:
  std::vector<int32_t> encoded() const;

  const Tokenizer& tokenizer_;
  const ChatTemplate& chat_;
  int64_t capacity_;
  int64_t room_;
  std::string system_;
  std::vector<Message> turns_;
  size_t first_ = 0;  // turns_ before this one are forgotten
};

}  // namespace malssi
