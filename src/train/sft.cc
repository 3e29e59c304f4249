#include "train/sft.h"

#include <algorithm>

#include "base/lock.h"
#include "base/parallel.h"
#include "io/checkpoint.h"
#include "train/chat_run.h"
#include "train/grow.h"
#include "train/run_folder.h"

namespace malssi {
namespace {

struct Student {
  std::unique_ptr<Model> model;
  std::unique_ptr<Tokenizer> tokenizer;
  ChatTemplate chat;
};

// The model to tune, with a token for each mark of the chat template.
Student load_student(const fs::path& folder, const SftConfig& config) {
  LoadedModel loaded = load_model(folder, compute_type(config.train));
  Student student{.model = {}, .tokenizer = std::move(loaded.tokenizer), .chat = {}};
  if (!config.sft.chat_template.empty()) {
    student.chat = ChatTemplate::named(config.sft.chat_template);
  } else if (loaded.chat) {
    student.chat = *loaded.chat;
  }
  for (const std::string& token : student.chat.special_tokens())
    student.tokenizer->add_special(token);
  const int64_t vocab = std::max(loaded.model->config().vocab, student.tokenizer->vocab_size());
  student.model = grown(*loaded.model, {.vocab = vocab, .dropout = config.sft.dropout});
  return student;
}

// folder: where the weights are, the base model or a checkpoint.
RunResult tune(SftConfig& config, const ConfigSchema& schema, const fs::path& folder,
               const std::function<void()>& begin, Console& console) {
  const Student student = load_student(folder, config);
  return run_chats({.data = config.sft,
                    .train = config.train,
                    .optim = config.optim,
                    .log = config.log,
                    .schema = schema,
                    .model = *student.model,
                    .tokenizer = *student.tokenizer,
                    .chat = student.chat,
                    .trained = whole_model(*student.model, *student.tokenizer, &student.chat),
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
  settle(config.sft, config.train);
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
