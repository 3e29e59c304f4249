#include "cli/prompt_batch.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/generation_output.h"
#include "data/records.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {

namespace {

std::string prompt_of(const Json& json, const std::string& place) {
  if (json.is_string()) return json.get<std::string>();
  REQUIRE(json.is_object(), place, ": expected a string or an object with \"prompt\", found ",
          json_kind(json));
  return get<std::string>(json, "prompt", place);
}

// The adapters, with the weights that the prompt gives them.
AdapterMix mix_of(const Json& json, AdapterMix mix, const std::string& place) {
  if (!json.is_object() || !json.contains("lora")) return mix;
  const auto weights = get<std::vector<double>>(json, "lora", place);
  REQUIRE(weights.size() == mix.size(), place, ": \"lora\" has ", weights.size(),
          " weights for the ", mix.size(), " adapters of --lora: give one for each, 0 for none");
  for (size_t i = 0; i < mix.size(); ++i) {
    mix[i].weight = static_cast<float>(weights[i]);
    REQUIRE(std::isfinite(mix[i].weight), place, ": \"lora\": ", weights[i], " is too large");
  }
  return mix;
}

std::string line_of(const LoadedModel& loaded, const PromptBatch& batch, size_t i,
                    const Generation& answer, const GenerateOptions& options) {
  Json json{{"index", static_cast<int64_t>(i)}, {"prompt", batch.texts[i]}};
  if (options.logprobs >= 0) {
    json.update(generation_json(*loaded.tokenizer, answer));
  } else {
    json["text"] = answer.text;
    json["finish_reason"] = std::string(finish_reason_name(answer.reason));
  }
  json["prompt_tokens"] = answer.prompt_tokens;
  json["answer_tokens"] = static_cast<int64_t>(answer.tokens.size());
  return dump_json(json) + "\n";
}

}  // namespace

PromptBatch read_prompts(const std::string& file, const AdapterMix& adapters,
                         const std::function<std::vector<int32_t>(const std::string&)>& encode) {
  const std::string text = read_file(file, int64_t{1} << 30);
  JsonRecords records(text, file);
  PromptBatch batch;
  JsonRecord record;
  while (records.next(record)) {
    const std::string place = records.place(record);
    const Json json = parse_json(record.text, place);
    batch.texts.push_back(prompt_of(json, place));
    batch.adapters.push_back(mix_of(json, adapters, place));
    try {
      batch.ids.push_back(encode(batch.texts.back()));
    } catch (const Error& error) {
      throw Error(concat(place, ": ", error.what()));
    }
  }
  REQUIRE(!batch.ids.empty(), file, " has no prompts: give one a line, {\"prompt\": \"...\"}");
  return batch;
}

void answer_prompts(const LoadedModel& loaded, const PromptBatch& batch,
                    const PromptBatchOptions& options,
                    const std::function<void(const std::string&)>& put_line) {
  const int64_t slots = std::min(options.parallel, static_cast<int64_t>(batch.ids.size()));
  ModelPredictor predictor(*loaded.model, slots, options.context, options.cache);
  std::vector<std::optional<std::string>> lines(batch.ids.size());
  size_t shown = 0;
  const auto on_done = [&](int64_t prompt, const Generation& answer) {
    const auto i = static_cast<size_t>(prompt);
    lines[i] = line_of(loaded, batch, i, answer, options.generate);
    for (; shown < lines.size() && lines[shown]; ++shown) {
      put_line(*lines[shown]);
      lines[shown]->clear();
    }
  };
  generate_batch(predictor, *loaded.tokenizer, batch.ids, options.generate,
                 {.on_done = on_done, .cancelled = options.cancelled}, batch.adapters);
}

}  // namespace malssi
