#include "infer/generation_defaults.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"

namespace malssi {

namespace {

constexpr std::string_view kFile = "generation_config.json";

// A token id or a list of them.
std::vector<int32_t> end_tokens(const Json& generation) {
  if (!generation.contains("eos_token_id") || generation["eos_token_id"].is_null()) return {};
  if (generation["eos_token_id"].is_array())
    return get<std::vector<int32_t>>(generation, "eos_token_id", kFile);
  return {get<int32_t>(generation, "eos_token_id", kFile)};
}

}  // namespace

GenerateOptions generation_defaults(const LoadedModel& loaded, bool for_chat) {
  const Json& json = loaded.generation;
  GenerateOptions options;
  SamplingOptions& sampling = options.sampling;
  sampling.temperature = get_or<double>(json, "temperature", 0.8, kFile);
  sampling.top_k = get_or<int64_t>(json, "top_k", 0, kFile);
  sampling.top_p = get_or<double>(json, "top_p", 0.95, kFile);
  sampling.min_p = get_or<double>(json, "min_p", 0, kFile);
  sampling.typical_p = get_or<double>(json, "typical_p", 1, kFile);
  sampling.penalty.repetition = get_or<double>(json, "repetition_penalty", 1, kFile);
  if (!get_or<bool>(json, "do_sample", true, kFile)) sampling.temperature = 0;
  options.max_tokens = get_or<int64_t>(json, "max_new_tokens", 256, kFile);

  std::vector<int32_t>& ends = options.stop_tokens;
  ends = end_tokens(json);
  ends.push_back(static_cast<int32_t>(loaded.model->config().eos_id));
  ends.push_back(loaded.tokenizer->eos_id());
  if (for_chat) {
    const std::vector<int32_t> stops = loaded.dialogue().stop_ids(*loaded.tokenizer);
    ends.insert(ends.end(), stops.begin(), stops.end());
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  std::erase_if(ends, [](int32_t id) { return id < 0; });
  return options;
}

}  // namespace malssi
