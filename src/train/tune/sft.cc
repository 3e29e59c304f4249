#include "train/tune/sft.h"

#include "base/lock.h"
#include "io/checkpoint.h"
#include "train/run/run_folder.h"
#include "train/tune/chat_run.h"
#include "train/tune/frozen_layers.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

// folder: where the weights are, the base model or a checkpoint.
RunResult tune(SftConfig& config, const ConfigSchema& schema, const fs::path& folder,
               const std::function<void()>& begin, Console& console) {
  const Student student = load_student(folder, {.chat_template = config.sft.chat_template,
                                                .dropout = config.sft.dropout,
                                                .compute = compute_type(config.train)});
  Trained trained = whole_model(*student.model, *student.tokenizer, &student.chat);
  choose_trained(*student.model, {config.sft.last_layers, config.sft.trainable}, trained);
  if (folder == config.sft.model) check_new_tokens(folder, *student.model, trained);
  return run_chats({.data = config.sft,
                    .train = config.train,
                    .optim = config.optim,
                    .log = config.log,
                    .schema = schema,
                    .model = *student.model,
                    .tokenizer = *student.tokenizer,
                    .chat = student.chat,
                    .trained = std::move(trained),
                    .summary = "Tuned to follow instructions"},
                   begin, console);
}

}  // namespace

RunResult run_sft(SftConfig config, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  settle(config.train, {&config.sft.model, &config.sft.val}, config.sft.data);
  const auto begin = [&] { begin_run(run, "sft", schema.to_toml()); };
  return tune(config, schema, config.sft.model, begin, console);
}

RunResult resume_sft(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console) {
  SftConfig config;
  ConfigSchema schema(config);
  reload_run(schema, config.train, run, settings);
  const auto checkpoint = latest_checkpoint(run);
  const auto begin = begin_again(schema, run, settings);
  return tune(config, schema, checkpoint ? *checkpoint : fs::path(config.sft.model), begin,
              console);
}

}  // namespace malssi
