#include "train/tune/distill.h"

#include "base/error.h"
#include "base/lock.h"
#include "io/checkpoint.h"
#include "ops/distillation_loss.h"
#include "train/run/run_folder.h"
#include "train/tune/chat_run.h"
#include "train/tune/frozen_layers.h"
#include "train/tune/student.h"
#include "train/tune/teacher.h"

namespace malssi {
namespace {

HeadLoss loss_of(const Model& student, const Teacher& teacher, const DistillSettings& settings) {
  return [&](const Tensor& hidden, const Batch& batch, float scale, std::vector<float>* losses) {
    const Tensor taught = teacher.hidden(batch);
    const auto logits = [&](int64_t begin, int64_t end) {
      return teacher.logits(taught.rows(begin, end));
    };
    return distillation_loss(hidden, student.head(), batch.targets, batch.weights, scale,
                             {.teacher = logits,
                              .known = teacher.known(),
                              .temperature = static_cast<float>(settings.temperature),
                              .hard = static_cast<float>(settings.hard)},
                             losses, student.logit_softcap());
  };
}

// folder: where the weights are, the base model or a checkpoint.
RunResult tune(DistillConfig& config, const ConfigSchema& schema, const fs::path& folder,
               const std::function<void()>& begin, Console& console) {
  const DType compute = compute_type(config.train);
  const Student student = load_student(folder, {.chat_template = config.sft.chat_template,
                                                .dropout = config.sft.dropout,
                                                .compute = compute});
  const Teacher teacher(config.distill.teacher, compute, *student.tokenizer,
                        student_context(*student.model, config.sft.context, "sft.context"));
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
                    .summary = concat("A student of ", config.distill.teacher),
                    .loss = loss_of(*student.model, teacher, config.distill)},
                   begin, console);
}

}  // namespace

void DistillConfig::check() const {
  REQUIRE(!distill.teacher.empty(), "no model to learn from: give --teacher DIR (distill.teacher)");
  optim.check();
  sft.check(train);
}

RunResult run_distill(DistillConfig config, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  settle(config.train, {&config.sft.model, &config.sft.val, &config.distill.teacher},
         config.sft.data);
  const auto begin = [&] { begin_run(run, "distill", schema.to_toml()); };
  return tune(config, schema, config.sft.model, begin, console);
}

RunResult resume_distill(const fs::path& run, const std::vector<std::string>& settings,
                         Console& console) {
  DistillConfig config;
  ConfigSchema schema(config);
  reload_run(schema, config.train, run, settings);
  const auto checkpoint = latest_checkpoint(run);
  const auto begin = begin_again(schema, run, settings);
  return tune(config, schema, checkpoint ? *checkpoint : fs::path(config.sft.model), begin,
              console);
}

}  // namespace malssi
