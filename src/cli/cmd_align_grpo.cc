// malssi align grpo: reinforcement learning with rewards that can be checked.
#include "cli/tune_command.h"
#include "train/rl/grpo.h"

namespace malssi {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  malssi align grpo --model runs/chat --data sums.jsonl --out runs/better\n"
    "  malssi align grpo --model DIR --data gsm8k.jsonl --use exact,think=0.2 --answer-after "
    "'####' \\\n"
    "    --loss dapo --max-tokens 512 --out runs/better\n"
    "  malssi align grpo --model DIR --data tasks.jsonl --use tests,length=0.1 \\\n"
    "    --test-command 'python3 ~/check.py code.txt' --beta 0.04 --out runs/coder\n"
    "Records are {\"prompt\": .., \"answer\": ..}, texts or lists of messages, or {\"messages\": "
    "[..]}; "
    "rewards find\nother fields in them, too. A row (--batch-rows) is one prompt, to which --group "
    "answers are drawn.\n"
    "Commands run once for each answer, in an empty folder with answer.txt (also standard input), "
    "code.txt (its\nlast ``` block), prompt.txt and record.json; where the system permits it, "
    "without a "
    "network and with nothing\nto write to but that folder.\n"
    "With --lora (--rank, --alpha, --targets) an adapter is trained beside the frozen model, dense "
    "or quantised.\n"
    "The finished model is OUT/model, or OUT/adapter; a run that was stopped goes on with: malssi "
    "resume OUT";

}  // namespace

void add_align_grpo(CLI::App& align, Runner& runner) {
  CLI::App* sub = align.add_subcommand(
      "grpo",
      "reinforcement learning from checked answers: GRPO, Dr. GRPO, DAPO, GSPO, RLOO, "
      "REINFORCE++");
  sub->footer(kFooter);
  add_method(*sub, runner, run_grpo, GrpoConfig(),
             [](GrpoConfig& config, const ConfigSchema& schema) {
               settle_lora_rate(config.grpo.lora, schema, config);
             });
}

}  // namespace malssi
