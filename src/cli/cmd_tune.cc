// malssi tune: from a base model to one that follows instructions, or an adapter that makes it so. One subcommand for each
// method.
#include <memory>

#include "cli/tune_command.h"
#include "cli/tune_preview.h"
#include "train/tune/classify.h"
#include "train/tune/distill.h"
#include "train/tune/lora.h"
#include "train/tune/sft.h"

namespace malssi {
namespace {

void add_sft(CLI::App& tune, Runner& runner) {
  CLI::App* sub = tune.add_subcommand("sft", "train all weights on conversations");
  sub->footer(
      std::string(
          "Examples:\n"
          "  malssi tune sft --model runs/base/model --data chats.jsonl --out runs/chat\n"
          "  malssi tune sft --model DIR --data train.jsonl --val held-out.jsonl --epochs "
          "2 --lr 1e-4 "
          "\\\n"
          "    --out runs/chat\n"
          "  malssi tune sft --model DIR --data chats.jsonl --last-layers 4 --out runs/top\n") +
      kRecords +
      "The finished model is OUT/model; a run that was stopped goes\n"
      "on with: malssi resume OUT");
  add_method<SftConfig>(*sub, runner, run_sft);
}

void add_lora(CLI::App& tune, Runner& runner) {
  CLI::App* sub = tune.add_subcommand(
      "lora", "train a low-rank adapter on conversations, beside frozen weights");
  sub->footer(
      std::string(
          "Examples:\n"
          "  malssi tune lora --model DIR --data chats.jsonl --out runs/adapter\n"
          "  malssi tune lora --model model.gguf --data chats.jsonl --rank 16 --alpha 32 \\\n"
          "    --targets all-linear --dropout 0.05 --out runs/adapter\n"
          "  malssi tune lora --model DIR --data chats.jsonl --base-type nf4 --out runs/adapter\n"
          "  malssi tune lora --model DIR --data chats.jsonl --dora --rslora --out runs/dora\n"
          "  malssi chat --model DIR --lora runs/adapter/adapter\n") +
      kRecords +
      "OUT/adapter is a PEFT folder:\n"
      "--lora takes it beside the model, malssi convert adds it into the weights. The model may "
      "be\n"
      "quantised. A run that was stopped goes on with: malssi resume OUT");
  add_method<LoraConfig>(*sub, runner, run_lora);
}

void add_classify_head(CLI::App& tune, Runner& runner) {
  CLI::App* sub =
      tune.add_subcommand("classify", "train a classifier or a regression on labelled texts");
  sub->footer(
      "Examples:\n"
      "  malssi tune classify --model runs/base --data reviews.tsv --text-column document --out "
      "runs/sentiment\n"
      "  malssi tune classify --model DIR --data train.jsonl --class-weights balanced --epochs 4 "
      "--out runs/topic\n"
      "  malssi tune classify --model DIR --data pairs.csv --task regression --label-column score "
      "--out runs/score\n"
      "Encoders (BERT and kin) and decoders. A row (--batch-rows) is one text. The finished model "
      "is OUT/model;\n"
      "malssi eval classify measures it, malssi classify asks it. A run that was stopped goes on "
      "with: malssi\nresume OUT");
  add_method<ClassifyConfig>(*sub, runner, run_classify);
}

void add_distill(CLI::App& tune, Runner& runner) {
  CLI::App* sub =
      tune.add_subcommand("distill", "train a student on a teacher's distribution of each token");
  sub->footer(
      std::string("Examples:\n"
                  "  malssi tune distill --model SMALL --teacher LARGE --data chats.jsonl --out "
                  "runs/student\n"
                  "  malssi tune distill --model SMALL --teacher large-q4.gguf --temperature 2 "
                  "--hard 0.5 \\\n"
                  "    --data chats.jsonl --out runs/student\n") +
      kRecords +
      "Both models must have one tokenizer; the teacher stays as it is and may be quantised. The "
      "loss is\n"
      "temperature^2 KL(teacher || student), beside the data's own words as --hard says. The "
      "finished model is\n"
      "OUT/model; a run that was stopped goes on with: malssi resume OUT");
  add_method<DistillConfig>(*sub, runner, run_distill);
}

}  // namespace

void add_tune(CLI::App& app, Runner& runner) {
  CLI::App* tune = app.add_subcommand("tune", "teach a model to follow instructions");
  tune->footer("Example: malssi tune sft --model DIR --data chats.jsonl --out runs/chat");
  tune->require_subcommand(1);
  add_sft(*tune, runner);
  add_lora(*tune, runner);
  add_distill(*tune, runner);
  add_adapter_methods(*tune, runner);
  add_merge(*tune, runner);
  add_classify_head(*tune, runner);
  add_tune_preview(*tune, runner);
}

}  // namespace malssi
