#include "train/tune/classify.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "base/json.h"
#include "infer/classify.h"
#include "infer/model_predictor.h"
#include "models/weight_formula.h"
#include "train/resume.h"
#include "train/runs.h"
#include "train/tune/classify_objective.h"
#include "train/tune/label_loss.h"

namespace malssi {
namespace {

ModelConfig config_of(const Json& json) {
  ModelConfig config;
  config.family = json["family"];
  config.vocab = json["vocab"];
  config.width = json["width"];
  config.layers = json["layers"];
  config.heads = json["heads"];
  config.kv_heads = json["kv_heads"];
  config.hidden = json["hidden"];
  config.context = json["context"];
  config.tied = json["tied"];
  config.bias = json["bias"];
  if (json.contains("activation")) {
    config.activation = json["activation"];
    config.token_types = json["token_types"];
    config.pad_id = json["pad_id"];
    config.norm_eps = 1e-12;
  }
  return config;
}

struct Golden {
  Json all = load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/train/golden_classifier.json");
  std::vector<int32_t> ids = all["ids"], starts = all["starts"];

  LabelledSet set(const Json& one) const {
    LabelledSet set;
    for (size_t s = 0; s + 1 < starts.size(); ++s) {
      LabelledSequence sequence;
      sequence.ids.assign(ids.begin() + starts[s], ids.begin() + starts[s + 1]);
      if (one.contains("labels")) sequence.label = one["labels"][s];
      if (one.contains("values")) sequence.value = one["values"][s];
      set.sequences.push_back(sequence);
    }
    return set;
  }
};

std::unique_ptr<Model> golden_model(const Json& one) {
  const bool is_regression = one.contains("values");
  Labels labels{.names = {"a", "b", "c"}, .is_regression = is_regression};
  if (is_regression) labels.names = {"score"};
  auto model = with_classifier(make_model(config_of(one["config"]), DType::f32, 1), labels, 1);
  fill_by_formula(*model);
  return model;
}

void expect_gradients_of(const Json& one, Model& model) {
  for (const Parameter& p : parameters_of(model)) {
    const std::vector<float> got = p.value->grad().to_vector();
    const int64_t row = p.value->size() / p.value->dim(0);
    for (const WeightPart& part : p.parts) {
      double squares = 0;
      for (int64_t i = part.begin * row; i < part.end * row; ++i)
        squares += static_cast<double>(got[static_cast<size_t>(i)]) * got[static_cast<size_t>(i)];
      const double norm = one["gradient_norms"][part.name];
      EXPECT_NEAR(std::sqrt(squares), norm, 1e-5 * norm + 1e-7) << part.name;
      for (size_t i = 0; i < 3; ++i) {
        if (one["gradients"][part.name].size() <= i) break;
        EXPECT_NEAR(got[static_cast<size_t>(part.begin * row) + i],
                    one["gradients"][part.name][i].get<double>(), 1e-5 * norm + 1e-7)
            << part.name;
      }
    }
  }
}

TEST(ClassifyObjective, ScoresLossAndGradientsAreThoseOfPyTorch) {
  const Golden golden;
  for (const Json& one : golden.all["cases"]) {
    SCOPED_TRACE(one["config"]["family"].get<std::string>());
    const auto model = golden_model(one);
    const LabelledSet set = golden.set(one);
    std::vector<ClassifierText> texts;
    for (const LabelledSequence& each : set.sequences) texts.push_back({.ids = each.ids});
    size_t at = 0;
    for (const std::vector<float>& row : classify(*model, texts))
      for (const float score : row) EXPECT_NEAR(score, one["scores"][at++].get<double>(), 1e-5);
    ClassifyOptions options{.records_per_step = 3};
    if (one.contains("class_weights"))
      options.class_weights = one["class_weights"].get<std::vector<double>>();
    ClassifyObjective objective(*model, set, nullptr, options);
    const double loss = one["loss"];
    EXPECT_NEAR(objective.accumulate(0)->loss, loss, 1e-5 * loss);
    expect_gradients_of(one, *model);
  }
}

TEST(ClassifyObjective, AStepInPiecesIsTheStepAtOnce) {
  const Golden golden;
  const Json& one = golden.all["cases"][0];
  std::vector<std::vector<float>> gradients;
  std::vector<double> losses;
  for (const int64_t piece_tokens : {1, 100}) {
    const auto model = golden_model(one);
    const LabelledSet set = golden.set(one);
    ClassifyObjective objective(*model, set, nullptr,
                                {.class_weights = {0.5, 1, 2},
                                 .lm_weight = 0.5,
                                 .records_per_step = 3,
                                 .piece_tokens = piece_tokens});
    losses.push_back(objective.accumulate(0)->loss);
    gradients.emplace_back();
    for (const Parameter& p : parameters_of(*model))
      for (const float each : p.value->grad().to_vector()) gradients.back().push_back(each);
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-6);
  for (size_t i = 0; i < gradients[0].size(); ++i)
    ASSERT_NEAR(gradients[0][i], gradients[1][i], 1e-6);
}

TEST(ClassifyObjective, TokensAreLeftOutButForTheFirstAndTheLast) {
  const Golden golden;
  const Json& one = golden.all["cases"][0];
  LabelledSet set;
  for (int64_t label = 0; label < 3; ++label)
    set.sequences.push_back({.ids = std::vector<int32_t>(20, 3), .label = label});
  const auto tokens_at = [&](double rate, int64_t step) {
    const auto model = golden_model(one);
    ClassifyObjective objective(*model, set, nullptr,
                                {.token_dropout = rate, .records_per_step = 3});
    return objective.accumulate(step)->tokens;
  };
  EXPECT_EQ(tokens_at(0, 1), 60);
  EXPECT_EQ(tokens_at(1, 1), 6);
  const int64_t half = tokens_at(0.5, 1);
  EXPECT_EQ(half, tokens_at(0.5, 1));
  EXPECT_GT(half, 15);
  EXPECT_LT(half, 51);
  EXPECT_TRUE(half != tokens_at(0.5, 2) || half != tokens_at(0.5, 3));
}

TEST(ConfidentLoss, MixesTheLabelWithTheLikeliestClass) {
  const std::vector<float> scores = {0.5f, 2, -1};
  const LabelLoss label = class_loss(scores, 0, 2), best = class_loss(scores, 1, 2);
  const LabelLoss mixed = confident_loss(scores, 0, 2, 0.25);
  EXPECT_NEAR(mixed.value, 0.75 * label.value + 0.25 * best.value, 1e-12);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(mixed.derivatives[i], 0.75 * label.derivatives[i] + 0.25 * best.derivatives[i],
                1e-12);
  EXPECT_EQ(confident_loss(scores, 0, 2, 0).value, label.value);
}

TEST(ClassifyObjective, ConfidenceRisesFromNothingOverItsSteps) {
  const Golden golden;
  const Json& one = golden.all["cases"][0];
  const LabelledSet set = golden.set(one);
  const auto loss_at = [&](double confidence, int64_t step) {
    const auto model = golden_model(one);
    ClassifyObjective objective(
        *model, set, nullptr,
        {.confidence = confidence, .confidence_steps = 10, .records_per_step = 3});
    return objective.accumulate(step)->loss;
  };
  const double plain = loss_at(0, 5), half = loss_at(0.5, 5), full = loss_at(0.5, 10);
  EXPECT_EQ(loss_at(0.5, 0), plain);
  EXPECT_LT(half, plain);
  EXPECT_NEAR(plain - full, 2 * (plain - half), 1e-5);
  EXPECT_NEAR(loss_at(0.5, 100), full, 1e-6);
}

// A base model, and texts whose label is said by one of their words.
class Classify : public testing::Test {
 protected:
  void SetUp() override {
    auto pretraining = little_config(scratch_, "base");
    pretraining.model.context = 32;
    pretraining.train.steps = 2;
    Listener listener;
    base_ = run_pretrain(pretraining, listener.console()).model;
    std::string table = "id\ttext\tmood\tscore\n";
    Rng rng(5);
    for (int i = 0; i < 120; ++i) {
      const bool good = rng.chance(0.5);
      const std::string name = rng.chance(0.5) ? "Mina" : "Tom";
      table += concat(i, "\t", name, good ? " likes tea." : " sees rain.", "\t",
                      good ? "good" : "bad", "\t", good ? 2.5 : -1.5, "\n");
    }
    overwrite(scratch_ / "moods.tsv", table);
  }

