#include "models/classifier.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "nn/layers.h"
#include "ops/activation.h"
#include "ops/linear.h"
#include "ops/residual.h"
#include "ops/sequence_rows.h"

namespace malssi {
namespace {

constexpr std::string_view kClassifier = "ForSequenceClassification";
constexpr int64_t kMostLabels = 65536;
constexpr int64_t kMostScores = int64_t{1} << 28;  // of a table of n-grams
const std::string kPooling = "classifier_pooling", kMean = "mean";
const std::string kNgrams = "classifier_ngrams", kLongest = "classifier_ngram_longest",
                  kBuckets = "classifier_ngram_buckets";
constexpr std::array<const char*, 3> kNgramKinds = {"none", "words", "characters"};
constexpr int64_t kLongestNgram = 16;

// What stands between body and scores in a family's published models.
struct HeadDesign {
  std::string dense = {};  // a layer of the body's width before the scores; empty: none
  std::string output = "score";
  bool is_relu = false;     // after the dense layer; else tanh
  bool has_bias = false;    // of the output
  std::string prefix = {};  // of the body's weights
  bool has_gguf = false;    // GGUF knows such heads: as llama.cpp does, of BERT alone
};

HeadDesign head_design(const ModelConfig& config) {
  if (!is_encoder(config)) return {};
  if (config.family == "roberta")
    return {.dense = "classifier.dense",
            .output = "classifier.out_proj",
            .has_bias = true,
            .prefix = "roberta."};
  if (config.family == "distilbert")
    return {.dense = "pre_classifier",
            .output = "classifier",
            .is_relu = true,
            .has_bias = true,
            .prefix = "distilbert."};
  return {.dense = "bert.pooler.dense",
          .output = "classifier",
          .has_bias = true,
          .prefix = "bert.",
          .has_gguf = true};
}

Tensor zero_bias(int64_t size) {
  Tensor bias = Tensor::zeros({size});
  bias.want_grad();
  return bias;
}

class ClassifierModel : public Model {
 public:
  ClassifierModel(std::unique_ptr<Model> body, const Labels& labels, uint64_t seed)
      : Model(body->config(), body->dtype()),
        body_(std::move(body)),
        labels_(labels),
        design_(head_design(config_)) {
    Rng rng(seed, 0x5eed);
    if (!design_.dense.empty()) {
      dense_ = random_table(&rng, config_.width, config_.width, 0.02, DType::f32);
      dense_bias_ = zero_bias(config_.width);
    }
    const bool is_counted = labels.ngrams.kind != NgramKind::none;
    output_ = is_counted ? Tensor::zeros({labels.size(), config_.width}).want_grad()
                         : random_table(&rng, labels.size(), config_.width, 0.02, DType::f32);
    if (design_.has_bias) output_bias_ = zero_bias(labels.size());
    if (is_counted) ngrams_ = Tensor::zeros({labels.ngrams.buckets, labels.size()});
  }

  Tensor hidden(std::span<const int32_t> ids, Context& context) override {
    return body_->hidden(ids, context);
  }
  const Tensor& head() const override { return body_->head(); }
  const Labels& labels() const { return labels_; }
  const Tensor& ngrams() const { return ngrams_; }

  Tensor scores(const Tensor& hidden, std::span<const int32_t> starts, uint64_t seed) const {
    const auto place = is_encoder(config_) ? SequencePlace::first : SequencePlace::last;
    const float rate = seed == 0 ? 0 : static_cast<float>(config_.dropout);
    Tensor x = labels_.pooling == LabelPooling::mean ? sequence_means(hidden, starts)
                                                     : sequence_rows(hidden, starts, place);
    if (dense_.defined()) {
      x = linear(x, dense_, {.bias = dense_bias_, .out = DType::f32});
      x = design_.is_relu ? relu(x) : tanh(x);
    }
    return linear(dropout(x, {rate, seed}), output_, {.bias = output_bias_, .out = DType::f32});
  }

