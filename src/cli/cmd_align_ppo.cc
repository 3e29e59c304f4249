// malssi align ppo: reinforcement learning from a reward model.
#include "cli/tune_command.h"
#include "train/rl/ppo.h"

namespace malssi {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  malssi align reward --model runs/chat --data pairs.jsonl --out runs/judge\n"
    "  malssi align ppo --model runs/chat --data prompts.jsonl --reward runs/judge --out runs/ppo\n"
    "  malssi align ppo --model model.gguf --data prompts.jsonl --reward runs/judge --lora \\\n"
    "    --critic policy --kl fixed --kl-weight 0.05 --out runs/ppo\n"
    "Records are {\"prompt\": ..} or {\"messages\": [..]}, which end with the user. Answers are "
    "drawn (--answers at a\n"
    "time) and scored by the reward model, the KL from the reference is taken off token by token, "
    "and they are\n"
    "learned from --inner-epochs times. A row (--batch-rows) is one answer. Prompts that leave no "
    "room "
    "for --max-tokens\n"
    "in the policy's or the reward model's context are left out and told; an answer that the "
    "reward "
    "model cannot read\n"
    "whole is scored by its beginning, and counted.\n"
    "In memory: policy and reward model, once each. With --lora the policy is frozen under an "
    "adapter, dense or\n"
    "quantised, and the reference is the policy with it switched off; without, the reference is a "
    "second copy. The\n"
    "critic is an adapter on the frozen reward model (its rank and alpha: --rank, --alpha), or, "
    "with --critic policy,\n"
    "a head on the policy. --text FILES mixes in pretraining text (PPO-ptx).\n"
    "The finished model is OUT/model, or OUT/adapter; a run that was stopped goes on with: malssi "
    "resume OUT";

}  // namespace

void add_align_ppo(CLI::App& align, Runner& runner) {
  CLI::App* sub =
      align.add_subcommand("ppo", "proximal policy optimisation, from a reward model's scores");
  sub->footer(kFooter);
  add_method(*sub, runner, run_ppo, PpoConfig(), [](PpoConfig& config, const ConfigSchema& schema) {
    settle_lora_rate(config.ppo.lora, schema, config);
  });
}

}  // namespace malssi
