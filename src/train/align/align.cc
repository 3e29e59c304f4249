#include "train/align/align.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/signal.h"
#include "train/align/align_data.h"
#include "train/align/align_student.h"
#include "train/align/preference_objective.h"
#include "train/align/reference.h"
#include "train/align/reward_objective.h"
#include "train/run/metrics.h"
#include "train/run/new_run.h"

namespace malssi {
namespace {

std::vector<SamplePrompt> prompts(const Preferences& all, const Student& student,
                                  const LogSettings& log) {
  if (!log.sample_prompt.empty()) {
    const std::vector<Message> ask = {{.role = "user", .content = log.sample_prompt}};
    return {chat_prompt(*student.tokenizer, student.chat, ask)};
  }
  std::vector<SamplePrompt> list;
  for (const Preference& each : all.validation.empty() ? all.train : all.validation) {
    if (static_cast<int64_t>(list.size()) >= log.samples) break;
    list.push_back(chat_prompt(*student.tokenizer, student.chat, each.prompt));
  }
  return list;
}

// Fills in what was left to choose, so that RUN/config.toml tells what is done.
void resolve(AlignConfig& config, const PreferenceSet& set) {
  if (config.train.micro_batch_tokens == 0) config.train.micro_batch_tokens = 2048;
  if (config.train.steps > 0) return;
  double records = 0;
  for (int64_t i = 0; i < set.size(); ++i) records += set.at(i).weight;
  const double steps =
      std::ceil(config.align.epochs * records / static_cast<double>(config.train.batch_rows));
  config.train.steps = std::max<int64_t>(1, static_cast<int64_t>(steps));
}

ReferenceLogProbs compute_reference(Model& model, const EncodedPreferences& data,
                                    int64_t piece_tokens, Console& console) {
  console.note("asking the reference model about every answer");
  const int64_t before = data.train.sequences();
  const int64_t total = before + (data.validation ? data.validation->sequences() : 0);
  const auto tell_from = [&](int64_t begin) {
    return [&console, begin, total](int64_t done) {
      console.progress({.done = begin + done, .total = total, .text = "reference"});
    };
  };
  ReferenceLogProbs reference;
  reference.train = answer_log_probs(model, data.train, piece_tokens, tell_from(0));
  if (data.validation)
    reference.validation =
        answer_log_probs(model, *data.validation, piece_tokens, tell_from(before));
  console.end_progress();
  return reference;
}

// The kept ones, else those of the base model. base: null where it is not in memory.
ReferenceLogProbs reference_of(const AlignConfig& config, const EncodedPreferences& data,
                               Model* base, Console& console) {
  if (!config.align.method.needs_reference()) return {};
  if (auto kept = load_reference(config.train.out, data.hash())) return std::move(*kept);
  const int64_t tokens = config.train.micro_batch_tokens;
  if (base) return compute_reference(*base, data, tokens, console);
  const Student loaded = load_aligned(config, {});
  return compute_reference(*loaded.model, data, tokens, console);
}

// What each answer is compared with, and the objective that does it.
struct Comparison {
  Comparison(const AlignConfig& config, const EncodedPreferences& data,
             const ReferenceLogProbs& reference, Model& model, const AdapterMix& adapters)
      : train{data.train, reference.train} {
    const TrainSettings& settings = config.train;
    const auto seed = static_cast<uint64_t>(settings.seed);
    if (data.validation) validation.emplace(ComparedSet{*data.validation, reference.validation});
    if (config.align.method.scores()) {
      objective = std::make_unique<RewardObjective>(
          model, data.train, data.held_out(),
          RewardOptions{.centring = config.align.centring,
                        .records_per_step = settings.batch_rows,
                        .piece_tokens = settings.micro_batch_tokens,
                        .seed = seed,
                        .adapters = adapters,
                        .stop_requested = StopSignal::requested});
      return;
    }
    objective = std::make_unique<PreferenceObjective>(
        model, train, validation ? &*validation : nullptr,
        PreferenceOptions{.method = config.align.method,
                          .records_per_step = settings.batch_rows,
                          .piece_tokens = settings.micro_batch_tokens,
                          .seed = seed,
                          .adapters = adapters,
                          .stop_requested = StopSignal::requested});
  }

