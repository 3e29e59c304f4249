#include "train/run/trained.h"

#include "base/error.h"
#include "io/weight_files.h"

namespace malssi {

Trained whole_model(Model& model, const Tokenizer& tokenizer, const ChatTemplate* chat) {
  Trained trained{.kind = "model", .parameters = parameters_of(model), .write = {}, .read = {}};
  trained.write = [&model, &tokenizer, chat](const fs::path& folder, const ModelCard& card) {
    // f32: what is exact for weights of either kind
    save_model_files(folder, model, tokenizer, chat, {.card = card});
  };
  trained.read = [&model](const fs::path& folder) {
    const WeightFiles weights = WeightFiles::open(folder);
    import_weights(model, [&](const std::string& name) { return weights.load(name); });
  };
  return trained;
}

Trained trained_adapter(Model& model, const Tokenizer& tokenizer, const ChatTemplate& chat,
                        std::vector<Parameter> parameters, const PeftSettings& settings) {
  Trained trained{.kind = "adapter",
                  .parameters = parameters,
                  .adapters = {{.adapter = model.adapters() - 1, .weight = 1}},
                  .work = 2.0 / 3,  // the frozen weights' own gradients are not computed
                  .write = {},
                  .read = {}};
  trained.write = [&model, &tokenizer, &chat, parameters, settings](const fs::path& folder,
                                                                    const ModelCard&) {
    write_peft_files(folder, model, parameters, settings);
    const Json config = tokenizer_config(tokenizer, chat.jinja(), model.config().context);
    write_file(folder / "tokenizer_config.json", dump_json(config, 2) + "\n", Durability::later);
  };
  trained.read = [parameters](const fs::path& folder) { read_peft_weights(folder, parameters); };
  return trained;
}

}  // namespace malssi
