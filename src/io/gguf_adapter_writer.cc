// Adapters written as GGUF files.
#include <cmath>
#include <map>

#include "base/error.h"
#include "io/adapter_formats.h"
#include "io/gguf_writer.h"
#include "io/model_source.h"
#include "io/weight_layout.h"

namespace malssi {
namespace {

constexpr const char *kA = ".lora_a", *kB = ".lora_b";

// B in GGUF's order of rows. GGUF has one alpha for all: B takes what differs.
Tensor b_of(const AdapterPart& part, const ModelPart& place, double alpha) {
  const double rank = static_cast<double>(part.a.dim(0)), factor = part.scale * rank / alpha;
  Tensor b = part.b.to(DType::f32).clone();
  if (std::abs(factor - 1) > 1e-6)
    for (int64_t i = 0; i < b.size(); ++i) b.f32()[i] *= static_cast<float>(factor);
  return place.part.interleaved_heads > 0 ? pairs_from_halves(b, place.part.interleaved_heads) : b;
}

// The tensors under GGUF's names; experts that are not adapted are zeros in their stacks.
class Tensors {
 public:
  Tensors(const AdapterFile& file, int64_t experts) : file_(file), experts_(experts) {}

  void add(const AdapterPart& part, const ModelPart& place) {
    const double alpha = file_.alpha > 0 ? file_.alpha : 1;
    const Tensor a = part.a.to(DType::f32), b = b_of(part, place, alpha);
    const std::string& name = place.part.gguf;
    REQUIRE(!name.empty(), file_.where(), ": adapts \"", part.matrix,
            "\", which has no place in a GGUF file");
    if (place.part.expert < 0) {
      list_.push_back({name + kA, a});
      list_.push_back({name + kB, b});
      return;
    }
    put(name + kA, a, place.part.expert);
    put(name + kB, b, place.part.expert);
  }
  const std::vector<NamedTensor>& list() const { return list_; }

 private:
  void put(const std::string& name, const Tensor& matrix, int64_t expert) {
    const auto [at, is_new] = stacks_.emplace(name, list_.size());
    if (is_new) list_.push_back({name, Tensor::zeros({experts_, matrix.dim(0), matrix.dim(1)})});
    const Tensor stack = list_[at->second].value;
    REQUIRE(stack.dim(1) == matrix.dim(0) && stack.dim(2) == matrix.dim(1), file_.where(),
            ": the experts' ranks differ in \"", name, "\", which GGUF cannot hold");
    stack.rows(expert, expert + 1).copy_from(matrix);
  }

  const AdapterFile& file_;
  int64_t experts_;
  std::vector<NamedTensor> list_;
  std::map<std::string, size_t> stacks_;  // numbers of the list
};

}  // namespace

void write_gguf_adapter(const fs::path& to, const AdapterFile& file, Model& model) {
  const std::string architecture = gguf_architecture(model);
  const Adapter adapter = fit_adapter(file, model);
  bool is_plain = adapter.extras.empty();
  for (const AdapterPart& part : adapter.parts) is_plain &= !part.magnitude;
  REQUIRE(is_plain, file.where(), ": GGUF holds plain LoRA alone, not ",
          adapter.extras.empty() ? "DoRA's magnitudes" : peft_kind(file.kind),
          ": merge it into its base (malssi tune merge)");
  model.attach(adapter);  // checks every shape
  std::map<std::string, ModelPart> places;
  for (const ModelPart& p : parts_of(model)) places[bare_name(without_weight(p.part.name))] = p;
  Tensors tensors(file, model.config().experts);
  for (const AdapterPart& part : adapter.parts)
    tensors.add(part, places.at(bare_name(part.matrix)));
  GgufWriter writer(to);
  writer.put("general.type", std::string("adapter"));
  writer.put("general.architecture", architecture);
  if (!file.base.empty()) writer.put("general.base_model.0.name", file.base);
  writer.put("adapter.type", std::string("lora"));
  writer.put("adapter.lora.alpha", file.alpha > 0 ? file.alpha : 1);
  for (const auto& [name, value] : tensors.list()) writer.announce(name, DType::f32, value.shape());
  for (const auto& [name, value] : tensors.list()) writer.write(value.data(), value.bytes());
  writer.commit();
}

}  // namespace malssi
