#include "io/model_folder.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/format.h"
#include "io/model_card.h"
#include "io/model_source.h"
#include "io/pooling.h"
#include "io/safetensors.h"
#include "io/weight_files.h"
#include "models/value_head.h"

namespace malssi {
namespace {

// Models below a folder that is none itself, for the error that says so.
std::string models_below(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator(folder, ignored);
       at != fs::recursive_directory_iterator() && found.size() < 4; at.increment(ignored)) {
    if (at.depth() > 2) at.disable_recursion_pending();
    if (at->path().filename() == "config.json") found.push_back(at->path().parent_path().string());
  }
  std::sort(found.begin(), found.end());
  std::string list;
  for (const std::string& path : found) list += (list.empty() ? "" : ", ") + path;
  return list;
}

// Refuses a configuration that asks for far more than the files hold, before memory is taken for it.
void check_plausible(const ModelConfig& c, const WeightFiles& weights, const fs::path& folder) {
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  const double block = number(c.heads) * number(c.head_dim) * 2 + number(c.hidden) * 2;
  const double rows = number(c.vocab) + (c.family == "gpt2" ? number(c.context) : 0);
  const double claimed = number(c.width) * (rows + number(c.layers) * block);
  const double held = number(weights.element_count());
  REQUIRE(number(c.context) * number(c.head_dim) <= 2 * held + 5e7,
          (folder / "config.json").string(), ": a context of ", c.context,
          " is beyond belief for a model of ", human_count(held),
          " parameters: the file is damaged");
  REQUIRE(claimed <= 2 * held + 1e5, (folder / "config.json").string(), ": describes at least ",
          human_count(claimed), " parameters, the weights have ", human_count(held),
          ": the files do not belong together");
}

// Biases of zero, for programs that expect some.
bool is_zero_bias(const Entry& entry) {
  return entry.name.ends_with(".bias") &&
         std::all_of(entry.bytes.begin(), entry.bytes.end(),
                     [](std::byte b) { return b == std::byte{0}; });
}

using Find = std::function<Tensor(const std::string& name)>;

// The precision of a model that is only run: bf16 where its matrices are and the processor multiplies it, else f32.
DType natural_dtype(const ModelConfig& config, const Find& find) {
  std::string first;
  make_model(config, DType::f32, std::nullopt)->visit([&](const Parameter& p) {
    if (first.empty() && p.held != nullptr) first = p.parts.front().name;
  });
  const Tensor matrix = find(first);
  return matrix.defined() && matrix.dtype() == DType::bf16 ? best_compute_dtype() : DType::f32;
}

// What stands on a model's body in place of its output layer.
struct HeadKind {
  bool is_value = false;
  std::optional<Labels> labels = {};
};

// How weights become a model's: see load_model() and load_packed_model().
struct Intake {
  std::optional<DType> compute = {};
  ImportMode mode = ImportMode::copy;
  std::optional<DType> packed = {};
};

// A model with its weights: converted to `compute`, or where there is none as the file holds them.
std::unique_ptr<Model> model_from(const ModelConfig& config, const HeadKind& head,
                                  const Intake& intake, const Find& find) {
  auto model = make_model(config, intake.compute ? *intake.compute : natural_dtype(config, find),
                          std::nullopt);
  if (head.is_value) model = with_value_head(std::move(model));
  if (head.labels) model = with_classifier(std::move(model), *head.labels, 0);
  if (intake.packed)
    import_packed_weights(*model, find, *intake.packed);
  else
    import_weights(*model, find, intake.compute ? intake.mode : ImportMode::hold);
  return model;
}

std::unique_ptr<Model> model_from(const ModelConfig& config, const HeadKind& head,
                                  const Intake& intake, const WeightFiles& weights,
                                  const fs::path& folder) {
  std::set<const Entry*> used;
  const auto find = [&](const std::string& name) {
    if (const Entry* entry = weights.find(name)) used.insert(entry);
    return weights.borrow(name);
  };
  auto model = model_from(config, head, intake, find);
  weights.for_each([&](const Entry& entry) {
    REQUIRE(used.contains(&entry) || !is_parameter(entry) || is_zero_bias(entry) ||
                entry.name == "lm_head.weight" || is_unused_weight(config, entry.name),
            folder.string(), ": the weights hold \"", entry.name, "\" (", describe(entry),
            "), which a ", config.family,
            " model of this config.json does not have: the files do not belong together");
  });
  return model;
}

// An encoder whose file lacks the scores of its labels is an encoder all the same.
HeadKind head_of(const ModelConfig& config, const Json& json, const WeightFiles& weights,
                 const std::string& where) {
  if (!is_encoder(config) && value_head_from_hf(json, where)) return {.is_value = true};
  HeadKind head{.labels = labels_from_hf(json, where)};
  const bool is_there = weights.find("score.weight") || weights.find("classifier.weight") ||
                        weights.find("classifier.out_proj.weight");
  if (is_encoder(config) && !is_there) head.labels.reset();
  return head;
}

// Whether a head's weight of this name has a row for each label.
bool is_label_weight(std::string_view published) {
  return published == "score.weight" || published == "classifier.weight" ||
         published == "ngrams.weight" || published == "classifier.bias" ||
         published.starts_with("classifier.out_proj.");
}

void load_chat(const fs::path& folder, LoadedModel& loaded) {
  loaded.chat_problem = folder.string() +
                        ": no chat template: it is a base model, which continues text; "
                        "tune it first (malssi tune sft)";
  try {
    loaded.chat = load_chat_template(folder);
    if (loaded.chat) loaded.chat_problem.clear();
  } catch (const Error& broken) {
    loaded.chat_problem = broken.what();
  }
}

LoadedModel load_gguf(const fs::path& path, const Intake& intake) {
  ModelSource source = open_model(path);
  LoadedModel loaded;
  REQUIRE(source.tokenizer, path.string(), ": the file holds no tokenizer");
  loaded.tokenizer = std::move(source.tokenizer);
  loaded.chat_problem =
      path.string() + ": no chat template: it is a base model, which continues text";
  try {
    if (!source.chat_template.empty()) {
      loaded.chat = ChatTemplate::from_jinja(source.chat_template, path.string());
      loaded.chat_problem.clear();
    }
  } catch (const Error& foreign) {
    loaded.chat_problem = foreign.what();
  }
  loaded.model = model_from(source.config, {.labels = source.labels}, intake, source.find);
  return loaded;
}

Json generation_config(const Model& model, const Tokenizer& tokenizer, const ChatTemplate* chat,
                       const Json& defaults) {
  Json config = defaults;
  std::vector<int32_t> ends;
  if (chat)
    ends = chat->stop_ids(tokenizer);
  else if (tokenizer.eos_id() >= 0)
    ends.push_back(tokenizer.eos_id());
  if (tokenizer.bos_id() >= 0) config["bos_token_id"] = tokenizer.bos_id();
  if (ends.size() == 1) config["eos_token_id"] = ends.front();
  if (ends.size() > 1) config["eos_token_id"] = ends;
  if (tokenizer.pad_id() >= 0) config["pad_token_id"] = tokenizer.pad_id();
  config["max_length"] = model.config().context;
  return config;
}

}  // namespace

