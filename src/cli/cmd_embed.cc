// malssi embed: vectors that stand for texts.
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "cli/lora_flags.h"
#include "infer/embed.h"
#include "io/model_folder.h"

namespace malssi {

namespace {

struct EmbedCommand {
  std::string model;
  std::string dtype = "auto";
  std::vector<std::string> texts;
  std::string file;
  std::string pooling;
  bool normalize = false;
  bool truncate = false;
  bool json = false;
  LoraFlags lora;
};

// The texts given, then the file's lines that are not empty.
std::vector<std::string> texts_of(const EmbedCommand& command) {
  constexpr int64_t kMaxFile = int64_t{1} << 30;
  std::vector<std::string> texts = command.texts;
  if (!command.file.empty()) {
    const std::string content = read_file(command.file, kMaxFile);
    for (size_t begin = 0; begin < content.size();) {
      const size_t end = std::min(content.find('\n', begin), content.size());
      if (end > begin) texts.push_back(content.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (texts.empty())
    throw UsageError("nothing to embed: give texts, or --file FILE with a text a line");
  return texts;
}

void print_vectors(const EmbedCommand& command, const std::vector<std::string>& texts,
                   const Tensor& vectors) {
  const int64_t width = vectors.dim(1);
  for (size_t i = 0; i < texts.size(); ++i) {
    const float* row = vectors.f32() + static_cast<int64_t>(i) * width;
    if (command.json) {
      const Json line = {{"text", texts[i]}, {"embedding", std::vector<float>(row, row + width)}};
      std::printf("%s\n", dump_json(line).c_str());
      continue;
    }
    for (int64_t d = 0; d < width; ++d)
      std::printf("%s%.6g", d == 0 ? "" : " ", static_cast<double>(row[d]));
    std::printf("\n");
  }
}

void run(const EmbedCommand& command) {
  const std::vector<std::string> texts = texts_of(command);
  const LoadedModel loaded =
      load_model(command.model, compute_dtype(command.dtype), ImportMode::hold);
  const ModelConfig& config = loaded.model->config();
  EmbedOptions options = embed_options(
      is_folder(command.model) ? find_model(command.model) : fs::path(command.model), config);
  if (!command.pooling.empty()) options.pooling = pooling_named(command.pooling);
  options.adapters = command.lora.attach(*loaded.model);
  if (command.normalize) options.length = VectorLength::one;
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(embed_ids(*loaded.tokenizer, text));
    if (command.truncate) truncate_ids(ids.back(), config);
  }
  print_vectors(command, texts, embed(*loaded.model, ids, options));
}

}  // namespace

void add_embed(CLI::App& app, Runner&) {
  auto command = std::make_shared<EmbedCommand>();
  CLI::App* sub = app.add_subcommand("embed", "vectors that stand for texts");
  sub->footer(
      "Examples:\n"
      "  malssi embed --model DIR \"a text\" \"another\"\n"
      "  malssi embed --model DIR --file lines.txt --normalize --json > vectors.jsonl\n"
      "Encoders (BERT and its kin) pool as their folder says, else by the mean; decoders take the\n"
      "last token's vector. Prints a line for each text, in order.");
  sub->add_option("texts", command->texts, "texts")->type_name("TEXT");
  sub->add_option("--model", command->model, "model folder or .gguf file")
      ->required()
      ->type_name("PATH");
  command->lora.add_to(*sub);
  sub->add_option("--file", command->file, "a file with a text on each line")->type_name("FILE");
  sub->add_option("--pooling", command->pooling, "cls, mean or last (default: the model's)")
      ->check(CLI::IsMember({"cls", "mean", "last"}))
      ->type_name("KIND");
  sub->add_flag("--normalize", command->normalize, "make every vector's length 1");
  sub->add_flag("--truncate", command->truncate, "cut texts that are too long for the model");
  sub->add_option("--dtype", command->dtype, "precision: auto, f32 or bf16")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  sub->add_flag("--json", command->json, "print JSON, an object on each line");
  sub->callback([command] { run(*command); });
}

}  // namespace malssi
