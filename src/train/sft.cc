#include "train/sft.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/lock.h"
#include "base/parallel.h"
#include "base/signal.h"
#include "data/sft.h"
#include "io/checkpoint.h"
#include "train/language.h"
#include "train/run_folder.h"
#include "train/student.h"

namespace malssi {
namespace {

struct Conversations {
  std::vector<Conversation> train, validation;
};

std::vector<Conversation> load(const fs::path& file, const SftSettings& settings,
                               Console& console) {
  SftData data = load_sft(file, {.skip_invalid = settings.skip_invalid});
  if (data.invalid > 0)
    console.warn(concat(file.string(), ": ", data.invalid,
                        " malformed records left out; the first: ", data.first_invalid));
  if (data.empty_answers > 0)
    console.warn(
        concat(file.string(), ": ", data.empty_answers, " records without an answer left out"));
  return std::move(data.conversations);
}

Conversations load_conversations(const SftConfig& config, Console& console) {
  Conversations all{.train = load(config.sft.data, config.sft, console), .validation = {}};
  if (!config.sft.val.empty()) {
    all.validation = load(config.sft.val, config.sft, console);
  } else if (config.sft.val_fraction > 0) {
    all.validation =
        take_held_out(all.train, config.sft.val_fraction, static_cast<uint64_t>(config.train.seed));
  }
  const auto most = static_cast<size_t>(config.train.eval_rows);
  if (most > 0 && all.validation.size() > most) all.validation.resize(most);
  return all;
}

void tell(const ChatSet& train, const ChatSet* validation, Console& console) {
  const auto count = [](int64_t n) { return human_count(static_cast<double>(n)); };
  console.note(concat("conversations: ", count(train.size()), " to train on (",
                      count(train.tokens()), " tokens, ", count(train.trained_tokens()),
                      " of them learned), ", validation ? count(validation->size()) : "0",
                      " to validate on"));
  if (train.truncated() + train.dropped() > 0)
    console.warn(concat(train.truncated(), " conversations cut and ", train.dropped(),
                        " left out: longer than ", train.context(), " tokens (sft.context)"));
}

std::vector<SamplePrompt> prompts(const Conversations& conversations, const Student& student,
                                  const LogSettings& log) {
  std::vector<SamplePrompt> list;
  if (!log.sample_prompt.empty()) {
    const std::vector<Message> ask = {{.role = "user", .content = log.sample_prompt}};
    return {chat_prompt(*student.tokenizer, student.chat, ask)};
  }
  const auto& from =
      conversations.validation.empty() ? conversations.train : conversations.validation;
  for (const Conversation& each : from) {
    if (static_cast<int64_t>(list.size()) >= log.samples) break;
    list.push_back(chat_prompt(*student.tokenizer, student.chat, each));
  }
  return list;
}

// Fills in what was left to choose, so that RUN/config.toml tells what is done.
void resolve(SftConfig& config, const Model& model) {
  config.sft.context = student_context(model, config.sft.context, "sft.context");
  config.train.micro_batch_tokens =
      config.sft.context *
      rows_per_piece(config.train.batch_rows, config.sft.context, config.train.micro_batch_tokens);
}

// Optimiser steps for the epochs asked for, where no number of steps was.
void resolve_steps(SftConfig& config, int64_t pieces_per_epoch, int64_t pieces_per_step) {
  if (config.train.steps > 0) return;
  const double pieces = config.sft.epochs * static_cast<double>(pieces_per_epoch);
  const double steps = std::ceil(pieces / static_cast<double>(pieces_per_step));
  config.train.steps = std::max<int64_t>(1, static_cast<int64_t>(steps));
}

// As pretrain() in pretrain.cc. folder: where the weights are, the base model or a checkpoint.
RunResult tune(SftConfig& config, ConfigSchema& schema, const fs::path& folder,
               const std::function<void()>& begin, Console& console) {
  const Student student = load_student(folder, {.chat_template = config.sft.chat_template,
                                                .dropout = config.sft.dropout,
                                                .compute = compute_type(config.train)});
  resolve(config, *student.model);
  const TrainSettings& train = config.train;
  const auto seed = static_cast<uint64_t>(train.seed);
  const int64_t rows = train.micro_batch_tokens / config.sft.context;
  const int64_t pieces = train.batch_rows / rows;
  const ChatSetOptions options{.context = config.sft.context, .too_long = config.sft.too_long};
  const Conversations conversations = load_conversations(config, console);
  const ChatSet chats(conversations.train, *student.tokenizer, student.chat, options);
  std::optional<ChatSet> held_out;
  std::optional<SftEvaluationBatches> validation;
  if (!conversations.validation.empty()) {
    held_out.emplace(conversations.validation, *student.tokenizer, student.chat, options);
    validation.emplace(*held_out, rows);
  }
  tell(chats, held_out ? &*held_out : nullptr, console);
  SftBatches batches(chats, {.rows = rows, .seed = seed});
  resolve_steps(config, batches.batches_per_epoch(), pieces);
  LanguageObjective objective(
      *student.model, batches, validation ? &*validation : nullptr,
      {.batches_per_step = pieces, .seed = seed, .stop_requested = StopSignal::requested});
  begin();
  const RunPlan plan{.folder = train.out,
                     .summary = concat("Tuned to follow instructions, from ", config.sft.model,
                                       ", on ", chats.size(), " conversations."),
                     .config = schema.to_json(),
                     .model = *student.model,
                     .tokenizer = *student.tokenizer,
                     .chat = &student.chat,
                     .objective = objective,
                     .optim = config.optim,
                     .train = train,
                     .log = config.log,
                     .steps = train.steps,
                     .tokens_per_step = train.batch_rows * config.sft.context,
                     .context = config.sft.context,
                     .trial = [&objective] { return objective.trial(); },
                     .prompts = prompts(conversations, student, config.log)};
  return train_run(plan, console);
}

void make_absolute(std::string& path) {
  if (!path.empty()) path = fs::absolute(path).lexically_normal().string();
}

}  // namespace

RunResult run_sft(SftConfig config, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  if (config.train.threads > 0) set_thread_count(static_cast<int>(config.train.threads));
  config.train.threads = thread_count();
  config.train.compute = dtype_name(compute_type(config.train));
  for (std::string* path : {&config.sft.model, &config.sft.data, &config.sft.val})
    make_absolute(*path);
  const auto begin = [&] { begin_run(run, "sft", schema.to_toml()); };
  return tune(config, schema, config.sft.model, begin, console);
}

RunResult resume_sft(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console) {
  SftConfig config;
  ConfigSchema schema(config);
  reload_config(schema, run, settings);
  config.train.out = run.string();  // it may have been moved
  schema.check();
  set_thread_count(static_cast<int>(config.train.threads));
  const auto checkpoint = latest_checkpoint(run);
  const auto begin = [&] {
    if (!settings.empty()) write_file(run_config(run), schema.to_toml());
  };
  return tune(config, schema, checkpoint ? *checkpoint : fs::path(config.sft.model), begin,
              console);
}

}  // namespace malssi
