#include "train/pretrain/pretrain.h"

#include "base/error.h"
#include "base/format.h"
#include "base/lock.h"
#include "base/parallel.h"
#include "base/signal.h"
#include "data/prepare.h"
#include "io/checkpoint.h"
#include "models/classifier.h"
#include "models/value_head.h"
#include "train/pretrain/grow.h"
#include "train/pretrain/language.h"
#include "train/pretrain/make_tokenizer.h"
#include "train/run/estimate.h"
#include "train/run/run_folder.h"

namespace malssi {
namespace {

constexpr std::string_view kTokenizerFolder = "tokenizer";

PreparedTokens prepare(const DataSettings& data, const Tokenizer& tokenizer, Console& console) {
  PrepareOptions options;
  options.train = {.paths = data.paths, .field = data.field};
  options.validation = {.paths = data.val, .field = data.field};
  options.val_fraction = data.val_fraction;
  options.cache = data.cache;
  options.progress = [&](int64_t done, int64_t total) {
    console.progress({.done = done, .total = total, .text = "bytes of text made tokens"});
  };
  PreparedTokens tokens = prepare_tokens(options, tokenizer);
  console.end_progress();
  const auto count = [](const TokenShards& shards) {
    return human_count(static_cast<double>(shards.token_count()));
  };
  console.note(concat("text: ", human_bytes(tokens.stats.bytes), " in ", tokens.stats.documents,
                      tokens.stats.documents == 1 ? " document" : " documents", "; ",
                      tokenizer.kind(), ", vocabulary ", tokenizer.vocab_size(), "; ",
                      count(tokens.train), " tokens to train on, ", count(tokens.validation),
                      " to validate on"));
  return tokens;
}

int64_t moment_bytes(const PretrainConfig& config) {
  return config.optim.moments == "bf16" ? 4 : 8;
}

// The model that training goes on from: config.model.from's, or as a checkpoint has it.
LoadedModel started_from(const fs::path& folder, const PretrainConfig& config) {
  LoadedModel loaded = load_model(folder, compute_type(config.train));
  Model& model = *loaded.model;
  REQUIRE(!is_encoder(model.config()) && !labels_of(model) && !has_value_head(model),
          folder.string(), ": does not predict the next token: name a language model");
  check_training_fits(model.parameter_count(), moment_bytes(config));
  loaded.model = grown(model, {.vocab = model.config().vocab,
                               .dropout = config.model.dropout,
                               .context = config.model.context});
  return loaded;
}

// From scratch; to be trained with this tokenizer.
std::unique_ptr<Model> new_model(const PretrainConfig& config, const Tokenizer& tokenizer) {
  ModelConfig shape = model_config(config.model, tokenizer.vocab_size());
  shape.bos_id = tokenizer.bos_id();
  shape.eos_id = tokenizer.eos_id();
  const DType compute = compute_type(config.train);
  check_training_fits(make_model(shape, compute, {})->parameter_count(), moment_bytes(config));
  return make_model(shape, compute, static_cast<uint64_t>(config.train.seed));
}

void make_absolute(std::vector<std::string>& paths) {
  for (std::string& path : paths) path = fs::absolute(path).lexically_normal().string();
}

// Fills in what was left to choose, so that RUN/config.toml tells what is done.
void resolve(PretrainConfig& config) {
  const int64_t context = config.model.context;
  config.train.compute = dtype_name(compute_type(config.train));
  config.train.micro_batch_tokens =
      context * rows_per_piece(config.train.batch_rows, context, config.train.micro_batch_tokens);
  if (config.train.threads == 0) config.train.threads = thread_count();
  if (!config.model.from.empty())
    config.model.from = fs::absolute(config.model.from).lexically_normal().string();
  make_absolute(config.data.paths);
  make_absolute(config.data.val);
}

std::optional<EvaluationBatches> validation_batches(const PretrainConfig& config,
                                                    const TokenShards& tokens, int64_t rows) {
  if (tokens.token_count() < 2) return {};
  return EvaluationBatches(tokens, {.context = config.model.context,
                                    .rows = rows,
                                    .cross_documents = config.data.cross_documents,
                                    .max_rows = config.train.eval_rows});
}

std::string summary(const PretrainConfig& config, Model& model) {
  return concat("A base model of the ", model.config().family, " family with ",
                human_count(static_cast<double>(model.parameter_count())), " parameters, trained ",
                config.model.from.empty() ? "from scratch."
                                          : concat("further from ", config.model.from, "."));
}

// From settings and tokenizer to the finished model, going on from a checkpoint where there is one. start: its model may be null,
// for one from scratch. begin() is called when everything fits together, before anything is trained.
RunResult pretrain(const PretrainConfig& config, const Json& settings, LoadedModel start,
                   const std::function<void()>& begin, Console& console) {
  const Tokenizer& tokenizer = *start.tokenizer;
  const TrainSettings& train = config.train;
  const int64_t context = config.model.context;
  const int64_t rows = train.micro_batch_tokens / context;
  const auto seed = static_cast<uint64_t>(train.seed);
  const PreparedTokens tokens = prepare(config.data, tokenizer, console);
  PackedBatches batches(tokens.train, {.context = context,
                                       .rows = rows,
                                       .seed = seed,
                                       .cross_documents = config.data.cross_documents,
                                       .mode = config.data.mode});
  const auto validation = validation_batches(config, tokens.validation, rows);
  const std::unique_ptr<Model> model =
      start.model ? std::move(start.model) : new_model(config, tokenizer);
  LanguageObjective objective(*model, batches, validation ? &*validation : nullptr,
                              {.batches_per_step = train.batch_rows / rows,
                               .seed = seed,
                               .stop_requested = StopSignal::requested});
  begin();
  const RunPlan plan{.folder = train.out,
                     .summary = summary(config, *model),
                     .config = settings,
                     .model = *model,
                     .tokenizer = tokenizer,
                     .trained = whole_model(*model, tokenizer, start.chat ? &*start.chat : nullptr),
                     .objective = objective,
                     .optim = config.optim,
                     .train = train,
                     .log = config.log,
                     .steps = train.steps,
                     .tokens_per_step = train.batch_rows * context,
                     .context = context,
                     .trial = [&objective] { return objective.trial(); },
                     .prompts = text_prompts(tokenizer, config.log)};
  return train_run(plan, console);
}

}  // namespace

RunResult run_pretrain(PretrainConfig config, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  if (config.train.threads > 0) set_thread_count(static_cast<int>(config.train.threads));
  resolve(config);
  CorpusOptions corpus{.paths = config.data.paths, .field = config.data.field};
  corpus.paths.insert(corpus.paths.end(), config.data.val.begin(), config.data.val.end());
  LoadedModel start;
  if (config.model.from.empty())
    start.tokenizer = make_tokenizer(config.tokenizer, corpus, console);
  else
    start = started_from(config.model.from, config);
  const auto begin = [&, &tokenizer = *start.tokenizer] {
    save_tokenizer(run / kTokenizerFolder, tokenizer);
    begin_run(run, "pretrain", schema.to_toml());
  };
  return pretrain(config, schema.to_json(), std::move(start), begin, console);
}

RunResult resume_pretrain(const fs::path& run, const std::vector<std::string>& settings,
                          Console& console) {
  PretrainConfig config;
  ConfigSchema schema(config);
  reload_run(schema, config.train, run, settings);
  LoadedModel start;
  if (config.model.from.empty())
    start.tokenizer = load_tokenizer(run / kTokenizerFolder);
  else
    start = started_from(latest_checkpoint(run).value_or(config.model.from), config);
  const auto begin = begin_again(schema, run, settings);
  return pretrain(config, schema.to_json(), std::move(start), begin, console);
}

}  // namespace malssi
