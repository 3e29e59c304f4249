#include "train/tune/distill.h"

#include "base/error.h"
#include "ops/distillation_loss.h"
#include "train/run/new_run.h"
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

RunResult tune(DistillConfig& config, const ConfigSchema& schema,
               const std::optional<fs::path>& checkpoint, const std::function<void()>& begin,
               Console& console) {
  const DType compute = compute_type(config.train);
  const Student student = load_tuned(config.sft, checkpoint, compute);
  const Teacher teacher(config.distill.teacher, compute, *student.tokenizer,
                        student_context(*student.model, config.sft.context, "sft.context"));
  Trained trained = chosen_weights(student, config.sft, checkpoint);
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
  const auto settle_paths = [&] {
    settle(config.train, {&config.sft.model, &config.sft.val, &config.distill.teacher},
           config.sft.data);
  };
  return start_run(config, "distill", settle_paths, tune, console);
}

RunResult resume_distill(const fs::path& run, const std::vector<std::string>& settings,
                         Console& console) {
  DistillConfig config;
  return go_on_with_run(config, run, settings, tune, console);
}

}  // namespace malssi
