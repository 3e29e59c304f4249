#include "models/value_head.h"

#include "base/error.h"
#include "models/classifier.h"

namespace malssi {
namespace {

constexpr std::string_view kClassifier = "ForSequenceClassification";

class ValueModel : public Model {
 public:
  explicit ValueModel(std::unique_ptr<Model> body)
      : Model(body->config(), body->dtype()),
        body_(std::move(body)),
        score_(Tensor::zeros({1, config_.width}).to(dtype_)) {
    score_.want_grad();
  }

  Tensor hidden(std::span<const int32_t> ids, Context& context) override {
    return body_->hidden(ids, context);
  }
  const Tensor& head() const override { return score_; }
  void keep(KeepForBackward what) override { body_->keep(what); }
  void visit(const std::function<void(const Parameter&)>& visitor) override {
    body_->visit([&](const Parameter& parameter) {
      if (parameter.name != "head.weight") visitor(parameter);
    });
    const WeightPart part{.name = "score.weight", .begin = 0, .end = 1};
    visitor(
        {.name = "score.weight", .value = &score_, .kind = ParameterKind::matrix, .parts = {part}});
  }

 private:
  std::unique_ptr<Model> body_;
  Tensor score_;  // [1, width]
};

std::string architecture_of(const Json& json) {
  if (!json.contains("architectures") || !json["architectures"].is_array()) return "";
  const Json& list = json["architectures"];
  return list.empty() || !list[0].is_string() ? "" : list[0].get<std::string>();
}

}  // namespace

std::unique_ptr<Model> with_value_head(std::unique_ptr<Model> body) {
  CHECK(!has_value_head(*body), "a model has one value head");
  return std::make_unique<ValueModel>(std::move(body));
}

bool has_value_head(const Model& model) { return dynamic_cast<const ValueModel*>(&model); }

Parameter trained_value_head(Model& model) {
  Parameter head;
  model.visit([&](const Parameter& p) {
    if (p.name == "score.weight") head = p;
  });
  CHECK(head.value != nullptr, "the model has no value head");
  head.value->want_grad();
  head.name = "score";
  return head;
}

bool value_head_from_hf(const Json& json, std::string_view where) {
  const std::optional<Labels> labels = labels_from_hf(json, where);
  const bool is_regression = json.contains("problem_type") && json["problem_type"] == "regression";
  return labels && labels->size() == 1 && !is_regression;
}

void put_value_head(const Model& model, Json& json) {
  const std::string architecture = architecture_of(json);
  const size_t end = std::min(architecture.find("ForCausalLM"), architecture.find("LMHeadModel"));
  json["architectures"] = {architecture.substr(0, end) + std::string(kClassifier)};
  json["num_labels"] = 1;
  json["id2label"] = {{"0", "reward"}};
  json["label2id"] = {{"reward", 0}};
  const ModelConfig& config = model.config();
  const int64_t pad = config.pad_id >= 0 ? config.pad_id : config.eos_id;
  if (pad >= 0) json["pad_token_id"] = pad;
}

}  // namespace malssi
