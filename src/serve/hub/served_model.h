// A model in memory with all that requests need of it. Loaded on any thread; engine() and model() are the engine thread's alone,
// everything else may be used from several threads at once.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "infer/embed.h"
#include "infer/engine.h"
#include "infer/model_predictor.h"
#include "io/model_folder.h"
#include "serve/hub/hub_options.h"
#include "text/grammar/constraint.h"

namespace malssi {

class ServedModel {
 public:
  // Error: as load_model() and attach_adapter().
  ServedModel(const ModelSpec& spec, const std::vector<AdapterSpec>& adapters,
              const HubOptions& options);

  const std::string& name() const { return name_; }
  const Tokenizer& tokenizer() const { return *loaded_.tokenizer; }
  bool has_chat() const { return loaded_.chat.has_value(); }
  // Error: there is none, with the reason.
  const ChatTemplate& chat() const { return loaded_.dialogue(); }
  // By their numbers.
  const std::vector<std::string>& adapters() const { return adapters_; }
  // Encoders embed and do not write.
  bool writes() const { return engine_ != nullptr; }
  // Tokens of prompt and answer together.
  int64_t capacity() const { return capacity_; }
  const ModelConfig& config() const { return loaded_.model->config(); }
  const EmbedOptions& embedding() const { return embedding_; }
  // With the model's own stop tokens; for_chat: with those of its chat template.
  enum class Use { text, chat };
  const GenerateOptions& defaults(Use use) const {
    return use == Use::chat ? chat_defaults_ : text_defaults_;
  }
  // No text of more bytes can fit the context.
  int64_t longest_text() const { return capacity_ * longest_token_; }
  // Weights, and keys and values as if all slots were full.
  int64_t bytes() const { return bytes_; }
  // Changes with the model: OpenAI's "system_fingerprint".
  const std::string& fingerprint() const { return fingerprint_; }

  // The grammar called `key`, made where it is not kept from before; the special tokens stand for their texts in it.
  std::shared_ptr<const CompiledGrammar> grammar(const std::string& key,
                                                 const std::function<Grammar()>& make,
                                                 std::span<const int32_t> specials = {}) const;

  Engine& engine() const { return *engine_; }
  Model& model() const { return *loaded_.model; }
  // Part of the room for keys and values that is in use.
  double cache_use() const;

 private:
  std::string name_;
  LoadedModel loaded_;
  std::vector<std::string> adapters_;
  EmbedOptions embedding_;
  GenerateOptions text_defaults_, chat_defaults_;
  int64_t capacity_ = 0;
  int64_t longest_token_ = 1;
  int64_t bytes_ = 0;
  std::string fingerprint_;
  std::unique_ptr<ModelPredictor> predictor_;
  std::unique_ptr<Engine> engine_;
  mutable std::mutex mutex_;  // of what follows
  mutable std::list<std::pair<std::string, std::shared_ptr<const CompiledGrammar>>>
      grammars_;  // the last used first
};

// Of a model's weights, as they lie on the disk.
int64_t weight_bytes(const fs::path& model);

}  // namespace malssi