  ComparedSet train;
  std::optional<ComparedSet> validation;
  std::unique_ptr<Objective> objective;
};

std::string summary(const AlignConfig& config, const PreferenceSet& set) {
  const PreferenceMethod& method = config.align.method;
  const std::string trained = config.align.lora ? "An adapter" : "A model";
  return concat(trained, method.scores() ? " that scores answers" : " aligned with preferences",
                " (", method.name, "), from ", config.align.model, ", on ", set.size(),
                " preferences.");
}

// How many of the held-out preferences the finished model shares, from the record of its validation.
void tell_accuracy(const RunResult& result, const fs::path& run, Console& console) {
  if (result.end == LoopEnd::interrupted || result.state.best_step < 0) return;
  for (const Metrics& line : read_metrics(run / "metrics.jsonl")) {
    if (line.step != result.state.best_step) continue;
    const auto percent = [&](std::string_view name) {
      return concat(std::round(1000 * line.figure(name)) / 10, "%");
    };
    if (std::isnan(line.figure("val_reward_accuracy"))) return;  // of single answers
    std::string text = concat("held-out preferences told right: ", percent("val_reward_accuracy"),
                              " (95% interval ", percent("val_reward_accuracy_low"), " to ",
                              percent("val_reward_accuracy_high"), ")");
    if (!std::isnan(line.figure("val_calibration_error")))
      text += ", calibration error " + percent("val_calibration_error");
    console.note(text);
  }
}

// As pretrain() in pretrain.cc. checkpoint: what to go on from, if anything.
RunResult align(AlignConfig& config, ConfigSchema& schema,
                const std::optional<fs::path>& checkpoint, const std::function<void()>& begin,
                Console& console) {
  const PreferenceMethod& method = config.align.method;
  Student student = load_aligned(config, checkpoint);
  Model& model = *student.model;
  const int64_t context = student_context(model, config.align.context, "align.context");
  const Preferences all = load_preference_sets(config, console);
  // A value head looks at the last token, too, which a language model only predicts.
  const EncodedPreferences data = encode_preference_sets(
      all, student,
      {.context = method.scores() ? context - 1 : context, .too_long = config.align.too_long});
  config.align.context = context;
  resolve(config, data.train);
  tell(data, console);
  const ReferenceLogProbs reference =
      reference_of(config, data, checkpoint && !config.align.lora ? nullptr : &model, console);
  const Trained trained = begin_trained(config, student);
  begin();
  if (method.needs_reference()) save_reference(config.train.out, reference, data.hash());
  const Comparison comparison(config, data, reference, model, trained.adapters);
  const RunPlan plan{
      .folder = config.train.out,
      .summary = summary(config, data.train),
      .config = schema.to_json(),
      .model = model,
      .tokenizer = *student.tokenizer,
      .chat = &student.chat,
      .trained = trained,
      .objective = *comparison.objective,
      .optim = config.optim,
      .train = config.train,
      .log = config.log,
      .steps = config.train.steps,
      .tokens_per_step = config.train.batch_rows * data.train.tokens() / data.train.size(),
      .context = context,
      .loss_unit = "a preference",
      .prompts = method.scores() ? std::vector<SamplePrompt>() : prompts(all, student, config.log),
      .compares_samples = true};
  const RunResult result = train_run(plan, console);
  tell_accuracy(result, config.train.out, console);
  return result;
}

}  // namespace

RunResult run_align(AlignConfig config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train, {&config.align.model, &config.align.val}, config.align.data);
    // Of a start that was killed before it became a run.
    fs::remove(fs::path(config.train.out) / "reference.json");
  };
  return start_run(config, config.align.method.name, settle_paths, align, console);
}

bool is_align_method(std::string_view kind) {
  constexpr std::array<std::string_view, 5> known = {"dpo", "kto", "orpo", "simpo", "reward"};
  return std::ranges::find(known, kind) != known.end();
}

RunResult resume_align(const fs::path& run, const std::string& method,
                       const std::vector<std::string>& settings, Console& console) {
  AlignConfig config(method);
  return go_on_with_run(config, run, settings, align, console);
}

}  // namespace malssi