const ChatTemplate& LoadedModel::dialogue() const {
  REQUIRE(chat, chat_problem);
  return *chat;
}

std::optional<ChatTemplate> load_chat_template(const fs::path& folder) {
  const fs::path path = folder / "tokenizer_config.json";
  if (!path_exists(path)) return std::nullopt;
  Json config = load_json(path);
  const fs::path alone = folder / "chat_template.jinja";  // where newer transformers puts it
  if (path_exists(alone)) config["chat_template"] = read_file(alone);
  return ChatTemplate::from_config(config, path.string());
}

fs::path find_model(const fs::path& folder) {
  REQUIRE(path_exists(folder), "no model at ", folder.string(), ": no such folder: check the path");
  REQUIRE(is_folder(folder), "no model at ", folder.string(),
          ": it is a file: name the folder with config.json and model.safetensors");
  for (const char* inside : {"", "model", "best", "checkpoints/latest"}) {
    const fs::path candidate = *inside ? folder / inside : folder;
    if (path_exists(candidate / "config.json")) return candidate;
  }
  REQUIRE(!path_exists(folder / "adapter_config.json"), "no model at ", folder.string(),
          ": it is a LoRA adapter: name its base model here, and the adapter with --lora");
  const std::string below = models_below(folder);
  throw Error(
      concat("no model at ", folder.string(), ": the folder has no config.json: ",
             below.empty() ? "name a Hugging Face model folder" : "did you mean " + below + "?"));
}