  void visit(const std::function<void(const Parameter&)>& visitor) override {
    body_->visit([&](const Parameter& parameter) {
      if (parameter.name == "head.weight") return;
      Parameter named = parameter;
      for (WeightPart& part : named.parts) part.name = design_.prefix + part.name;
      visitor(named);
    });
    show("classifier.dense", {design_.dense, design_.has_gguf ? "cls" : ""}, dense_, dense_bias_,
         visitor);
    show("classifier.output", {design_.output, design_.has_gguf ? "cls.output" : ""}, output_,
         output_bias_, visitor);
    Tensor no_bias;
    show("ngrams", {"ngrams", ""}, ngrams_, no_bias, visitor);
  }

 private:
  struct Names {
    std::string published, gguf;  // gguf: empty where it has none
  };
  static void show(const std::string& name, const Names& names, Tensor& weight, Tensor& bias,
                   const std::function<void(const Parameter&)>& visitor) {
    const auto part = [&](const char* end, const Tensor& value) {
      return std::vector{WeightPart{.name = names.published + end,
                                    .begin = 0,
                                    .end = value.shape()[0],
                                    .gguf = names.gguf.empty() ? "" : names.gguf + end}};
    };
    if (weight.defined())
      visitor({.name = name + ".weight",
               .value = &weight,
               .kind = ParameterKind::matrix,
               .parts = part(".weight", weight)});
    if (bias.defined())
      visitor({.name = name + ".bias",
               .value = &bias,
               .kind = ParameterKind::bias,
               .parts = part(".bias", bias)});
  }

