#include "train/rl/prompt_sets.h"

#include <set>

#include "base/error.h"
#include "base/format.h"
#include "train/run/too_long.h"

namespace malssi {
namespace {

std::string key_of(const RlPrompt& prompt) { return conversation_key(prompt.messages); }

std::vector<RlPrompt> load(const fs::path& file, const RlPromptSettings& settings,
                           Console& console) {
  RlPrompts read = load_rl_prompts(file, {.skip_invalid = settings.skip_invalid});
  if (read.invalid > 0)
    console.warn(concat(file.string(), ": ", read.invalid,
                        " malformed records left out; the first: ", read.first_invalid));
  return std::move(read.prompts);
}

void tell_shared(const PromptSets& sets, const RlPromptSettings& settings, Console& console) {
  std::set<std::string> learned;
  for (const RlPrompt& each : sets.train) learned.insert(key_of(each));
  int64_t shared = 0;
  for (const RlPrompt& each : sets.validation) shared += learned.contains(key_of(each));
  if (shared > 0)
    console.warn(concat(settings.val, ": ", shared, " of ", sets.validation.size(),
                        " prompts are in ", settings.data,
                        " too: what is measured on them is not new to the model"));
}

}  // namespace

PromptSets load_prompt_sets(const RlPromptSettings& settings, const TrainSettings& train,
                            Console& console) {
  PromptSets sets{.train = load(settings.data, settings, console), .validation = {}};
  if (!settings.val.empty()) {
    sets.validation = load(settings.val, settings, console);
    tell_shared(sets, settings, console);
  } else if (settings.val_fraction > 0) {
    sets.validation = take_held_out_by(sets.train, key_of, settings.val_fraction,
                                       static_cast<uint64_t>(train.seed));
  }
  const auto most = static_cast<size_t>(train.eval_rows);
  if (most > 0 && sets.validation.size() > most) sets.validation.resize(most);
  return sets;
}

void encode_prompt_sets(PromptSets& sets, const Student& student, int64_t answer_tokens,
                        const std::string& key, Console& console) {
  const int64_t context = student.model->config().context;
  TooLong found{.records = "prompts",
                .all = std::ssize(sets.train) + std::ssize(sets.validation),
                .most = context - answer_tokens,
                .settings = concat("a context of ", context, " less ", key)};
  for (std::vector<RlPrompt>* each : {&sets.train, &sets.validation})
    if (!each->empty())
      found.left_out +=
          encode_rl_prompts(*each, *student.tokenizer, student.chat, context, answer_tokens);
  tell_too_long(found, console);
  console.note(concat("prompts: ", human_count(static_cast<double>(sets.train.size())),
                      " to learn from, ", sets.validation.size(), " to validate on"));
}

}  // namespace malssi
