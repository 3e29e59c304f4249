// The answers to one request in the making: gives them to the engine, watches the client, and tells a writer what comes. A
// prompt's further answers begin once its first has read the prompt, which they then share.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "infer/reply.h"
#include "serve/api/call.h"

namespace malssi {

struct Usage {
  int64_t prompt_tokens = 0, cached_tokens = 0;  // cached: of the prompt's
  int64_t answer_tokens = 0;
};
Json usage_json(const Usage& usage);  // as chat and completions tell it
// "stop" or "length".
std::string_view openai_finish(FinishReason reason);

// What an endpoint makes of answers, numbered from 0. Called by the engine's thread.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  // The engine has taken the first.
  virtual void begin() = 0;
  // Whole characters, and the tokens that were chosen since; without log-probabilities none.
  virtual void text(int64_t answer, std::string_view text,
                    std::span<const GeneratedToken> tokens) = 0;
  // The answer is over. tokens: that are part of it and were not told with a text.
  virtual void done(int64_t answer, const Generation& whole,
                    std::span<const GeneratedToken> tokens) = 0;
  // All are.
  virtual void end(const Usage& usage) = 0;
  // Instead of end().
  virtual void fail(const std::exception& error) = 0;
};

struct AnswerJob {
  std::vector<std::vector<int32_t>> prompts = {};
  GenerateOptions options = {};  // the answers to a prompt draw with seed, seed + 1, ...
  int64_t answers_each = 1;      // to a prompt
  std::shared_ptr<AnswerWriter> writer = {};
};
// ApiError: no place for so many answers.
void run_answers(Hub& hub, Call call, AnswerJob job);

}  // namespace malssi
