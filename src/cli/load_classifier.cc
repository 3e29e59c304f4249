#include "cli/load_classifier.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "cli/generation_flags.h"
#include "train/run/too_long.h"

namespace malssi {
namespace {

// Of the first adapter that brings a head; 0: none does.
int64_t brought_labels(const LoraFlags& lora) {
  for (const LoraChoice& choice : lora.choices())
    if (const int64_t count = open_adapter(choice.path).labels(); count > 0) return count;
  return 0;
}

Labels named_labels(const fs::path& model, int64_t count) {
  const fs::path config = find_model(model) / "config.json";
  if (const auto known = labels_from_hf(load_json(config), config.string());
      known && known->size() == count)
    return *known;
  Labels labels;
  for (int64_t i = 0; i < count; ++i) labels.names.push_back(concat("LABEL_", i));
  return labels;
}

}  // namespace

LoadedModel load_classifier(const std::string& model, const std::string& dtype,
                            const LoraFlags& lora) {
  const std::optional<DType> compute = compute_dtype(dtype);
  const int64_t brought = brought_labels(lora);
  LoadedModel loaded = brought == 0 ? load_model(model, compute)
                                    : load_for_labels(model, named_labels(model, brought),
                                                      {.compute = compute.value_or(DType::f32)});
  REQUIRE(labels_of(*loaded.model), model,
          ": the model has no labels: name a classifier (malssi tune classify), or with --lora an "
          "adapter that makes it one");
  loaded.adapters = lora.attach(*loaded.model);
  return loaded;
}

std::vector<ClassifierText> read_texts(const LoadedModel& loaded,
                                       const std::vector<std::string_view>& texts,
                                       Console& console) {
  const int64_t context = loaded.model->config().context;
  std::vector<ClassifierText> read;
  for (const std::string_view text : texts)
    read.push_back(classifier_text(*loaded.model, *loaded.tokenizer, text, context));
  tell_too_long(
      {.records = "texts",
       .all = std::ssize(read),
       .cut = std::count_if(read.begin(), read.end(), [](const auto& text) { return text.is_cut; }),
       .most = context,
       .settings = "the model's context"},
      console);
  return read;
}

}  // namespace malssi
