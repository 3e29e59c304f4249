// Model: token ids in, next-token logits out. One class for each architecture family, all made by
// make_model().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "nn/context.h"
#include "nn/parameter.h"

namespace malssi {

// Everything the families need; a family ignores what it does not have.
struct ModelConfig {
  std::string family = "llama";  // model_type of config.json; known_families() lists them
  int64_t vocab = 0;
  int64_t width = 128;
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t kv_heads = 0;  // 0: as many as heads
  int64_t head_dim = 0;  // 0: width / heads
  int64_t hidden =
      0;  // of the MLP; 0: the family's usual (gpt2: 4 width; llama: 8/3 width, rounded up to 32)
  int64_t context = 256;
  double norm_eps = 1e-5;
  double rope_theta = 10000;
  bool tied = true;   // output layer shares the embedding
  bool bias = false;  // of linear layers (and of gpt2's layer norms)
  double dropout = 0;
  std::string activation;  // gpt2: "gelu_new" (tanh) or "gelu" (exact); llama: "silu"
  int64_t bos_id = -1;
  int64_t eos_id = -1;

  // What only some families have.
  RopeScaling rope_scaling = {};
  double rope_theta_local = 0;        // of layers with a window; 0: rope_theta, unscaled neither
  std::vector<int64_t> windows = {};  // of each layer, 0: it sees all; empty: all layers see all
  int64_t no_rope_interval = 0;       // every n-th layer has no rotary positions; 0: all have them
  double attention_scale = 0;         // of scores; 0: 1 / sqrt(head_dim)
  double attention_softcap = 0;       // of scores; 0: none
  double logit_softcap = 0;
  int64_t experts = 0;  // of each MLP; 0: it is one
  int64_t experts_used = 0;
  int64_t expert_hidden = 0;
  int64_t shared_hidden = 0;  // of the expert that sees every token; 0: there is none
  bool renormalised = true;   // the weights of the used experts sum to 1
  int64_t token_types = 0;    // encoders
  int64_t pad_id = -1;        // encoders with positions that begin after it
  std::string pooling =
      {};  // how the file says embeddings are made: "cls", "mean", "last"; empty: it does not
};

// "gpt2, llama, ...".
std::string known_families();
// Fills in the zeros and throws Error when the shapes cannot work.
ModelConfig checked(ModelConfig config);

struct NamedTensor {
  std::string name;
  Tensor value;
};

struct Adapter;  // models/adapter.h

// What an adapter puts in front of every sequence that uses it; one of the two.
struct VirtualTokens {
  int64_t adapter = 0;
  Tensor prompt;  // [V, width]: embeddings, which go through the layers
  Tensor prefix;  // f32 [V, layers 2 kv_heads head_dim]: keys and values

  int64_t count() const { return prompt ? prompt.dim(0) : prefix.dim(0); }
};

// What a training pass keeps for its backward pass: all that the blocks compute on their way, or their inputs alone, from
// which they compute again (ops/recompute.h). The gradients are the same, to the bit.
enum class KeepForBackward { everything, block_inputs };

class Model {
 public:
  virtual ~Model() = default;
  const ModelConfig& config() const { return config_; }
  DType dtype() const { return dtype_; }

  // ids [N] -> [N, width], after the final norm. With a Context that knows its sequences, rows of virtual tokens are put in and
  // taken out again; else an id of -1 - v is row v of its sequence's prompt.
  virtual Tensor hidden(std::span<const int32_t> ids, Context& context) = 0;
  // The output layer's weight [vocab, width]: the embedding's where they are tied.
  virtual const Tensor& head() const = 0;
  // hidden [M, width] -> logits [M, vocab] in f32.
  Tensor logits(const Tensor& hidden) const;
  // Logits are cap tanh(logit / cap); 0: they stay. For lm_loss().
  float logit_softcap() const { return static_cast<float>(config_.logit_softcap); }
  // Walks over all parameters in a fixed order; a tied output layer is not visited a second time.
  virtual void visit(const std::function<void(const Parameter&)>& visitor) = 0;
  // The family's own config.json.
  Json hf_config() const;

  // Adds a low-rank adapter, which acts on those tokens of a pass whose Context says so; returns its number, 0, 1, ... Throws
  // Error, and adds nothing, where it does not fit.
  int64_t attach(const Adapter& adapter);
  int64_t adapters() const { return adapters_; }
  // What the mix puts in front of a sequence; null: nothing. Error: a mix of which two do, or one with another weight than 1.
  const VirtualTokens* virtual_tokens(const AdapterMix& mix) const;
  // Of all adapters, in the order of their numbers.
  std::vector<VirtualTokens>& virtual_tokens() { return virtual_; }

  // At first everything.
  virtual void keep(KeepForBackward what) { kept_ = what; }

  int64_t parameter_count();
  // Floating-point operations of one token's forward and backward pass in a sequence of this
  // length: 6 per weight that multiplies, plus causal attention's products (half of the full
  // square).
  double training_flops_per_token(int64_t sequence);

 protected:
  Model(ModelConfig config, DType dtype) : config_(std::move(config)), dtype_(dtype) {}
  ModelConfig config_;
  DType dtype_;
  std::vector<VirtualTokens> virtual_;
  KeepForBackward kept_ = KeepForBackward::everything;

 private:
  int64_t adapters_ = 0;
};

// All of a model's, in the order of its visit().
std::vector<Parameter> parameters_of(Model& model);

// A model with freshly drawn weights; the same seed gives the same weights whatever the compute
// dtype (f32 or bf16). Without a seed matrices and tables stay undefined, for import_weights() to
// fill.
std::unique_ptr<Model> make_model(const ModelConfig& config, DType compute,
                                  std::optional<uint64_t> seed);
// Reads a Hugging Face config.json; `where` names it in errors. An unknown architecture is named,
// with the known ones.
ModelConfig config_from_hf(const Json& json, std::string_view where);
// bf16 where this processor multiplies it natively, else f32.
DType best_compute_dtype();

// Whether each token sees its whole sequence: such a model embeds texts and does not write them.
bool is_encoder(const ModelConfig& config);
// Whether files of the family's models hold tensors that this program has no use for, such as this one (an encoder's pooler).
bool is_unused_weight(const ModelConfig& config, std::string_view published_name);

// All weights under their published names, in f32 (a tied output layer once).
std::vector<NamedTensor> export_weights(Model& model);
// copy: into memory of the model's own, in its compute dtype, to be trained or run. hold: matrices stay where find() has them,
// in any dtype (see Linear::parts), block formats rearranged for products; they get no gradient.
enum class ImportMode { copy, hold };
// Fills the model; find(name) gives the tensor under a published name, undefined if there is none
// (then: an Error with name).
void import_weights(Model& model, const std::function<Tensor(const std::string& name)>& find,
                    ImportMode mode = ImportMode::copy);
// The same with dense matrices of linear layers held in a block format, packed one after the other; everything else dense is in
// the model's compute dtype.
void import_packed_weights(Model& model, const std::function<Tensor(const std::string& name)>& find,
                           DType packed);

}  // namespace malssi
