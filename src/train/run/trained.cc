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

BegunAdapter begin_adapter(Model& model, const Adapter& fresh, LowRankStart start, double dropout) {
  freeze(model);
  BegunAdapter begun;
  Adapter trained = fresh;
  if (start == LowRankStart::principal) {
    begun.mix.push_back({.adapter = model.attach(opposite_of(fresh))});
    begun.start = fresh.parts;
    for (AdapterPart& part : trained.parts) {  // its own numbers, which will change
      part.a = part.a.clone();
      part.b = part.b.clone();
    }
  }
  begun.mix.push_back({.adapter = model.attach(trained)});
  begun.parameters = train_adapter(model, begun.mix.back().adapter, static_cast<float>(dropout));
  return begun;
}

Trained trained_adapter(Model& model, const Tokenizer& tokenizer, const ChatTemplate& chat,
                        const BegunAdapter& begun, const PeftSettings& settings) {
  Trained trained{.kind = "adapter",
                  .parameters = begun.parameters,
                  .adapters = begun.mix,
                  .work = 2.0 / 3,  // the frozen weights' own gradients are not computed
                  .write = {},
                  .read = {}};
  trained.write = [&model, &tokenizer, &chat, begun, settings](const fs::path& folder,
                                                               const ModelCard&) {
    write_peft_files(folder, model, begun.parameters, settings, begun.start);
    const Json config = tokenizer_config(tokenizer, chat.jinja(), model.config().context);
    write_file(folder / "tokenizer_config.json", dump_json(config, 2) + "\n", Durability::later);
  };
  trained.read = [begun](const fs::path& folder) {
    read_peft_weights(folder, begun.parameters, begun.start);
  };
  return trained;
}

}  // namespace malssi
