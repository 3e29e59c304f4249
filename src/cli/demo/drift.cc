#include "cli/demo/drift.h"

#include "base/error.h"
#include "base/signal.h"
#include "io/model_folder.h"
#include "train/rl/prompts.h"
#include "train/rl/token_log_probs.h"

namespace malssi::demo {

std::optional<double> drift(const fs::path& model, const fs::path& start,
                            std::span<const world::Question> questions, int64_t answer_tokens) {
  constexpr int64_t kPieceTokens = 2048;
  const StopSignal stop;
  const LoadedModel policy = load_model(model, DType::f32), before = load_model(start, DType::f32);
  std::vector<RlPrompt> prompts;
  for (const world::Question& question : questions)
    prompts.push_back({.messages = question.messages, .record = {}, .where = question.set});
  const ChatTemplate& chat = policy.dialogue();
  encode_rl_prompts(prompts, *policy.tokenizer, chat, policy.model->config().context,
                    answer_tokens);
  std::vector<std::vector<int32_t>> ids;
  for (const RlPrompt& prompt : prompts) ids.push_back(prompt.ids);
  const auto answers = roll_out(*policy.model, *policy.tokenizer, ids,
                                {.samples = 1,
                                 .max_tokens = answer_tokens,
                                 .ends = chat.stop_ids(*policy.tokenizer),
                                 .stop_requested = StopSignal::requested});
  if (!answers) return std::nullopt;
  const auto reference =
      answer_token_log_probs(*before.model, *answers, {}, kPieceTokens, StopSignal::requested);
  if (!reference) return std::nullopt;
  double nats = 0;
  for (size_t i = 0; i < answers->size(); ++i)
    for (size_t t = 0; t < (*answers)[i].log_probs.size(); ++t)
      nats += double{(*answers)[i].log_probs[t]} - double{(*reference)[i][t]};
  return nats / static_cast<double>(answers->size());
}

}  // namespace malssi::demo
