// Heads that adapters bring: a reward model's or a classifier's, which PEFT saves whole (modules_to_save).
#include <map>

#include "base/error.h"
#include "io/adapter_formats.h"
#include "models/classifier.h"
#include "models/value_head.h"

namespace malssi {
namespace {

constexpr const char* kOther = ": the adapter was made for another base model";

void copy(const Tensor& from, Tensor to, const std::string& name, const AdapterFile& file) {
  REQUIRE(from.shape() == to.shape(), file.where(), ": \"", name, "\" is ", from.shape(),
          ", the model's head has ", to.shape(), kOther);
  to.copy_from(from);
}

void fit_labels(const AdapterFile& file, Model& model) {
  std::map<std::string, Tensor> brought;
  for (const NamedTensor& each : file.head) brought[each.name] = each.value;
  model.visit([&](const Parameter& p) {
    if (!p.name.starts_with("classifier.")) return;
    const std::string& name = p.parts.front().name;
    const auto found = brought.find(name);
    REQUIRE(found != brought.end() || p.name.starts_with("classifier.dense."), file.where(),
            ": has no \"", name, "\", which the scores of labels need", kOther);
    if (found == brought.end()) return;  // PEFT leaves BERT's pooler to the base
    copy(found->second, *p.value, name, file);
    brought.erase(found);
  });
  REQUIRE(brought.empty(), file.where(), ": holds \"", brought.begin()->first,
          "\", which the head of a ", model.config().family, " model does not have", kOther);
}

}  // namespace

int64_t AdapterFile::labels() const {
  for (const NamedTensor& each : head)
    for (const char* matrix : {"score.weight", "classifier.weight", "classifier.out_proj.weight"})
      if (each.name == matrix) return each.value.dim(0);
  return 0;
}

void fit_head(const AdapterFile& file, Model& model) {
  if (labels_of(model)) return fit_labels(file, model);
  const bool is_score = file.head.size() == 1 && file.head.front().name == "score.weight";
  if (is_score && has_value_head(model))
    return copy(file.head.front().value, model.head(), "score.weight", file);
  REQUIRE(!is_score || file.labels() != 1, file.where(),
          ": makes a reward model, which writes no answers: name it where a reward model is asked "
          "for (malssi align ppo --reward)");
  throw Error(concat(file.where(), ": makes a classifier of ", file.labels(),
                     " labels: use it with malssi classify --lora"));
}

}  // namespace malssi
