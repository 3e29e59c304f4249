// malssi align: from a model that answers to one that answers as people like it. One subcommand for each method.
#include "base/error.h"
#include "cli/tune_command.h"
#include "train/align/align.h"

namespace malssi {
namespace {

struct MethodHelp {
  std::string name, summary, examples;
};

constexpr const char* kPairs =
    "Records are {\"prompt\": .., \"chosen\": .., \"rejected\": ..}, texts or lists of messages; "
    "the prompt may\n"
    "also be what both answers begin with.";

std::vector<MethodHelp> methods() {
  return {
      {"dpo", "direct preference optimisation, on pairs of answers",
       concat("  malssi align dpo --model runs/chat --data pairs.jsonl --out runs/liked\n"
              "  malssi align dpo --model model.gguf --data pairs.jsonl --lora --rank 16 --out "
              "runs/liked\n"
              "  malssi align dpo --model DIR --data pairs.jsonl --val held-out.jsonl --beta 0.05 "
              "--loss ipo \\\n"
              "    --lr 5e-7 --out runs/liked\n",
              kPairs)},
      {"kto", "Kahneman-Tversky optimisation, on answers that were liked or not",
       "  malssi align kto --model runs/chat --data judged.jsonl --out runs/liked\n"
       "  malssi align kto --model DIR --data judged.jsonl --disliked-weight 1.5 --out runs/liked\n"
       "Records are {\"prompt\": .., \"completion\": .., \"label\": true}; pairs are taken as two "
       "of them."},
      {"orpo",
       "odds-ratio preference optimisation: tuning and preferences at once, without a reference",
       concat("  malssi align orpo --model runs/base --data pairs.jsonl --out runs/liked\n"
              "  malssi align orpo --model DIR --data pairs.jsonl --beta 0.2 --epochs 3 --out "
              "runs/liked\n",
              kPairs)},
      {"simpo", "simple preference optimisation: per token, with a margin, without a reference",
       concat("  malssi align simpo --model runs/chat --data pairs.jsonl --out runs/liked\n"
              "  malssi align simpo --model DIR --data pairs.jsonl --beta 2.5 --gamma 1.4 --out "
              "runs/liked\n",
              kPairs)},
      {"reward", "a reward model: how much people would like an answer",
       concat("  malssi align reward --model runs/chat --data pairs.jsonl --out runs/judge\n"
              "  malssi align reward --model DIR --data rankings.jsonl --val held-out.jsonl "
              "--centring 0.01 --out runs/judge\n",
              kPairs,
              " \"margin\" says by how much the first is better. Also\n"
              "{\"prompt\": .., \"ranked\": [best, .., worst]}: each ranking weighs as much as a "
              "pair.")},
  };
}

void add_preference_method(CLI::App& align, const MethodHelp& method, Runner& runner) {
  CLI::App* sub = align.add_subcommand(method.name, method.summary);
  sub->footer("Examples:\n" + method.examples +
              "\nWith --lora (--rank, --alpha, --targets) an adapter is trained beside the frozen "
              "model, dense or\nquantised, at ten times the rate; switched off, it is the "
              "reference: no second model is held.\n"
              "A row (--batch-rows) is one record. The finished model is OUT/model, or "
              "OUT/adapter; a run that\nwas stopped goes on with: malssi resume OUT");
  add_method(*sub, runner, run_align, AlignConfig(method.name),
             [](AlignConfig& config, const ConfigSchema& schema) {
               for (const std::string& key : schema.keys())
                 REQUIRE(config.align.lora || !key.starts_with("lora.") || !schema.is_set(key), key,
                         " is a setting of a low-rank adapter: give --lora, too");
               settle_lora_rate(config.align.lora, schema, config);
             });
}

}  // namespace

void add_align(CLI::App& app, Runner& runner) {
  CLI::App* align = app.add_subcommand("align", "teach a model which answers people like");
  align->footer("Example: malssi align dpo --model DIR --data pairs.jsonl --out runs/liked");
  align->require_subcommand(1);
  for (const MethodHelp& method : methods()) add_preference_method(*align, method, runner);
  add_align_grpo(*align, runner);
  add_align_best_of(*align, runner);
  add_align_ppo(*align, runner);
}

}  // namespace malssi