namespace {

LoadedModel load(const fs::path& model_or_run, const Intake& intake) {
  if (path_exists(model_or_run) && is_gguf_file(model_or_run))
    return load_gguf(model_or_run, intake);
  const fs::path folder = find_model(model_or_run);
  const fs::path config_path = folder / "config.json";
  const Json json = load_json(config_path);
  ModelConfig config = config_from_hf(json, config_path.string());
  config.pooling = folder_pooling(folder);
  const WeightFiles weights = WeightFiles::open(folder);
  const HeadKind head = head_of(config, json, weights, config_path.string());
  check_plausible(config, weights, folder);
  LoadedModel loaded;
  loaded.tokenizer = load_tokenizer(folder);
  REQUIRE(loaded.tokenizer->vocab_size() <= config.vocab, folder.string(), ": the tokenizer has ",
          loaded.tokenizer->vocab_size(), " tokens, the model only ", config.vocab,
          ": the files do not belong together");
  load_chat(folder, loaded);
  if (path_exists(folder / "generation_config.json"))
    loaded.generation = load_json(folder / "generation_config.json");
  loaded.model = model_from(config, head, intake, weights, folder);
  return loaded;
}

}  // namespace

LoadedModel load_model(const fs::path& model_or_run, std::optional<DType> compute,
                       ImportMode mode) {
  return load(model_or_run, {.compute = compute, .mode = mode});
}

LoadedModel load_for_labels(const fs::path& model_or_run, const Labels& labels,
                            const ClassifierOptions& options) {
  REQUIRE(!path_exists(model_or_run) || !is_gguf_file(model_or_run), model_or_run.string(),
          ": is a file, and a classifier's weights are trained: name a Hugging Face folder");
  LoadedModel loaded = load_model(model_or_run, options.compute);
  REQUIRE(!has_value_head(*loaded.model), model_or_run.string(),
          ": is a reward model: name a language model, an encoder or a classifier");
  ModelConfig config = loaded.model->config();
  config.dropout = options.dropout;
  auto model = with_classifier(make_model(config, options.compute, 0), labels, options.seed);
  std::map<std::string, Tensor> fresh;
  for (NamedTensor& weight : export_weights(*model)) fresh[weight.name] = weight.value;
  const WeightFiles weights = WeightFiles::open(find_model(model_or_run));
  const Labels* known = labels_of(*loaded.model);
  import_weights(*model, [&](const std::string& name) {
    const bool is_kept = !is_label_weight(name) || (known && *known == labels);
    return is_kept && weights.find(name) ? weights.load(name) : fresh[name];
  });
  loaded.model = std::move(model);
  return loaded;
}

LoadedModel load_packed_model(const fs::path& model_or_run, DType compute, DType packed) {
  return load(model_or_run, {.compute = compute, .packed = packed});
}

void save_model_files(const fs::path& folder, Model& model, const Tokenizer& tokenizer,
                      const ChatTemplate* chat, const SaveOptions& options) {
  std::vector<NamedTensor> weights = export_weights(model);
  for (NamedTensor& weight : weights) weight.value = weight.value.to(options.dtype);
  Json config = model.hf_config();
  if (has_value_head(model)) put_value_head(model, config);
  if (labels_of(model)) put_labels(model, config);
  config["torch_dtype"] = options.dtype == DType::bf16 ? "bfloat16" : "float32";
  const auto write_json = [&](std::string_view name, const Json& json) {
    write_file(folder / name, dump_json(json, 2) + "\n", Durability::later);
  };
  write_safetensors(folder / "model.safetensors", weights, {{"format", "pt"}}, Durability::later);
  write_json("config.json", config);
  write_json("tokenizer.json", tokenizer.to_json());
  write_json("tokenizer_config.json",
             tokenizer_config(tokenizer, chat ? chat->jinja() : "", model.config().context));
  write_json("generation_config.json",
             generation_config(model, tokenizer, chat, options.generation));
  write_file(folder / "README.md", model_card_text(options.card, model, tokenizer, chat),
             Durability::later);
}

void save_model(const fs::path& folder, Model& model, const Tokenizer& tokenizer,
                const ChatTemplate* chat, const SaveOptions& options) {
  AtomicFolder whole(folder);
  save_model_files(whole.staging(), model, tokenizer, chat, options);
  whole.commit();
}

}  // namespace malssi
