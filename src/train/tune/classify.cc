#include "train/tune/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/signal.h"
#include "data/labelled.h"
#include "data/mixture.h"
#include "infer/classify.h"
#include "train/run/new_run.h"
#include "train/run/too_long.h"
#include "train/tune/classify_objective.h"
#include "train/tune/label_loss.h"
#include "train/tune/ngram_counts.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

struct Texts {
  std::vector<LabelledText> train, validation;
  std::vector<double> weights;  // of train
};

std::vector<LabelledText> load(const fs::path& file, const ClassifySettings& settings,
                               Console& console) {
  LabelledData data = load_labelled(file, {.text_column = settings.text_column,
                                           .label_column = settings.label_column,
                                           .is_regression = settings.is_regression(),
                                           .skip_invalid = settings.skip_invalid});
  if (data.invalid > 0)
    console.warn(concat(file.string(), ": ", data.invalid,
                        " malformed records left out; the first: ", data.first_invalid));
  if (data.empty_texts > 0)
    console.warn(concat(file.string(), ": ", data.empty_texts, " empty texts left out"));
  return std::move(data.records);
}

Texts load_texts(const ClassifyConfig& config, Console& console) {
  const ClassifySettings& settings = config.classify;
  Texts texts;
  if (!settings.val.empty()) texts.validation = load(settings.val, settings, console);
  for (const MixPart& part : mix_parts(settings.data)) {
    std::vector<LabelledText> records = load(part.file, settings, console);
    if (settings.val.empty()) {
      const auto held =
          take_held_out(records, settings.val_fraction, static_cast<uint64_t>(config.train.seed));
      texts.validation.insert(texts.validation.end(), held.begin(), held.end());
    }
    texts.weights.insert(texts.weights.end(), records.size(), part.weight);
    std::move(records.begin(), records.end(), std::back_inserter(texts.train));
  }
  texts.weights = mixing_weights(std::move(texts.weights));
  const auto most = static_cast<size_t>(config.train.eval_rows);
  if (most > 0 && texts.validation.size() > most) texts.validation.resize(most);
  return texts;
}

NgramTable ngram_table_of(const ClassifySettings& settings) {
  if (settings.ngrams == "none") return {};
  const bool is_words = settings.ngrams == "words";
  const int64_t usual = is_words ? 2 : 4;
  return {.kind = is_words ? NgramKind::words : NgramKind::characters,
          .longest = settings.ngram_longest > 0 ? settings.ngram_longest : usual,
          .buckets = settings.ngram_buckets};
}

Labels labels_of_texts(const Texts& texts, const ClassifySettings& settings) {
  const auto pooling = settings.pooling == "mean" ? LabelPooling::mean : LabelPooling::one_token;
  if (settings.is_regression())
    return {.names = {settings.label_column}, .is_regression = true, .pooling = pooling};
  const Labels labels{
      .names = classes_of(texts.train), .pooling = pooling, .ngrams = ngram_table_of(settings)};
  REQUIRE(labels.size() >= 2, "all texts have the label \"", labels.names.front(),
          "\": a classifier needs two or more (for numbers: --task regression)");
  return labels;
}

LabelledSet encode(const std::vector<LabelledText>& texts, const LoadedModel& loaded,
                   int64_t context, int64_t& cut) {
  LabelledSet set;
  const Labels& labels = *labels_of(*loaded.model);
  for (const LabelledText& text : texts) {
    ClassifierText read = classifier_text(*loaded.model, *loaded.tokenizer, text.text, context);
    cut += read.is_cut;
    LabelledSequence sequence{
        .ids = std::move(read.ids), .value = text.value, .ngrams = std::move(read.ngrams)};
    if (!labels.is_regression) {
      const auto found = std::find(labels.names.begin(), labels.names.end(), text.label);
      REQUIRE(found != labels.names.end(), "the label \"", text.label,
              "\" of a validation text is none of the training texts'");
      sequence.label = found - labels.names.begin();
    }
    set.sequences.push_back(std::move(sequence));
  }
  return set;
}

std::vector<double> class_weights(const LabelledSet& set, const Labels& labels,
                                  const ClassifySettings& settings) {
  if (settings.class_weights == "none") return {};
  std::vector<int64_t> counts(labels.names.size(), 0);
  for (const LabelledSequence& each : set.sequences) ++counts[static_cast<size_t>(each.label)];
  return balanced_weights(counts);
}

// Counts the training texts' n-grams into the model's table. A training text's own count would tell its label, so the head learns
// beside what the others' say.
void count_ngrams(LabelledSet& train, Model& model, Console& console) {
  const Labels& labels = *labels_of(model);
  if (labels.ngrams.kind == NgramKind::none) return;
  const NgramCounts counts(train, labels);
  counts.fill(ngram_table(model));
  for (int64_t i = 0; i < train.size(); ++i)
    train.sequences[static_cast<size_t>(i)].ngram_scores = counts.scores_without(i);
  console.note(
      fmt::format("n-grams: counted; alone they tell {:.1f}% of the training texts, each "
                  "by what is counted in the others",
                  100 * counts.accuracy()));
}

