// Encoders: BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019: positions that begin after the padding's id), DistilBERT (Sanh et al.
// 2019: no token types). Every token sees its whole sequence; norms stand after each sum. They have no output layer: head() is the
// embedding.
#include "models/decoder.h"
#include "models/family.h"

namespace malssi {
namespace {

Design bert(const ModelConfig& c) {
  return {.embedding = "embeddings.word_embeddings",
          .positions = "embeddings.position_embeddings",
          .token_types = c.token_types > 0 ? "embeddings.token_type_embeddings" : "",
          .embedding_norm = "embeddings.LayerNorm",
          .norm = {},
          .layers = "encoder.layer",
          .attention_norms = {.after_sum = "attention.output.LayerNorm"},
          .mlp_norms = {.after_sum = "output.LayerNorm"},
          .q = "attention.self.query",
          .k = "attention.self.key",
          .v = "attention.self.value",
          .output = "attention.output.dense",
          .gate = {},
          .up = "intermediate.dense",
          .down = "output.dense",
          .norm_kind = NormKind::layer,
          .activation = activation_named(c.activation),
          .norm_bias = true,
          .qkv_bias = true,
          .output_bias = true,
          .mlp_bias = true,
          .mask = AttentionMask::whole,
          .unused = {"pooler.", "cls.", "lm_head.", "classifier.", "embeddings.position_ids",
                     "bert.pooler.", "roberta.pooler.", "bert.embeddings.position_ids",
                     "roberta.embeddings.position_ids"}};
}

Design roberta(const ModelConfig& c) {
  Design design = bert(c);
  design.first_position = c.pad_id + 1;
  return design;
}

Design distilbert(const ModelConfig& c) {
  Design design = bert(c);
  design.layers = "transformer.layer";
  design.attention_norms.after_sum = "sa_layer_norm";
  design.mlp_norms.after_sum = "output_layer_norm";
  design.q = "attention.q_lin";
  design.k = "attention.k_lin";
  design.v = "attention.v_lin";
  design.output = "attention.out_lin";
  design.up = "ffn.lin1";
  design.down = "ffn.lin2";
  design.unused.insert(design.unused.end(), {"vocab_", "pre_classifier."});
  return design;
}

ModelConfig bert_from_hf(const Json& json, std::string_view where) {
  ModelConfig c;
  c.vocab = get<int64_t>(json, "vocab_size", where);
  c.width = get<int64_t>(json, "hidden_size", where);
  c.hidden = get<int64_t>(json, "intermediate_size", where);
  c.layers = get<int64_t>(json, "num_hidden_layers", where);
  c.heads = get<int64_t>(json, "num_attention_heads", where);
  c.context = get<int64_t>(json, "max_position_embeddings", where);
  c.norm_eps = get_or<double>(json, "layer_norm_eps", 1e-12, where);
  c.activation = get_or<std::string>(json, "hidden_act", "gelu", where);
  c.dropout = get_or<double>(json, "hidden_dropout_prob", 0.0, where);
  c.token_types = get_or<int64_t>(json, "type_vocab_size", 2, where);
  c.pad_id = get_or<int64_t>(json, "pad_token_id", 0, where);
  REQUIRE(get_or<std::string>(json, "position_embedding_type", "absolute", where) == "absolute",
          where, ": position_embedding_type is not \"absolute\", which alone is read");
  c.bias = true;
  return c;
}

Json bert_to_hf(const ModelConfig& c) {
  return {{"vocab_size", c.vocab},
          {"hidden_size", c.width},
          {"intermediate_size", c.hidden},
          {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads},
          {"max_position_embeddings", c.context},
          {"layer_norm_eps", c.norm_eps},
          {"hidden_act", c.activation},
          {"hidden_dropout_prob", c.dropout},
          {"attention_probs_dropout_prob", c.dropout},
          {"type_vocab_size", c.token_types},
          {"pad_token_id", c.pad_id}};
}

// max_position_embeddings counts the rows before the first position.
ModelConfig roberta_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = bert_from_hf(json, where);
  c.pad_id = get_or<int64_t>(json, "pad_token_id", 1, where);
  REQUIRE(c.pad_id >= 0 && c.pad_id < c.context, where, ": \"pad_token_id\" is ", c.pad_id);
  c.context -= c.pad_id + 1;
  return c;
}

Json roberta_to_hf(const ModelConfig& c) {
  Json json = bert_to_hf(c);
  json["max_position_embeddings"] = c.context + c.pad_id + 1;
  return json;
}

ModelConfig distilbert_from_hf(const Json& json, std::string_view where) {
  ModelConfig c;
  c.vocab = get<int64_t>(json, "vocab_size", where);
  c.width = get<int64_t>(json, "dim", where);
  c.hidden = get<int64_t>(json, "hidden_dim", where);
  c.layers = get<int64_t>(json, "n_layers", where);
  c.heads = get<int64_t>(json, "n_heads", where);
  c.context = get<int64_t>(json, "max_position_embeddings", where);
  c.norm_eps = 1e-12;
  c.activation = get_or<std::string>(json, "activation", "gelu", where);
  c.dropout = get_or<double>(json, "dropout", 0.0, where);
  c.pad_id = get_or<int64_t>(json, "pad_token_id", 0, where);
  c.bias = true;
  return c;
}

Json distilbert_to_hf(const ModelConfig& c) {
  return {
      {"vocab_size", c.vocab},      {"dim", c.width},       {"hidden_dim", c.hidden},
      {"n_layers", c.layers},       {"n_heads", c.heads},   {"max_position_embeddings", c.context},
      {"activation", c.activation}, {"dropout", c.dropout}, {"pad_token_id", c.pad_id}};
}

void complete(ModelConfig& c) {
  c.bias = true;
  c.pad_id = 0;
  c.tied = true;
}

}  // namespace

const Family kBert = {"bert", "BertModel",  "bert",     "gelu",
                      bert,   bert_from_hf, bert_to_hf, complete};
const Family kRoberta = {"roberta", "RobertaModel",  "",           "gelu",
                         roberta,   roberta_from_hf, roberta_to_hf};
const Family kDistilBert = {"distilbert",       "DistilBertModel", "", "gelu", distilbert,
                            distilbert_from_hf, distilbert_to_hf};

}  // namespace malssi
