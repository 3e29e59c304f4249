#include "fuzz/targets.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"

namespace malssi::fuzz {
namespace {

constexpr Target kTargets[] = {
    {"gguf", run_gguf, gguf_seeds},
    {"safetensors", run_safetensors, safetensors_seeds},
    {"torch_file", run_torch_file, torch_file_seeds},
    {"tokenizer_json", run_tokenizer_json, tokenizer_json_seeds},
    {"sentencepiece", run_sentencepiece, sentencepiece_seeds},
    {"vocabulary", run_vocabulary, vocabulary_seeds},
    {"llama2c", run_llama2c, llama2c_seeds},
    {"chat_template", run_chat_template, chat_template_seeds},
    {"grammar", run_grammar, grammar_seeds},
    {"json", run_json, json_seeds},
    {"config", run_config, config_seeds},
    {"folder", run_folder, folder_seeds},
    {"adapter", run_adapter, adapter_seeds},
    {"http", run_http, http_seeds},
    {"response", run_response, response_seeds},
    {"request", run_request, request_seeds},
    {"answer", run_answer, answer_seeds},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target& target_named(std::string_view name) {
  for (const Target& target : kTargets)
    if (target.name == name) return target;
  throw InternalError(concat("no fuzzing target \"", name, "\""));
}

void run(const Target& target, std::string_view input) {
  set_thread_count(1);
  try {
    target.run(input);
  } catch (const Error& error) {
    CHECK(!std::string_view(error.what()).empty(), "an error without a message");
  }
}

std::string_view take_part(std::string_view& input) {
  const size_t end = std::min(input.find('\0'), input.size());
  const std::string_view part = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return part;
}

}  // namespace malssi::fuzz
