#include "eval/exact.h"

#include <algorithm>

#include "base/error.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::vector<std::string> answer_all(Model& model, const Tokenizer& tokenizer,
                                    const ChatTemplate& chat,
                                    std::span<const std::string> questions,
                                    const AnswerOptions& options) {
  std::vector<std::vector<Message>> conversations;
  for (const std::string& question : questions) {
    std::vector<Message>& messages = conversations.emplace_back();
    if (!options.system.empty()) messages.push_back({.role = "system", .content = options.system});
    messages.push_back({.role = "user", .content = question});
  }
  return answer_all(model, tokenizer, chat, conversations, options);
}

std::vector<std::string> answer_all(Model& model, const Tokenizer& tokenizer,
                                    const ChatTemplate& chat,
                                    std::span<const std::vector<Message>> conversations,
                                    const AnswerOptions& options) {
  if (conversations.empty()) return {};
  std::vector<std::vector<int32_t>> prompts;
  size_t longest = 0;
  for (const std::vector<Message>& messages : conversations) {
    for (const Message& message : messages) check_utf8(message.content, "a question");
    prompts.push_back(encode_chat(tokenizer, chat, messages, true).ids);
    longest = std::max(longest, prompts.back().size());
  }

  const int64_t slots = std::clamp<int64_t>(options.slots, 1, static_cast<int64_t>(prompts.size()));
  ModelPredictor predictor(model, slots, static_cast<int64_t>(longest) + options.max_tokens);
  const GenerateOptions generate{.sampling = {.temperature = 0},
                                 .max_tokens = options.max_tokens,
                                 .stop_tokens = chat.stop_ids(tokenizer),
                                 .stop_strings = options.stop_strings,
                                 .adapters = options.adapters};
  int64_t answered = 0;
  const BatchHooks hooks{.on_done =
                             [&](int64_t, const Generation&) {
                               ++answered;
                               if (options.on_progress) options.on_progress(answered);
                             },
                         .cancelled = options.cancelled};
  std::vector<std::string> answers;
  for (const Generation& answer : generate_batch(predictor, tokenizer, prompts, generate, hooks))
    answers.emplace_back(trimmed(answer.text));
  return answers;
}

bool is_exact(std::string_view answer, std::string_view expected) {
  return trimmed(answer) == trimmed(expected);
}

std::string final_answer(std::string_view answer, std::string_view marker) {
  const size_t at = answer.rfind(marker);
  if (at != std::string_view::npos) answer = answer.substr(at + marker.size());
  answer = trimmed(answer);
  if (answer.ends_with('.')) answer = trimmed(answer.substr(0, answer.size() - 1));
  return std::string(answer);
}

std::string last_number(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && !is_digit(text[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && is_digit(text[begin - 1])) --begin;
  // A minus belongs to the number unless it stands between two operands ("7-3").
  const bool minus = begin > 0 && begin < end && text[begin - 1] == '-' &&
                     (begin == 1 || text[begin - 2] == ' ' || text[begin - 2] == '=');
  if (minus) --begin;
  return std::string(text.substr(begin, end - begin));
}

}  // namespace malssi
