// malssi tune adapter, ia3, norms, prefix, prompt: adapters other than LoRA.
#include "cli/tune_command.h"
#include "train/tune/adapter_methods.h"

namespace malssi {
namespace {

struct Texts {
  const char* what;
  const char* example;  // flags
  const char* end;      // what becomes of it
};

template <class Settings>
void add(CLI::App& tune, Runner& runner, const Texts& texts) {
  const std::string name = Settings::kName;
  CLI::App* sub = tune.add_subcommand(name, texts.what);
  sub->footer("Examples:\n  malssi tune " + name + " --model DIR --data chats.jsonl --out runs/" +
              name + "\n  malssi tune " + name + " --model model.gguf --data chats.jsonl " +
              texts.example + " --out runs/" + name +
              "\n  malssi chat --model DIR --adapter runs/" + name + "/adapter\n" + kRecords +
              "OUT/adapter is " + texts.end +
              " The model\nmay be quantised. A run that was stopped goes on with: malssi resume "
              "OUT");
  add_method<AdapterConfig<Settings>>(*sub, runner, [](const auto& config, Console& console) {
    run_adapter_method(config, console);
  });
}

}  // namespace

void add_adapter_methods(CLI::App& tune, Runner& runner) {
  add<BottleneckSettings>(
      tune, runner,
      {"train small networks behind attention and MLP (Houlsby, Pfeiffer)",
       "--after mlp --inner 16",
       "a folder like\nPEFT's, of a kind that PEFT does not have; it cannot be merged."});
  add<Ia3Settings>(tune, runner,
                   {"train factors of keys, values and the MLP's inside (IA3)", "--lr 5e-3",
                    "a PEFT folder;\nmalssi tune merge puts it into the weights."});
  add<NormsSettings>(tune, runner,
                     {"train the norms' weights alone", "--targets norm",
                      "a PEFT folder\n(LN tuning); malssi tune merge puts it into the weights."});
  add<PrefixSettings>(tune, runner,
                      {"train keys and values before every sequence", "--tokens 30",
                       "a PEFT folder\n(prefix tuning); it cannot be merged."});
  add<PromptSettings>(
      tune, runner,
      {"train virtual tokens in front of every sequence", "--tokens 8 --text \"Answer kindly:\"",
       "a PEFT folder\n(prompt tuning); it cannot be merged."});
}

}  // namespace malssi
