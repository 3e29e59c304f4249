#include "serve/hub/served_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "infer/generation_defaults.h"
#include "io/adapter_file.h"
#include "io/model_source.h"

namespace malssi {
namespace {

constexpr int64_t kUsualContext = 8192;
constexpr size_t kGrammarsKept = 32;

}  // namespace

int64_t weight_bytes(const fs::path& model) {
  if (is_gguf_file(model)) return static_cast<int64_t>(fs::file_size(model));
  int64_t bytes = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(find_model(model)))
    if (file.path().extension() == ".safetensors" && file.is_regular_file())
      bytes += static_cast<int64_t>(file.file_size());
  return bytes;
}

ServedModel::ServedModel(const ModelSpec& spec, const std::vector<AdapterSpec>& adapters,
                         const HubOptions& options)
    : name_(spec.name), loaded_(load_model(spec.path, options.compute)) {
  for (const AdapterSpec& adapter : adapters) {
    attach_adapter(*loaded_.model, adapter.path);
    adapters_.push_back(adapter.name);
    const fs::path folder = find_adapter(adapter.path);
    if (!loaded_.chat && is_folder(folder)) loaded_.chat = load_chat_template(folder);
  }
  const ModelConfig& config = loaded_.model->config();
  embedding_ = embed_options(is_folder(spec.path) ? find_model(spec.path) : spec.path, config);
  for (int64_t id = 0; id < tokenizer().vocab_size(); ++id)
    longest_token_ =
        std::max(longest_token_, std::ssize(tokenizer().token_bytes(static_cast<int32_t>(id))));
  bytes_ = weight_bytes(spec.path);
  fingerprint_ = "fp_" + hash_text(hash64(spec.path.string(), tokenizer().fingerprint() ^
                                                                  static_cast<uint64_t>(bytes_)));
  capacity_ = config.context;
  if (is_encoder(config)) return;
  text_defaults_ = generation_defaults(loaded_, false);
  chat_defaults_ = generation_defaults(loaded_, loaded_.chat.has_value());
  const int64_t asked = options.context > 0 ? options.context : kUsualContext;
  predictor_ =
      std::make_unique<ModelPredictor>(*loaded_.model, options.slots, asked, options.cache);
  capacity_ = predictor_->capacity();
  bytes_ += predictor_->slots() * capacity_ * predictor_->cache().token_bytes();
  engine_ = std::make_unique<Engine>(*predictor_, tokenizer());
}

std::shared_ptr<const CompiledGrammar> ServedModel::grammar(
    const std::string& key, const std::function<Grammar()>& make,
    std::span<const int32_t> specials) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(grammars_.begin(), grammars_.end(),
                                    [&](const auto& kept) { return kept.first == key; });
    if (found != grammars_.end()) {
      grammars_.splice(grammars_.begin(), grammars_, found);
      return grammars_.front().second;
    }
  }
  auto compiled = std::make_shared<const CompiledGrammar>(make(), tokenizer(), specials);
  const std::lock_guard lock(mutex_);
  grammars_.emplace_front(key, compiled);
  if (grammars_.size() > kGrammarsKept) grammars_.pop_back();
  return compiled;
}

double ServedModel::cache_use() const {
  const double room = static_cast<double>(predictor_->slots() * capacity_) *
                      static_cast<double>(predictor_->cache().token_bytes());
  return static_cast<double>(predictor_->cache().bytes()) / std::max(room, 1.0);
}

}  // namespace malssi