  ClassifyConfig config(const std::string& out) const {
    ClassifyConfig config;
    config.classify.model = base_.string();
    config.classify.data = {(scratch_ / "moods.tsv").string()};
    config.classify.label_column = "mood";
    config.classify.epochs = 4;
    config.optim.lr = 1e-2;
    config.optim.warmup_steps = 2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.batch_rows = 8;
    config.train.eval_every = 8;
    config.train.checkpoint_every = 8;
    config.log.every = 1;
    return config;
  }

  std::vector<std::vector<float>> scores(const LoadedModel& loaded,
                                         const std::vector<std::string>& texts) const {
    std::vector<ClassifierText> read;
    for (const std::string& text : texts)
      read.push_back(classifier_text(*loaded.model, *loaded.tokenizer, text, 32));
    return classify(*loaded.model, read);
  }

  ScratchFolder scratch_;
  fs::path base_;
};

TEST_F(Classify, LearnsLabelsAndIsReadAgainAsItWasWritten) {
  Listener listener;
  const RunResult result = run_classify(config("run"), listener.console());
  EXPECT_EQ(result.end, LoopEnd::finished);
  const Json json = load_json(result.model / "config.json");
  EXPECT_EQ(json["architectures"][0], "LlamaForSequenceClassification");
  EXPECT_EQ(json["id2label"], (Json{{"0", "bad"}, {"1", "good"}}));
  EXPECT_EQ(json["problem_type"], "single_label_classification");
  const LoadedModel loaded = load_model(result.model, DType::f32);
  ASSERT_TRUE(labels_of(*loaded.model));
  EXPECT_EQ(labels_of(*loaded.model)->names, (std::vector<std::string>{"bad", "good"}));
  const auto answers = scores(loaded, {"Tom likes tea.", "Mina sees rain."});
  EXPECT_GT(answers[0][1], answers[0][0]);
  EXPECT_GT(answers[1][0], answers[1][1]);
  const auto metrics = read_metrics(scratch_ / "run/metrics.jsonl");
  EXPECT_EQ(metrics.back().figure("val_accuracy"), 1);
  EXPECT_TRUE(contains(error_of([&] { ModelPredictor(*loaded.model, 1, 8); }), "classifier"));
}

TEST_F(Classify, AHeadOnTheMeanOfAllTokensIsReadAgainAsSuch) {
  auto mean = config("run");
  mean.classify.pooling = "mean";
  mean.classify.token_dropout = 0.2;
  Listener listener;
  const RunResult result = run_classify(mean, listener.console());
  EXPECT_EQ(load_json(result.model / "config.json")["classifier_pooling"], "mean");
  const LoadedModel loaded = load_model(result.model, DType::f32);
  ASSERT_TRUE(labels_of(*loaded.model));
  EXPECT_EQ(labels_of(*loaded.model)->pooling, LabelPooling::mean);
  const auto answers = scores(loaded, {"Tom likes tea.", "Mina sees rain."});
  EXPECT_GT(answers[0][1], answers[0][0]);
  EXPECT_GT(answers[1][0], answers[1][1]);
  mean.classify.model = result.model.string();  // goes on with the same head
  mean.train.out = (scratch_ / "more").string();
  mean.train.steps = 1;
  mean.optim.lr = 1e-12;
  const RunResult more = run_classify(mean, listener.console());
  const auto again = scores(load_model(more.model, DType::f32), {"Tom likes tea."});
  EXPECT_NEAR(again[0][0], answers[0][0], 1e-4);
}

TEST_F(Classify, CountedNgramsAreAddedAndReadAgain) {
  auto counting = config("run");
  counting.classify.ngrams = "words";
  counting.classify.ngram_buckets = 4096;
  counting.train.steps = 1;
  counting.optim.lr = 1e-12;  // the head says nothing yet
  Listener listener;
  const RunResult result = run_classify(counting, listener.console());
  EXPECT_TRUE(contains(listener.text(), "n-grams: counted; alone they tell 100.0%"));
  const Json json = load_json(result.model / "config.json");
  EXPECT_EQ(json["classifier_ngrams"], "words");
  EXPECT_EQ(json["classifier_ngram_longest"], 2);
  EXPECT_EQ(json["classifier_ngram_buckets"], 4096);
  const LoadedModel loaded = load_model(result.model, DType::f32);
  EXPECT_EQ(labels_of(*loaded.model)->ngrams, (NgramTable{NgramKind::words, 2, 4096}));
  const auto answers = scores(loaded, {"Mina likes tea.", "Mina sees rain.", "a"});
  EXPECT_GT(answers[0][1], answers[0][0] + 1);
  EXPECT_GT(answers[1][0], answers[1][1] + 1);
  EXPECT_NEAR(answers[2][0], answers[2][1], 0.5);
  counting.classify.model = result.model.string();  // goes on, on another table
  counting.classify.ngrams = "characters";
  counting.classify.ngram_buckets = 1000;
  counting.train.out = (scratch_ / "more").string();
  const RunResult more = run_classify(counting, listener.console());
  const LoadedModel again = load_model(more.model, DType::f32);
  EXPECT_EQ(labels_of(*again.model)->ngrams, (NgramTable{NgramKind::characters, 4, 1000}));
}

TEST_F(Classify, LearnsNumbers) {
  auto regression = config("run");
  regression.classify.task = "regression";
  regression.classify.label_column = "score";
  Listener listener;
  const RunResult result = run_classify(regression, listener.console());
  const LoadedModel loaded = load_model(result.model, DType::f32);
  ASSERT_TRUE(labels_of(*loaded.model));
  EXPECT_TRUE(labels_of(*loaded.model)->is_regression);
  const auto answers = scores(loaded, {"Tom likes tea.", "Mina sees rain."});
  EXPECT_NEAR(answers[0][0], 2.5, 0.5);
  EXPECT_NEAR(answers[1][0], -1.5, 0.5);
}

TEST_F(Classify, StoppedAndResumedEndsWithTheSameWeights) {
  auto whole = config("whole"), parts = config("parts");
  for (ClassifyConfig* each : {&whole, &parts}) {
    each->classify.lm_weight = 0.5;
    each->classify.ngrams = "words";
    each->classify.ngram_buckets = 512;
    each->classify.data[0] += ":1.5";
  }
  Listener quiet;
  const RunResult expected = run_classify(whole, quiet.console());
  bool sent = false;
  Listener listener([&](const std::string& text) {
    if (sent || !contains(text, "step 8: validation")) return;
    sent = true;
    std::raise(SIGTERM);
  });
  ASSERT_EQ(run_classify(parts, listener.console()).end, LoopEnd::interrupted);
  fs::rename(base_, scratch_ / "moved");  // all that is needed lies in the checkpoint
  const RunResult resumed = resume_run(scratch_ / "parts", {}, quiet.console());
  EXPECT_EQ(weights_of(resumed.model), weights_of(expected.model));
}

TEST_F(Classify, WhatCannotBeUsedIsToldInOneLine) {
  Listener listener;
  const auto message = [&](const ClassifyConfig& wrong) {
    const std::string text = error_of([&] { run_classify(wrong, listener.console()); });
    EXPECT_TRUE(is_one_line(text)) << text;
    return text;
  };
  auto column = config("run");
  column.classify.label_column = "label";
  EXPECT_TRUE(contains(message(column), "line 2: \"label\" is missing, found \"id\", \"text\""));
  auto numbers = config("run");
  numbers.classify.task = "regression";
  EXPECT_TRUE(contains(message(numbers), "line 2: the label is not a number"));
  overwrite(scratch_ / "one.csv", "text,label\na,x\nb,x\n");
  auto single = config("run");
  single.classify.data = {(scratch_ / "one.csv").string()};
  single.classify.label_column = "label";
  single.classify.val_fraction = 0;
  EXPECT_TRUE(contains(message(single), "all texts have the label \"x\""));
  auto counted = config("run");
  counted.classify.task = "regression";
  counted.classify.label_column = "score";
  counted.classify.ngrams = "words";
  EXPECT_TRUE(contains(message(counted), "a regression has no classes"));
  auto buckets = config("run");
  buckets.classify.ngrams = "words";
  buckets.classify.ngram_buckets = int64_t{1} << 40;
  EXPECT_TRUE(contains(message(buckets), "1099511627776 buckets of n-grams for 2 labels"));
  auto weight = config("run");
  weight.classify.data[0] += ":-1";
  EXPECT_TRUE(contains(message(weight), "the weight -1, expected more than 0"));
  EXPECT_FALSE(fs::exists(scratch_ / "run/run.json"));
}

TEST(ClassifierFolder, EncodersKeepTheirPublishedNames) {
  const Golden golden;
  ScratchFolder scratch;
  const auto tokenizer = make_byte_tokenizer({});
  for (size_t i = 2; i < 5; ++i) {
    Json one = golden.all["cases"][i];
    one["config"]["vocab"] = 300;
    const auto model = golden_model(one);
    const fs::path folder = scratch / one["config"]["family"].get<std::string>();
    save_model(folder, *model, *tokenizer, nullptr);
    const LoadedModel loaded = load_model(folder, DType::f32);
    ASSERT_TRUE(labels_of(*loaded.model));
    const std::vector<ClassifierText> texts = {{.ids = {5, 6, 7}}, {.ids = {8}}};
    EXPECT_EQ(classify(*loaded.model, texts), classify(*model, texts));
    EXPECT_TRUE(load_json(folder / "config.json")["architectures"][0].get<std::string>().ends_with(
        "ForSequenceClassification"));
    // A head for other labels begins anew above the layer that the file has.
    const Labels other{.names = {"x", "y"}};
    const LoadedModel again = load_for_labels(folder, other, {.seed = 3});
    EXPECT_EQ(labels_of(*again.model)->names, other.names);
  }
}

}  // namespace
}  // namespace malssi