  std::unique_ptr<Model> body_;
  Labels labels_;
  HeadDesign design_;
  Tensor dense_, dense_bias_;    // [width, width], [width]; or undefined
  Tensor output_, output_bias_;  // [labels, width], [labels]
  Tensor ngrams_;                // [buckets, labels], or undefined
};

const ClassifierModel* classifier_of(const Model& model) {
  return dynamic_cast<const ClassifierModel*>(&model);
}

void check_ngrams(const Labels& labels) {
  const NgramTable& table = labels.ngrams;
  if (table.kind == NgramKind::none) return;
  REQUIRE(table.longest >= 1 && table.longest <= kLongestNgram, "n-grams of up to ", table.longest,
          ": expected 1 to ", kLongestNgram);
  const int64_t most = kMostScores / labels.size();
  REQUIRE(table.buckets >= 1 && table.buckets <= most, table.buckets, " buckets of n-grams for ",
          labels.size(), " labels: expected 1 to ", most);
}

NgramTable ngrams_from_hf(const Json& json, std::string_view where) {
  const auto kind = get_or<std::string>(json, kNgrams, kNgramKinds[0], where);
  const auto known = std::find(kNgramKinds.begin(), kNgramKinds.end(), kind);
  REQUIRE(known != kNgramKinds.end(), where, ": \"", kNgrams, "\" is \"", kind,
          "\", expected words or characters");
  if (known == kNgramKinds.begin()) return {};
  return {.kind = static_cast<NgramKind>(known - kNgramKinds.begin()),
          .longest = get<int64_t>(json, kLongest, where),
          .buckets = get<int64_t>(json, kBuckets, where)};
}

std::string architecture_of(const Json& json) {
  if (!json.contains("architectures") || !json["architectures"].is_array()) return "";
  const Json& list = json["architectures"];
  return list.empty() || !list[0].is_string() ? "" : list[0].get<std::string>();
}

}  // namespace

std::unique_ptr<Model> with_classifier(std::unique_ptr<Model> body, const Labels& labels,
                                       uint64_t seed) {
  CHECK(!labels_of(*body), "a model has one classifier");
  REQUIRE(labels.size() >= 1 && labels.size() <= kMostLabels, "a classifier of ", labels.size(),
          " labels: expected 1 to ", kMostLabels);
  check_ngrams(labels);
  return std::make_unique<ClassifierModel>(std::move(body), labels, seed);
}

const Labels* labels_of(const Model& model) {
  const ClassifierModel* classifier = classifier_of(model);
  return classifier ? &classifier->labels() : nullptr;
}

Tensor label_scores(const Model& model, const Tensor& hidden, std::span<const int32_t> starts,
                    uint64_t dropout_seed) {
  const ClassifierModel* classifier = classifier_of(model);
  CHECK(classifier, "scores of labels come from a classifier");
  return classifier->scores(hidden, starts, dropout_seed);
}

Tensor ngram_table(const Model& model) {
  const ClassifierModel* classifier = classifier_of(model);
  return classifier ? classifier->ngrams() : Tensor();
}

void add_ngram_scores(const Model& model, std::span<const int64_t> buckets,
                      std::span<float> scores) {
  if (buckets.empty()) return;
  const Tensor table = ngram_table(model);
  CHECK(table.defined() && table.dim(1) == std::ssize(scores), "a table for these labels");
  for (const int64_t bucket : buckets)
    for (size_t i = 0; i < scores.size(); ++i)
      scores[i] += table.f32()[bucket * table.dim(1) + static_cast<int64_t>(i)];
}

std::optional<Labels> labels_from_hf(const Json& json, std::string_view where) {
  if (!architecture_of(json).ends_with(kClassifier)) return std::nullopt;
  const Json names =
      json.contains("id2label") && json["id2label"].is_object() ? json["id2label"] : Json::object();
  const int64_t stated = names.empty() ? 2 : static_cast<int64_t>(names.size());
  const int64_t count = get_or<int64_t>(json, "num_labels", stated, where);
  REQUIRE(count >= 1 && count <= kMostLabels, where, ": \"num_labels\" is ", count,
          ", expected 1 to ", kMostLabels);
  const bool said = json.contains("problem_type") && json["problem_type"].is_string();
  const std::string problem = said ? json["problem_type"].get<std::string>() : "";
  REQUIRE(problem != "multi_label_classification", where,
          ": \"problem_type\" is multi_label_classification, where several labels hold at once; "
          "read are classifiers of one label and regression");
  Labels labels;
  labels.is_regression = problem == "regression" || (problem.empty() && count == 1);
  for (int64_t i = 0; i < count; ++i) {
    const std::string id = std::to_string(i);
    labels.names.push_back(get_or<std::string>(names, id, "LABEL_" + id, where));
  }
  const std::set<std::string> distinct(labels.names.begin(), labels.names.end());
  REQUIRE(static_cast<int64_t>(distinct.size()) == count, where,
          ": two labels of \"id2label\" have the same name");
  if (get_or<std::string>(json, kPooling, "", where) == kMean) labels.pooling = LabelPooling::mean;
  labels.ngrams = ngrams_from_hf(json, where);
  return labels;
}

void put_labels(const Model& model, Json& json) {
  const Labels& labels = *labels_of(model);
  std::string architecture = architecture_of(json);
  for (const std::string_view end : {"ForCausalLM", "LMHeadModel", "Model"}) {
    if (!architecture.ends_with(end)) continue;
    architecture.resize(architecture.size() - end.size());
    break;
  }
  json["architectures"] = {architecture + std::string(kClassifier)};
  json["num_labels"] = labels.size();
  json["problem_type"] = labels.is_regression ? "regression" : "single_label_classification";
  if (labels.pooling == LabelPooling::mean) json[kPooling] = kMean;
  if (labels.ngrams.kind != NgramKind::none) {
    json[kNgrams] = kNgramKinds[static_cast<size_t>(labels.ngrams.kind)];
    json[kLongest] = labels.ngrams.longest;
    json[kBuckets] = labels.ngrams.buckets;
  }
  json["id2label"] = Json::object();
  json["label2id"] = Json::object();
  for (int64_t i = 0; i < labels.size(); ++i) {
    const std::string& name = labels.names[static_cast<size_t>(i)];
    json["id2label"][std::to_string(i)] = name;
    json["label2id"][name] = i;
  }
  const ModelConfig& config = model.config();
  const int64_t pad = config.pad_id >= 0 ? config.pad_id : config.eos_id;
  if (pad >= 0) json["pad_token_id"] = pad;
}

}  // namespace malssi
