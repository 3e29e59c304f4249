#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/random.h"
#include "kernels/table.h"
#include "optim/muon.h"

namespace malssi {
namespace {

// A parameter with what the optimiser keeps of it.
struct Kept {
  std::string name;
  Tensor* value;  // the model's or adapter's: f32, or the high halves of what is trained
  Tensor low;     // those floats' low halves (see SplitFloat); undefined where the value is f32
  Tensor first;   // AdamW's first moment, or Muon's momentum
  Tensor second;  // AdamW's second moment; undefined for Muon
  bool decays;
  std::vector<WeightPart> parts;

  MasterWeights weights() const {
    if (!low) return {.whole = value->f32()};
    return {.high = value->bf16s(), .low = static_cast<int16_t*>(low.data())};
  }
  // The weights in f32: the value itself, or a copy.
  Tensor whole() const;
  // The other way: splits a copy.
  void take(const Tensor& whole) const;
};

Tensor Kept::whole() const {
  if (!low) return *value;
  const Tensor joined = Tensor::empty(value->shape());
  const MasterWeights from = weights();
  float* to = joined.f32();
  parallel_for(joined.size(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = join({from.high[i], from.low[i]});
  });
  return joined;
}

void Kept::take(const Tensor& whole) const {
  const MasterWeights to = weights();
  const float* from = whole.f32();
  parallel_for(whole.size(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const SplitFloat halves = split(from[i]);
      to.high[i] = halves.high;
      to.low[i] = halves.low;
    }
  });
}

class ParameterOptimizer : public Optimizer {
 public:
  ParameterOptimizer(const std::vector<Parameter>& parameters, const OptimizerOptions& options)
      : options_(options) {
    const bool muon = options.name == "muon";
    REQUIRE(muon || options.name == "adamw", "optimizer: unknown name \"", options.name,
            "\"; known are adamw, muon");
    for (const Parameter& p : parameters) {
      Kept kept{.name = p.name,
                .value = p.value,
                .low = {},
                .first = {},
                .second = {},
                .decays = p.decays(),
                .parts = p.parts};
      if (p.value->dtype() == DType::bf16)
        kept.low = Tensor::zeros({2 * p.value->size()}, DType::u8);
      const bool by_muon = muon && p.kind == ParameterKind::matrix;
      const DType moments = options.bf16_moments && !by_muon ? DType::bf16 : DType::f32;
      kept.first = Tensor::zeros(p.value->shape(), moments);
      if (!by_muon) kept.second = Tensor::zeros(p.value->shape(), moments);
      kept_.push_back(std::move(kept));
    }
  }

  double clip(double max_norm) override {
    double sum = 0;
    for (const Kept& k : kept_)
      if (const Tensor g = k.value->grad()) sum += kernels().sum_squares(g.f32(), g.size());
    const double norm = std::sqrt(sum);
    scale_ = max_norm > 0 && norm > max_norm ? static_cast<float>(max_norm / (norm + 1e-6)) : 1.0f;
    return norm;
  }

  void step(double lr) override {
    ++steps_;
    for (size_t i = 0; i < kept_.size(); ++i) {
      Kept& k = kept_[i];
      const Tensor gradient = k.value->grad();
      if (!gradient) continue;
      if (k.second) {
        adamw(k, gradient, lr, i);
      } else {
        muon(k, gradient, lr * options_.muon_ratio);
      }
    }
    scale_ = 1;
  }

  void clear_gradients() override {
    for (const Kept& k : kept_) k.value->clear_grad();
  }

  std::vector<LazyTensor> state() override {
    std::vector<LazyTensor> state{lazily("steps", Tensor::full({1}, static_cast<float>(steps_)))};
    for (const Kept& k : kept_) {
      if (k.low)
        state.push_back(
            {k.name + ".master", k.value->shape(), DType::f32, [&k] { return k.whole(); }});
      state.push_back(lazily(k.name + ".first", k.first));
      if (k.second) state.push_back(lazily(k.name + ".second", k.second));
    }
    return state;
  }

  void restore(const std::vector<LazyTensor>& state) override {
    const auto find = [&](const std::string& name, const Shape& shape) {
      const auto found = std::find_if(state.begin(), state.end(),
                                      [&](const LazyTensor& t) { return t.name == name; });
      REQUIRE(found != state.end(), "optimizer: the saved state lacks \"", name,
              "\"; it is of another optimiser or model");
      REQUIRE(found->shape == shape, "optimizer: the saved \"", name, "\" is ", found->shape,
              "; expected ", shape);
      return found->load();
    };
    steps_ = static_cast<int64_t>(find("steps", {1}).f32()[0]);
    for (Kept& k : kept_) {
      const Shape& shape = k.value->shape();
      if (k.low) k.take(find(k.name + ".master", shape).to(DType::f32));
      k.first.copy_from(find(k.name + ".first", shape));
      if (k.second) k.second.copy_from(find(k.name + ".second", shape));
    }
  }

 private:
  void adamw(Kept& k, const Tensor& gradient, double lr, uint64_t index) const {
    const auto t = static_cast<double>(steps_);
    const AdamWStep step{
        .lr = static_cast<float>(lr),
        .beta1 = static_cast<float>(options_.beta1),
        .beta2 = static_cast<float>(options_.beta2),
        .eps = static_cast<float>(options_.eps),
        .weight_decay = k.decays ? static_cast<float>(options_.weight_decay) : 0.0f,
        .correction1 = static_cast<float>(1 - std::pow(options_.beta1, t)),
        .correction2 = static_cast<float>(1 - std::pow(options_.beta2, t)),
        .gradient_scale = scale_,
        .seed = dropout_seed32(splitmix64(splitmix64(static_cast<uint64_t>(steps_)) ^ index))};
    kernels().adamw(step, gradient.f32(), k.weights(), {k.first.data(), k.first.dtype()},
                    {k.second.data(), k.second.dtype()}, gradient.size());
  }

  void muon(Kept& k, const Tensor& gradient, double lr) const {
    const MuonStep step{.lr = static_cast<float>(lr),
                        .beta = static_cast<float>(options_.muon_momentum),
                        .weight_decay = static_cast<float>(options_.weight_decay),
                        .gradient_scale = scale_};
    const Tensor weights = k.whole();
    for (const WeightPart& part : k.parts) {  // q, k and v are matrices of their own
      muon_update(step, gradient.rows(part.begin, part.end), weights.rows(part.begin, part.end),
                  k.first.rows(part.begin, part.end));
    }
    if (k.low) k.take(weights);
  }

  OptimizerOptions options_;
  std::vector<Kept> kept_;
  int64_t steps_ = 0;
  float scale_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const std::vector<Parameter>& parameters,
                                          const OptimizerOptions& options) {
  return std::make_unique<ParameterOptimizer>(parameters, options);
}

std::unique_ptr<Optimizer> make_optimizer(Model& model, const OptimizerOptions& options) {
  return make_optimizer(parameters_of(model), options);
}

}  // namespace malssi
