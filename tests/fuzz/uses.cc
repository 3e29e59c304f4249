#include "fuzz/uses.h"

#include "base/error.h"
#include "text/bpe_trainer.h"
#include "text/gguf_vocabulary.h"

namespace malssi::fuzz {

void use(const Tokenizer& tokenizer, std::string_view text) {
  for (const bool special : {false, true}) {
    const auto ids = tokenizer.encode(text, {.parse_special = special, .add_special = true});
    for (const int32_t id : ids)
      CHECK(id >= 0 && id < tokenizer.vocab_size(), "encode() gave the id ", id, " of ",
            tokenizer.vocab_size());
    std::string streamed;
    DecodeStream stream(tokenizer);
    for (const int32_t id : ids) streamed += stream.push(id);
    CHECK(tokenizer.decode(ids) == streamed, "decode() and DecodeStream differ");
  }
  tokenizer.fingerprint();
  try {
    gguf_vocabulary(tokenizer);
  } catch (const Error&) {
    return;  // GGUF holds not every tokenizer
  }
}

bool is_small(const ModelConfig& c) {
  constexpr int64_t kMost = 1 << 12;
  for (const int64_t size : {c.vocab, c.width, c.heads * c.head_dim, c.hidden, c.context, c.experts,
                             c.expert_hidden, c.shared_hidden, c.token_types})
    if (size > kMost) return false;
  return c.layers <= 8 && c.experts <= 8 &&
         (c.vocab + c.context + c.layers * (1 + c.experts) * (c.hidden + c.expert_hidden)) *
                 c.width <=
             1 << 20;
}

void use(const TensorFile& file) {
  for (const Entry& entry : file.entries()) {
    try {
      file.borrow(entry);
      load_tensor(entry, "input");
    } catch (const Error&) {
      continue;  // a type that tensors do not have
    }
  }
}

void use(Model& model) {
  const ModelConfig& config = model.config();
  if (!is_small(config)) return;
  const auto last = static_cast<int32_t>(config.vocab - 1);
  std::vector<int32_t> ids{0, last, last / 2, 0};
  if (static_cast<int64_t>(ids.size()) > config.context) ids.resize(1);
  CausalBatch context({0, static_cast<int32_t>(ids.size())});
  const Tensor hidden = model.hidden(ids, context);
  CHECK(hidden.size() == static_cast<int64_t>(ids.size()) * config.width, "too few numbers");
  if (is_encoder(config)) return;
  const Tensor logits = model.logits(hidden);
  CHECK(logits.size() == static_cast<int64_t>(ids.size()) * config.vocab, "too few logits");
}

ModelConfig small_config(const std::string& family, int64_t width) {
  ModelConfig config;
  config.family = family;
  config.vocab = small_tokenizer()->vocab_size();
  config.width = width;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = family == "gpt2" ? 2 : 1;
  config.hidden = width;
  config.context = 6;
  config.eos_id = small_tokenizer()->eos_id();
  return config;
}

std::unique_ptr<Tokenizer> small_tokenizer() {
  constexpr std::string_view kText = "the cat sat on the mat";
  return train_bpe({&kText, 1}, {.vocab_size = 260, .special = {"<|endoftext|>"}});
}

}  // namespace malssi::fuzz
