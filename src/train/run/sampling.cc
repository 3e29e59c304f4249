#include "train/run/sampling.h"

#include <algorithm>

#include "base/error.h"
#include "base/signal.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {

std::vector<SamplePrompt> text_prompts(const Tokenizer& tokenizer, const LogSettings& log) {
  SamplePrompt prompt{.shown = log.sample_prompt, .ids = {}};
  const int32_t begin = tokenizer.bos_id() >= 0 ? tokenizer.bos_id() : tokenizer.eos_id();
  if (!prompt.shown.empty()) {
    prompt.ids = tokenizer.encode(prompt.shown, {.add_special = true});
  } else if (begin >= 0) {
    prompt.ids = {begin};
  } else {
    prompt.ids = {tokenizer.token_id("\n").value_or(0)};
  }
  return {prompt};
}

SamplePrompt chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat,
                         const std::vector<Message>& messages) {
  SamplePrompt prompt;
  for (const Message& message : messages) {
    if (&message == &messages.back() && message.role == "assistant") break;
    prompt.shown += message.role + ": " + message.content + "\n";
  }
  const bool answered = !messages.empty() && messages.back().role == "assistant";
  const std::span<const Message> turns(messages.data(), messages.size() - (answered ? 1 : 0));
  prompt.ids = encode_chat(tokenizer, chat, turns, true).ids;
  return prompt;
}

Report::Sample draw_sample(Model& model, const Tokenizer& tokenizer, const ChatTemplate* chat,
                           const SamplePrompt& prompt, const AdapterMix& adapters,
                           const LogSettings& log, uint64_t seed) {
  const auto length = static_cast<int64_t>(prompt.ids.size());
  const int64_t capacity = std::min(model.config().context, length + log.sample_tokens);
  Report::Sample sample{.prompt = prompt.shown, .text = ""};
  if (length >= capacity) return sample;
  GenerateOptions options;
  options.sampling.temperature = log.sample_temperature;
  options.sampling.seed = seed;
  options.max_tokens = capacity - length;
  options.place = chat ? Place::start : Place::inside;
  if (chat) {
    options.stop_tokens = chat->stop_ids(tokenizer);
  } else if (tokenizer.eos_id() >= 0) {
    options.stop_tokens = {tokenizer.eos_id()};
  }
  ModelPredictor predictor(model, 1, capacity);
  predictor.set_adapters(0, adapters);
  Generator generator(predictor, tokenizer);
  sample.text =
      generator.run(prompt.ids, options, {.cancelled = [] { return StopSignal::requested(); }})
          .text;
  return sample;
}

}  // namespace malssi
