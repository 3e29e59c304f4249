#include "train/run/session.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/parallel.h"
#include "base/signal.h"
#include "data/mixture.h"
#include "io/checkpoint.h"
#include "train/run/estimate.h"
#include "train/run/recompute.h"
#include "train/run/run_events.h"
#include "train/run/run_folder.h"

namespace malssi {
namespace {

std::string title(const RunPlan& plan) {
  const std::string name = fs::absolute(plan.folder).lexically_normal().filename().string();
  return name.empty() ? "model" : name;
}

ModelCard card_of(const RunPlan& plan, const LoopState& state) {
  ModelCard card{.title = title(plan), .summary = plan.summary};
  card.facts = {{"Training steps", std::to_string(state.step)},
                {"Training tokens", human_count(static_cast<double>(state.tokens))}};
  if (state.best_step >= 0) {
    card.facts.emplace_back(
        "Best validation loss",
        concat(human_number(state.best_loss), " ", plan.loss_unit, " at step ", state.best_step));
  }
  return card;
}

// Writes RUN/name, whole or not at all.
void save(const RunPlan& plan, const std::string& name, const LoopState& state) {
  AtomicFolder whole(plan.folder / name);
  plan.trained.write(whole.staging(), card_of(plan, state));
  whole.commit();
}

double flops_per_token(const RunPlan& plan) {
  return plan.trained.work * plan.model.training_flops_per_token(plan.context);
}

LoopOptions loop_options(const RunPlan& plan) {
  return {.schedule = schedule_options(plan.optim, plan.steps),
          .clip = plan.optim.clip,
          .eval_every = plan.train.eval_every,
          .patience = plan.train.patience,
          .checkpoint_every = plan.train.checkpoint_every,
          .log_every = plan.log.every,
          .bad_steps = plan.train.bad_steps};
}

WeightUpdates updates_of(Optimizer& optimizer) {
  return {.clip = [&optimizer](double max_norm) { return optimizer.clip(max_norm); },
          .step = [&optimizer](double lr) { optimizer.step(lr); },
          .clear = [&optimizer] { optimizer.clear_gradients(); }};
}

constexpr std::string_view kCompanion = "companion.";

void restore_companions(const Trained& trained, const std::vector<LazyTensor>& saved,
                        const std::string& where) {
  for (const Parameter& p : trained.companions) {
    const auto found = std::ranges::find(saved, concat(kCompanion, p.name), &LazyTensor::name);
    REQUIRE(found != saved.end() && found->shape == p.value->shape(), where,
            ": the checkpoint lacks \"", p.name,
            "\" of this shape: continue with the same options");
    p.value->copy_from(found->load());
  }
}

LoopState restore_checkpoint(const RunPlan& plan, Optimizer& optimizer,
                             const fs::path& checkpoint) {
  const TrainState state = load_train_state(checkpoint);
  const std::string where = (checkpoint / "train_state.json").string();
  plan.trained.read(checkpoint);
  restore_companions(plan.trained, state.tensors, where);
  optimizer.restore(state.tensors);
  plan.objective.restore(get<Json>(state.json, "objective", where));
  return LoopState::from_json(get<Json>(state.json, "loop", where));
}

void write_checkpoint(const RunPlan& plan, Optimizer& optimizer, const LoopState& state) {
  TrainState saved;
  saved.json["loop"] = state.to_json();
  saved.json["objective"] = plan.objective.state();
  saved.json["config"] = plan.config;
  saved.tensors = optimizer.state();
  for (const Parameter& p : plan.trained.companions)
    saved.tensors.push_back(lazily(concat(kCompanion, p.name), *p.value));
  const auto write = [&](const fs::path& folder) {
    plan.trained.write(folder, card_of(plan, state));
  };
  save_checkpoint(plan.folder, state.step, write, saved, plan.train.keep_checkpoints);
}

RunEstimate estimate_of(const RunPlan& plan, const LoopState& state) {
  RunEstimate estimate;
  for (const Parameter& p : plan.trained.parameters) estimate.parameters += p.value->size();
  estimate.tokens = std::max<int64_t>(0, plan.steps - state.step) * plan.tokens_per_step;
  estimate.flops = static_cast<double>(estimate.tokens) * flops_per_token(plan);
  estimate.ceiling = measure_ceiling(plan.model.dtype());
  if (plan.trial && estimate.tokens > 0) estimate.seconds_per_token = plan.trial();
  return estimate;
}

// The best weights, else the last ones.
fs::path export_model(const RunPlan& plan, const LoopState& state, Console& console) {
  const fs::path target = plan.folder / plan.trained.kind, best = plan.folder / "best";
  if (state.best_step >= 0) {
    try {
      verify_folder(best);
      copy_model(best, target);
      return target;
    } catch (const Error& damage) {
      console.warn(
          concat("the best weights cannot be used, the last ones are taken: ", damage.what()));
    }
  }
  save(plan, plan.trained.kind, state);
  return target;
}

RunHooks hooks_of(const RunPlan& plan, Optimizer& optimizer) {
  RunHooks hooks;
  hooks.save_checkpoint = [&plan, &optimizer](const LoopState& state) {
    write_checkpoint(plan, optimizer, state);
  };
  hooks.save_best = [&plan](const LoopState& state) { save(plan, "best", state); };
  hooks.sample = [&plan](int64_t number) {
    const auto& prompt = plan.prompts[static_cast<size_t>(number) % plan.prompts.size()];
    return draw_sample(plan.model, plan.tokenizer, plan.chat, prompt, plan.trained.adapters,
                       plan.log, static_cast<uint64_t>(plan.train.seed + number));
  };
  return hooks;
}

void tell_end(const RunPlan& plan, const RunResult& result, Console& console) {
  const LoopState& state = result.state;
  if (result.end == LoopEnd::interrupted) {
    console.note(concat("stopped at step ", state.step, " of ", plan.steps,
                        "; go on with: malssi resume ", plan.folder.string()));
    return;
  }
  std::string line = result.end == LoopEnd::stopped_early
                         ? concat("stopped early at step ", state.step)
                         : concat("finished ", state.step, " steps");
  line += " in " + human_seconds(state.elapsed_seconds);
  if (state.best_step >= 0) {
    line += concat("; best validation loss ", human_number(state.best_loss), " at step ",
                   state.best_step);
  }
  if (state.bad_total > 0) line += concat("; ", state.bad_total, " steps skipped");
  console.note(line + "; " + plan.trained.kind + ": " + result.model.string());
}

}  // namespace

DType compute_type(const TrainSettings& train) {
  if (train.compute == "auto") return best_compute_dtype();
  return train.compute == "bf16" ? DType::bf16 : DType::f32;
}

RunResult train_run(const RunPlan& plan, Console& console) {
  const StopSignal stop;
  std::vector<Parameter> learning = plan.trained.parameters;
  learning.insert(learning.end(), plan.trained.companions.begin(), plan.trained.companions.end());
  const std::unique_ptr<Optimizer> optimizer =
      make_optimizer(learning, optimizer_options(plan.optim));
  const auto checkpoint =
      latest_checkpoint(plan.folder, [&](std::string_view line) { console.warn(line); });
  plan.model.keep(kept_for_backward(plan.train, plan.optim, plan.trained, plan.model));
  LoopState start;
  if (checkpoint) {
    start = restore_checkpoint(plan, *optimizer, *checkpoint);
    settle_checkpoints(plan.folder, start.step, plan.train.keep_checkpoints);
  }
  const RunEstimate estimate = estimate_of(plan, start);
  const std::string cost = describe(estimate, plan.model.dtype());
  if (checkpoint) console.note(concat("going on from step ", start.step, " of ", plan.steps));
  if (estimate.tokens > 0) console.note(cost);

  const JournalOptions options{.title = title(plan),
                               .subtitle = plan.summary + " " + cost,
                               .config = plan.config,
                               .tensorboard = plan.log.tensorboard,
                               .report = plan.log.report};
  Journal journal(plan.folder, options, checkpoint ? std::optional(start.step) : std::nullopt);
  RunEvents events(console, journal, hooks_of(plan, *optimizer),
                   {.steps = plan.steps,
                    .flops_per_token = flops_per_token(plan),
                    .ceiling = estimate.ceiling,
                    .samples = plan.prompts.empty() ? 0 : plan.log.samples,
                    .samples_at_begin = plan.compares_samples});
  TrainLoop loop(loop_options(plan), updates_of(*optimizer), plan.objective, events);
  if (checkpoint) loop.restore(start);
  RunResult result;
  result.end = loop.run();
  result.state = loop.state();
  console.end_progress();
  journal.publish();
  if (result.end != LoopEnd::interrupted) result.model = export_model(plan, result.state, console);
  tell_end(plan, result, console);
  return result;
}

void settle(TrainSettings& train, std::initializer_list<std::string*> paths) {
  if (train.threads > 0) set_thread_count(static_cast<int>(train.threads));
  train.threads = thread_count();
  train.compute = dtype_name(compute_type(train));
  for (std::string* path : paths)
    if (!path->empty()) *path = fs::absolute(*path).lexically_normal().string();
}

void settle(TrainSettings& train, std::initializer_list<std::string*> paths,
            std::vector<std::string>& mixture) {
  settle(train, paths);
  make_mix_absolute(mixture);
}

void reload_run(ConfigSchema& schema, TrainSettings& train, const fs::path& run,
                const std::vector<std::string>& settings) {
  reload_config(schema, run, settings);
  train.out = run.string();  // it may have been moved
  schema.check();
  set_thread_count(static_cast<int>(train.threads));
}

std::function<void()> begin_again(const ConfigSchema& schema, const fs::path& run,
                                  const std::vector<std::string>& settings) {
  return [&schema, &run, &settings] {
    if (!settings.empty()) write_file(run_config(run), schema.to_toml());
  };
}

}  // namespace malssi
