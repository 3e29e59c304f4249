#include "train/tune/chat_run.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/signal.h"
#include "data/loss_marks.h"
#include "data/mixture.h"
#include "data/sft.h"
#include "train/pretrain/language.h"
#include "train/run/too_long.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

struct Conversations {
  std::vector<Conversation> train, validation;
  std::vector<double> weights;  // of train
};

// Warns of what a template leaves out: such a conversation is learned without it.
void check_template(const SftData& data, const fs::path& file, const ChatTemplate& chat,
                    Console& console) {
  int64_t affected = 0;
  std::string first;
  for (size_t i = 0; i < data.conversations.size(); ++i) {
    const std::optional<int64_t> lost = dropped_message(chat, data.conversations[i]);
    if (!lost) continue;
    if (++affected == 1)
      first = concat(file.string(), " line ", data.lines[i], ", message ", *lost + 1);
  }
  if (affected > 0)
    console.warn(concat("the chat template \"", chat.style(), "\" leaves out messages of ",
                        affected, " conversations; the first: ", first,
                        ": use another (--chat-template), or look at malssi tune preview"));
}

std::vector<Conversation> load(const fs::path& file, const ChatRun& run, Console& console) {
  SftData data = load_sft(file, {.skip_invalid = run.data.skip_invalid,
                                 .prompt_column = run.data.prompt_column,
                                 .answer_column = run.data.answer_column});
  if (data.invalid > 0)
    console.warn(concat(file.string(), ": ", data.invalid,
                        " malformed records left out; the first: ", data.first_invalid));
  if (data.empty_answers > 0)
    console.warn(concat(file.string(), ": ", data.empty_answers,
                        " records without an answer left out; the first: ", data.first_empty));
  check_template(data, file, run.chat, console);
  return std::move(data.conversations);
}

Conversations load_conversations(const ChatRun& run, Console& console) {
  Conversations all;
  if (!run.data.val.empty()) all.validation = load(run.data.val, run, console);
  for (const MixPart& part : mix_parts(run.data.data)) {
    std::vector<Conversation> records = load(part.file, run, console);
    if (run.data.val.empty()) {
      const auto held =
          take_held_out(records, run.data.val_fraction, static_cast<uint64_t>(run.train.seed));
      all.validation.insert(all.validation.end(), held.begin(), held.end());
    }
    all.weights.insert(all.weights.end(), records.size(), part.weight);
    std::move(records.begin(), records.end(), std::back_inserter(all.train));
  }
  const auto most = static_cast<size_t>(run.train.eval_rows);
  if (most > 0 && all.validation.size() > most) all.validation.resize(most);
  return all;
}

// Of the conversations that are in the set.
std::vector<double> weights_of(const ChatSet& chats, const Conversations& all) {
  std::vector<double> weights;
  for (int64_t i = 0; i < chats.size(); ++i)
    weights.push_back(all.weights[static_cast<size_t>(chats.record(i))]);
  return mixing_weights(std::move(weights));
}

void tell(const ChatSet& train, const ChatSet* validation, Console& console) {
  const auto count = [](int64_t n) { return human_count(static_cast<double>(n)); };
  console.note(concat("conversations: ", count(train.size()), " to train on (",
                      count(train.tokens()), " tokens, ", count(train.trained_tokens()),
                      " of them learned), ", validation ? count(validation->size()) : "0",
                      " to validate on"));
  const auto too_long = [&](const ChatSet& set, const char* records) {
    tell_too_long({.records = records,
                   .all = set.size() + set.dropped(),
                   .cut = set.truncated(),
                   .cut_answers = set.cut_answers(),
                   .left_out = set.dropped(),
                   .most = set.context(),
                   .settings = "sft.context, sft.too_long"},
                  console);
  };
  too_long(train, "conversations");
  if (validation) too_long(*validation, "conversations to validate on");
}

std::vector<SamplePrompt> prompts(const Conversations& conversations, const ChatRun& run) {
  std::vector<SamplePrompt> list;
  if (!run.log.sample_prompt.empty()) {
    const std::vector<Message> ask = {{.role = "user", .content = run.log.sample_prompt}};
    return {chat_prompt(run.tokenizer, run.chat, ask)};
  }
  const auto& from =
      conversations.validation.empty() ? conversations.train : conversations.validation;
  for (const Conversation& each : from) {
    if (static_cast<int64_t>(list.size()) >= run.log.samples) break;
    list.push_back(chat_prompt(run.tokenizer, run.chat, each));
  }
  return list;
}

// Optimiser steps for the epochs asked for, where no number of steps was.
void resolve_steps(const ChatRun& run, int64_t pieces_per_epoch, int64_t pieces_per_step) {
  if (run.train.steps > 0) return;
  const double pieces = run.data.epochs * static_cast<double>(pieces_per_epoch);
  const double steps = std::ceil(pieces / static_cast<double>(pieces_per_step));
  run.train.steps = std::max<int64_t>(1, static_cast<int64_t>(steps));
}

}  // namespace

RunResult run_chats(const ChatRun& run, const std::function<void()>& begin, Console& console) {
  const int64_t context = run.data.context =
      student_context(run.model, run.data.context, "sft.context");
  TrainSettings& train = run.train;
  const int64_t rows = rows_per_piece(train.batch_rows, context, train.micro_batch_tokens);
  train.micro_batch_tokens = context * rows;
  const auto seed = static_cast<uint64_t>(train.seed);
  const int64_t pieces = train.batch_rows / rows;
  const ChatSetOptions options{
      .context = context, .too_long = run.data.too_long, .loss_on = run.data.loss_on};
  const Conversations conversations = load_conversations(run, console);
  const ChatSet chats(conversations.train, run.tokenizer, run.chat, options);
  std::optional<ChatSet> held_out;
  std::optional<SftEvaluationBatches> validation;
  if (!conversations.validation.empty()) {
    held_out.emplace(conversations.validation, run.tokenizer, run.chat, options);
    validation.emplace(*held_out, rows);
  }
  tell(chats, held_out ? &*held_out : nullptr, console);
  SftBatches batches(chats,
                     {.rows = rows, .seed = seed, .weights = weights_of(chats, conversations)});
  resolve_steps(run, batches.batches_per_epoch(), pieces);
  LanguageObjective objective(run.model, batches, validation ? &*validation : nullptr,
                              {.batches_per_step = pieces,
                               .seed = seed,
                               .adapters = run.trained.adapters,
                               .neftune = run.data.neftune,
                               .loss = run.loss,
                               .stop_requested = StopSignal::requested});
  begin();
  const RunPlan plan{.folder = train.out,
                     .summary = concat(run.summary, ", from ", run.data.model, ", on ",
                                       chats.size(), " conversations."),
                     .config = run.schema.to_json(),
                     .model = run.model,
                     .tokenizer = run.tokenizer,
                     .chat = &run.chat,
                     .trained = run.trained,
                     .objective = objective,
                     .optim = run.optim,
                     .train = train,
                     .log = run.log,
                     .steps = train.steps,
                     .tokens_per_step = train.batch_rows * context,
                     .context = context,
                     .trial = [&objective] { return objective.trial(); },
                     .prompts = prompts(conversations, run)};
  return train_run(plan, console);
}

}  // namespace malssi
