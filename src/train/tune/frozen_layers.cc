#include "train/tune/frozen_layers.h"

#include <charconv>
#include <optional>

#include "base/error.h"
#include "io/model_source.h"
#include "io/peft_targets.h"

namespace malssi {
namespace {

// The number in "layers.3.attention.qkv.weight"; what comes after all layers has none, and what comes before them -1.
std::optional<int64_t> layer_of(const std::string& name) {
  constexpr std::string_view kLayers = "layers.";
  if (name.starts_with(kLayers)) {
    int64_t layer = 0;
    std::from_chars(name.data() + kLayers.size(), name.data() + name.size(), layer);
    return layer;
  }
  const bool is_after = name.starts_with("norm.") || name.starts_with("head.");
  return is_after ? std::nullopt : std::optional<int64_t>(-1);
}

bool is_named(const Parameter& p, const PeftTargets& targets) {
  for (const WeightPart& part : p.parts)
    if (targets.name(part.name.substr(0, part.name.rfind('.')))) return true;
  return false;
}

void choose(const Model& model, const SftSettings& part, Trained& trained) {
  if (part.last_layers == 0 && part.trainable.empty()) return;
  const int64_t layers = model.config().layers;
  REQUIRE(part.last_layers <= layers, "sft.last_layers = ", part.last_layers,
          " is more than the model's ", layers, " layers");
  std::optional<PeftTargets> targets;
  if (!part.trainable.empty()) targets.emplace(peft_targets(part.trainable), "sft.trainable");
  double chosen = 0, all = 0;
  std::vector<Parameter> kept;
  for (const Parameter& p : trained.parameters) {
    const std::optional<int64_t> layer = layer_of(p.name);
    const bool is_last = part.last_layers == 0 || !layer || *layer >= layers - part.last_layers;
    all += static_cast<double>(p.value->size());
    if (is_last && (!targets || is_named(p, *targets))) {
      chosen += static_cast<double>(p.value->size());
      kept.push_back(p);
    } else {
      p.value->set_slot(nullptr);
    }
  }
  REQUIRE(!kept.empty(), "sft.trainable = \"", part.trainable,
          "\" names no weight of the model: see malssi inspect --tensors");
  trained.parameters = std::move(kept);
  trained.work = 1.0 / 3 + 2.0 / 3 * chosen / all;
}

void check_new_tokens(const fs::path& folder, const Model& model, const Trained& trained) {
  const auto is_embedding = [](const Parameter& p) { return p.name == "embedding.weight"; };
  if (std::ranges::any_of(trained.parameters, is_embedding)) return;
  const int64_t before = open_model(find_model(folder)).config.vocab;
  REQUIRE(model.config().vocab <= before, folder.string(), ": the chat template brings ",
          model.config().vocab - before,
          " tokens whose embeddings are frozen: choose another template (--chat-template alpaca), "
          "or train all weights first");
}

}  // namespace

Student load_tuned(const SftSettings& settings, const std::optional<fs::path>& checkpoint,
                   DType compute) {
  return load_student(
      checkpoint.value_or(settings.model),
      {.chat_template = settings.chat_template, .dropout = settings.dropout, .compute = compute});
}

Trained chosen_weights(const Student& student, const SftSettings& settings,
                       const std::optional<fs::path>& checkpoint) {
  Trained trained = whole_model(*student.model, *student.tokenizer, &student.chat);
  choose(*student.model, settings, trained);
  if (!checkpoint) check_new_tokens(settings.model, *student.model, trained);
  return trained;
}

}  // namespace malssi
