#include "train/pretrain/pretrain_config.h"

#include "base/error.h"

namespace malssi {

ModelConfig model_config(const ModelSettings& settings, int64_t vocab) {
  ModelConfig config;
  config.family = settings.family;
  config.vocab = vocab;
  config.width = settings.width;
  config.layers = settings.layers;
  config.heads = settings.heads;
  config.kv_heads = settings.kv_heads;
  config.head_dim = settings.head_dim;
  config.hidden = settings.hidden;
  config.context = settings.context;
  config.norm_eps = settings.norm_eps;
  config.rope_theta = settings.rope_theta;
  config.tied = settings.tied;
  config.bias = settings.bias;
  config.dropout = settings.dropout;
  config.activation = settings.activation;
  return checked(config);
}

void PretrainConfig::check() const {
  optim.check();
  REQUIRE(!data.paths.empty(), "no text to learn from: give --data FILE or FOLDER (data.paths)");
  REQUIRE(!train.out.empty(), "no folder for the run: give --out DIR (train.out)");
  REQUIRE(model.from.empty() || tokenizer.path.empty(),
          "model.from and tokenizer.path: a model that goes on keeps its own tokenizer");
  model_config(model, 256);  // impossible shapes are told before the data is read
}

}  // namespace malssi