// What learns: all weights but the table of n-grams, which is counted.
Trained learning(Model& model, const Tokenizer& tokenizer) {
  Trained trained = whole_model(model, tokenizer, nullptr);
  std::erase_if(trained.parameters, [](const Parameter& p) { return p.name == "ngrams.weight"; });
  return trained;
}

// Fills in what was left to choose, so that RUN/config.toml tells what is done.
void resolve(ClassifyConfig& config, const LabelledSet& set) {
  if (config.train.micro_batch_tokens == 0) config.train.micro_batch_tokens = 2048;
  if (config.train.steps > 0) return;
  double records = static_cast<double>(set.size());
  if (!set.weights.empty()) records = EpochDraws(set.size(), set.weights, 0).per_epoch();
  const double steps =
      std::ceil(config.classify.epochs * records / static_cast<double>(config.train.batch_rows));
  config.train.steps = std::max<int64_t>(1, static_cast<int64_t>(steps));
}

std::string names_of(const Labels& labels) {
  constexpr size_t kShown = 8;
  std::string list;
  for (size_t i = 0; i < std::min(kShown, labels.names.size()); ++i)
    list += (i ? ", " : "") + labels.names[i];
  return labels.names.size() > kShown ? list + ", .." : list;
}

void tell(const LabelledSet& train, int64_t validation, int64_t cut, const Labels& labels,
          int64_t context, Console& console) {
  const auto count = [](int64_t n) { return human_count(static_cast<double>(n)); };
  console.note(concat("texts: ", count(train.size()), " to learn from (", count(train.tokens()),
                      " tokens), ", count(validation), " to validate on; ",
                      labels.is_regression ? "a regression" : concat(labels.size(), " classes"),
                      ": ", names_of(labels)));
  tell_too_long({.records = "texts",
                 .all = train.size() + validation,
                 .cut = cut,
                 .most = context,
                 .settings = "classify.context"},
                console);
}

// As pretrain() in pretrain.cc.
RunResult tune(ClassifyConfig& config, const ConfigSchema& schema,
               const std::optional<fs::path>& checkpoint, const std::function<void()>& begin,
               Console& console) {
  ClassifySettings& settings = config.classify;
  const Texts texts = load_texts(config, console);
  const Labels labels = labels_of_texts(texts, settings);
  const auto seed = static_cast<uint64_t>(config.train.seed);
  const LoadedModel loaded = load_for_labels(
      checkpoint.value_or(settings.model), labels,
      {.compute = compute_type(config.train), .dropout = settings.dropout, .seed = seed});
  Model& model = *loaded.model;
  REQUIRE(settings.lm_weight == 0 || (!is_encoder(model.config()) && model.config().tied),
          "classify.lm_weight: ", settings.model,
          " is an encoder, or has an output layer of its own, which a classifier's file does not "
          "keep: leave it 0");
  settings.context = student_context(model, settings.context, "classify.context");
  int64_t cut = 0;
  LabelledSet train = encode(texts.train, loaded, settings.context, cut);
  train.weights = texts.weights;
  const LabelledSet validation = encode(texts.validation, loaded, settings.context, cut);
  count_ngrams(train, model, console);
  resolve(config, train);
  tell(train, validation.size(), cut, labels, settings.context, console);
  ClassifyObjective objective(model, train, validation.size() > 0 ? &validation : nullptr,
                              {.class_weights = class_weights(train, labels, settings),
                               .lm_weight = settings.lm_weight,
                               .token_dropout = settings.token_dropout,
                               .confidence = settings.confidence,
                               .confidence_steps = config.train.steps / 5,
                               .records_per_step = config.train.batch_rows,
                               .piece_tokens = config.train.micro_batch_tokens,
                               .seed = seed,
                               .stop_requested = StopSignal::requested});
  begin();
  const RunPlan plan{.folder = config.train.out,
                     .summary = concat(labels.is_regression ? "A regression" : "A classifier", " (",
                                       names_of(labels), "), from ", settings.model, ", on ",
                                       train.size(), " texts."),
                     .config = schema.to_json(),
                     .model = model,
                     .tokenizer = *loaded.tokenizer,
                     .trained = learning(model, *loaded.tokenizer),
                     .objective = objective,
                     .optim = config.optim,
                     .train = config.train,
                     .log = config.log,
                     .steps = config.train.steps,
                     .tokens_per_step = config.train.batch_rows * train.tokens() / train.size(),
                     .context = settings.context,
                     .loss_unit = "a text"};
  return train_run(plan, console);
}

}  // namespace

RunResult run_classify(ClassifyConfig config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train, {&config.classify.model, &config.classify.val}, config.classify.data);
  };
  return start_run(config, "classify", settle_paths, tune, console);
}

RunResult resume_classify(const fs::path& run, const std::vector<std::string>& settings,
                          Console& console) {
  ClassifyConfig config;
  return go_on_with_run(config, run, settings, tune, console);
}

}  // namespace malssi
