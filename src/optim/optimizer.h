// Optimisers: they own the moments and, where a model computes in bf16, what its weights lack of f32, and write the
// weights they were given.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/lazy_tensor.h"
#include "models/model.h"

namespace malssi {

struct OptimizerOptions {
  std::string name =
      "adamw";  // "adamw" (Loshchilov, Hutter 2019) or "muon" (Jordan et al. 2024; the rest by AdamW)
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;  // decoupled; of matrices and embeddings
  double muon_ratio = 20;     // Muon's learning rate, as a multiple of AdamW's
  double muon_momentum = 0.95;
  bool bf16_moments = false;  // AdamW's, rounded up or down at random: half the memory
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Returns the norm of all gradients; when it is above max_norm (and that is not 0), the next step scales them down to it.
  virtual double clip(double max_norm) = 0;
  // Updates the weights from the gradients. Does not clear them.
  virtual void step(double lr) = 0;
  // Forgets the gradients; the next backward pass overwrites them.
  virtual void clear_gradients() = 0;
  // Everything that a resumed run needs; the tensors are the optimiser's own, or made of them when they are loaded.
  virtual std::vector<LazyTensor> state() = 0;
  // Takes back what state() gave; throws Error when a tensor is missing or has another shape. Rewrites the model's weights.
  virtual void restore(const std::vector<LazyTensor>& state) = 0;
};

// Of these parameters, whose tensors must outlive it; none other is touched. Throws Error for an unknown name.
std::unique_ptr<Optimizer> make_optimizer(const std::vector<Parameter>& parameters,
                                          const OptimizerOptions& options);
// Of all the model's.
std::unique_ptr<Optimizer> make_optimizer(Model& model, const OptimizerOptions& options);

}  // namespace malssi
