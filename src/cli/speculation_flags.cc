#include "cli/speculation_flags.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace malssi {

namespace {

void check_same_vocabulary(const Tokenizer& draft, const Tokenizer& target,
                           const std::string& name) {
  REQUIRE(draft.vocab_size() == target.vocab_size(), "--speculate ", name, ": it has ",
          draft.vocab_size(), " tokens, but the model has ", target.vocab_size(),
          ": a draft model must have the same vocabulary");
  for (int32_t id = 0; id < draft.vocab_size(); ++id)
    REQUIRE(draft.token_bytes(id) == target.token_bytes(id), "--speculate ", name, ": its token ",
            id, " differs from the model's: a draft model must have the same vocabulary");
}

}  // namespace

void SpeculationFlags::add_to(CLI::App& command) {
  const std::string group = "Speculative decoding: the same answer, sooner";
  command
      .add_option("--speculate", speculate_,
                  "draft tokens and check them in one pass: lookup (what followed the same words "
                  "before), or a smaller model with the same vocabulary")
      ->type_name("lookup|MODEL")
      ->group(group);
  command
      .add_option("--draft-tokens", draft_tokens_,
                  "at most in a pass (default 8); fewer while drafts are wrong")
      ->check(CLI::Range(int64_t{1}, int64_t{64}))
      ->group(group);
}

Speculation SpeculationFlags::make(const LoadedModel& target, int64_t capacity) const {
  Speculation result{.draft_tokens = draft_tokens_};
  if (speculate_ == "lookup") result.drafter = lookup_drafter();
  if (speculate_.empty() || speculate_ == "lookup") return result;
  result.model = load_model(speculate_, std::nullopt);
  check_same_vocabulary(*result.model->tokenizer, *target.tokenizer, speculate_);
  const int64_t context = std::min(capacity, result.model->model->config().context);
  result.predictor = std::make_unique<ModelPredictor>(*result.model->model, 1, context);
  result.drafter = model_drafter(*result.predictor, target.tokenizer->vocab_size());
  return result;
}

void note_speculation(const EngineStatistics& statistics, Console& console) {
  const auto share = [](int64_t part, int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<int64_t>(whole, 1));
  };
  console.note(fmt::format(
      "speculation: {} of {} drafted tokens accepted ({:.0f}%), {:.2f} tokens a pass, {:.1f} tok/s",
      statistics.accepted_tokens, statistics.drafted_tokens,
      100 * share(statistics.accepted_tokens, statistics.drafted_tokens),
      share(statistics.answer_tokens, statistics.passes), statistics.tokens_per_second()));
}

}  // namespace malssi
