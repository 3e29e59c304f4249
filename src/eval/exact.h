// Exact-match evaluation: questions through the chat template, answered greedily, many at once, compared with the one
// right answer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

struct AnswerOptions {
  int64_t max_tokens = 64;
  int64_t slots = 32;       // answers made at the same time
  std::string system = {};  // a system message before every question; empty: none
  std::vector<std::string> stop_strings = {};  // beside the template's own end of turn
  AdapterMix adapters = {};                    // of the model's
  std::function<void(int64_t answered)> on_progress = {};
  std::function<bool()> cancelled = {};  // the answers made so far come back
};

// The model's answer to each question, without surrounding white space. A model that was not tuned goes on until
// max_tokens. Error: a question that is not UTF-8 or does not fit the context.
std::vector<std::string> answer_all(Model& model, const Tokenizer& tokenizer,
                                    const ChatTemplate& chat,
                                    std::span<const std::string> questions,
                                    const AnswerOptions& options = {});
// The answer that ends each conversation, which ends with the user; options' system message is not used.
std::vector<std::string> answer_all(Model& model, const Tokenizer& tokenizer,
                                    const ChatTemplate& chat,
                                    std::span<const std::vector<Message>> conversations,
                                    const AnswerOptions& options = {});

// Whether both are the same text, apart from surrounding white space.
bool is_exact(std::string_view answer, std::string_view expected);
// What follows the last `marker` in a worked answer ("... so the answer is 42" -> "42"), without surrounding white space
// and a final full stop; the whole answer where the marker is missing.
std::string final_answer(std::string_view answer, std::string_view marker);
// The last integer in the text, as written ("12 + 30 = 42." -> "42"), or "".
std::string last_number(std::string_view text);

}  // namespace malssi
