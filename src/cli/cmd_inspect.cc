// malssi inspect: shows what a model folder, run, weights file or tokenizer holds.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/cache_flag.h"
#include "cli/commands.h"
#include "io/inspect.h"

namespace malssi {
namespace {

constexpr int64_t kLabelWidth = 16;

// Names come from files: what could steer a terminal is shown as a space.
std::string printable(std::string_view text) {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_character(text, at);
    const bool steers = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd;
    line += steers ? " " : text.substr(begin, at - begin);
  }
  return line;
}

std::string padded(const std::string& text, int64_t width) {
  const int64_t missing = std::max<int64_t>(width - display_width(text), 0);
  return text + std::string(static_cast<size_t>(missing), ' ');
}

void print_row(std::string_view label, std::string_view value) {
  std::printf("%s  %s\n", padded(printable(label), kLabelWidth).c_str(), printable(value).c_str());
}

std::string shape_text(const Json& shape) {
  std::string text = "[";
  for (const Json& extent : shape) text += (text.size() > 1 ? ", " : "") + dump_json(extent);
  return text + "]";
}

void print_config(const Json& config) {
  for (const auto& [key, value] : config.items())
    print_row("  " + key, value.is_string() ? value.get<std::string>() : dump_json(value));
}

void print_tokenizer(const Json& tokenizer) {
  std::string text =
      tokenizer["kind"].get<std::string>() + ", " + dump_json(tokenizer["tokens"]) + " tokens";
  if (tokenizer["merges"] != 0) text += ", " + dump_json(tokenizer["merges"]) + " merges";
  if (tokenizer["pattern"] != "") text += ", pattern " + tokenizer["pattern"].get<std::string>();
  print_row("tokenizer", text);
  std::string special;
  for (const Json& token : tokenizer["special"])
    special += (special.empty() ? "" : " ") + token.get<std::string>();
  if (!special.empty()) print_row("special tokens", fit_width(special, 200));
}

void print_memory(const Json& memory, const Json& config, int64_t parameters) {
  const auto bytes = [&](const char* key) { return human_bytes(memory[key].get<int64_t>()); };
  print_row("memory", bytes("weights_f32") + " in f32, " + bytes("weights_bf16") + " in bf16, " +
                          bytes("training") + " to train (without activations)");
  const auto held = memory["weights"].get<int64_t>();
  print_row("in the files",
            concat(human_bytes(held), ", ",
                   human_number(8.0 * static_cast<double>(held) / static_cast<double>(parameters)),
                   " bits a parameter"));
  if (!memory.contains("kv_cache_per_token")) return;
  const auto context = config["context"].get<int64_t>();
  std::string caches;
  for (const auto& [type, per_token] : memory["kv_cache_per_token"].items())
    caches += concat(caches.empty() ? "" : ", ", human_bytes(per_token.get<int64_t>() * context),
                     " in ", type);
  print_row("key/value cache", concat(caches, " for a context of ", context));
  if (!memory.contains("at_context")) return;
  const Json& at = memory["at_context"];
  print_row("to run",
            concat(human_bytes(at["bytes"].get<int64_t>()), " with a context of ",
                   at["context"].get<int64_t>(), " in ", at["cache_type"].get<std::string>()));
}

void print_adapter(const Json& adapter) {
  const auto listed = [](const Json& list) {
    std::string text;
    for (const Json& item : list)
      text += (text.empty() ? "" : ", ") +
              (item.is_string() ? item.get<std::string>() : dump_json(item));
    return text;
  };
  print_row("format",
            adapter["format"].get<std::string>() + ", " +
                (adapter["type"] == "lora" ? "LoRA" : adapter["type"].get<std::string>()));
  const auto base = adapter["base"].get<std::string>();
  print_row("base model", base.empty() ? "not named" : fit_width(base, 200));
  if (adapter["architecture"] != "")
    print_row("architecture", fit_width(adapter["architecture"].get<std::string>(), 200));
  if (!adapter.contains("scales")) return;
  const Json& scales = adapter["scales"];
  const std::string scale = human_number(scales[0].get<double>());
  print_row("rank",
            concat(listed(adapter["ranks"]), "; alpha ",
                   human_number(adapter["alpha"].get<double>()), ", so B A times ", scale,
                   scales[0] == scales[1] ? std::string()
                                          : " to " + human_number(scales[1].get<double>())));
  print_row("targets", concat(listed(adapter["targets"]), " (", adapter["matrices"].get<int64_t>(),
                              " matrices)"));
}

void print_tensors(const Json& tensors) {
  int64_t width = 0, shapes = 0;
  for (const Json& tensor : tensors) {
    width = std::max(width, display_width(printable(tensor["name"].get<std::string>())));
    shapes = std::max(shapes, static_cast<int64_t>(shape_text(tensor["shape"]).size()));
  }
  std::printf("\n%zu tensors\n", tensors.size());
  for (const Json& tensor : tensors)
    std::printf("  %s  %-6s  %s  %s\n",
                padded(printable(tensor["name"].get<std::string>()), width).c_str(),
                tensor["dtype"].get<std::string>().c_str(),
                padded(shape_text(tensor["shape"]), shapes).c_str(),
                human_bytes(tensor["bytes"].get<int64_t>()).c_str());
}

void print_run(const Json& result) {
  for (const Json& model : result["models"]) print_row("model", model.get<std::string>());
  for (const Json& adapter : result["adapters"]) print_row("adapter", adapter.get<std::string>());
  for (const Json& checkpoint : result["checkpoints"])
    print_row("checkpoint", concat("step ", checkpoint["step"].get<int64_t>(), "  ",
                                   checkpoint["path"].get<std::string>(),
                                   checkpoint["damage"].is_null()
                                       ? std::string("  whole")
                                       : "  DAMAGED: " + checkpoint["damage"].get<std::string>()));
}

void print_text(const Json& result) {
  print_row(result["kind"].get<std::string>(), result["path"].get<std::string>());
  if (result.contains("damage"))
    print_row("manifest", result["damage"].is_null()
                              ? "every file is as it was written"
                              : "DAMAGED: " + result["damage"].get<std::string>());
  if (result["kind"] == "run") return print_run(result);
  if (result.contains("parameters"))
    print_row("parameters", concat(human_count(result["parameters"].get<double>()), " (",
                                   result["parameters"].get<int64_t>(), ")"));
  if (result.contains("adapter")) print_adapter(result["adapter"]);
  if (result.contains("memory"))
    print_memory(result["memory"], result.contains("config") ? result["config"] : Json(),
                 std::max<int64_t>(result["parameters"].get<int64_t>(), 1));
  if (result.contains("files"))
    for (const Json& file : result["files"])
      print_row("file",
                file["name"].get<std::string>() + ", " + human_bytes(file["bytes"].get<int64_t>()));
  if (result.contains("tokenizer")) print_tokenizer(result["tokenizer"]);
  if (result.contains("chat_template"))
    print_row("chat template", result["chat_template"].is_null()
                                   ? "none"
                                   : fit_width(result["chat_template"].get<std::string>(), 200));
  if (result.contains("training")) print_row("training", dump_json(result["training"]));
  if (result.contains("config_problem"))
    print_row("config", result["config_problem"].get<std::string>());
  if (result.contains("config")) {
    print_row("config", "");
    print_config(result["config"]);
  }
  if (result["kind"] == "gguf") {
    print_row("metadata", concat("GGUF version ", result["version"].get<int64_t>()));
    for (const auto& [key, value] : result["metadata"].items())
      print_row("  " + key,
                fit_width(value.is_string() ? value.get<std::string>() : dump_json(value), 200));
  }
  if (result.contains("tensors")) print_tensors(result["tensors"]);
}

// What running the model takes: its weights as the files hold them, and the keys and values of so many tokens.
void add_needed(Json& result, int64_t context, DType cache_type) {
  REQUIRE(result.contains("memory") && result["memory"].contains("kv_cache_per_token"),
          result["path"].get<std::string>(), ": no model whose memory --context could tell");
  Json& memory = result["memory"];
  const std::string type(dtype_name(cache_type));
  const int64_t cache = memory["kv_cache_per_token"][type].get<int64_t>() * context;
  memory["at_context"] = {{"context", context},
                          {"cache_type", type},
                          {"bytes", memory["weights"].get<int64_t>() + cache}};
}

struct InspectCommand {
  std::string path;
  int64_t context = 0;
  std::optional<DType> cache_type;
  bool json = false;
};

}  // namespace

void add_inspect(CLI::App& app, Runner&) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App* sub = app.add_subcommand(
      "inspect", "show what a model, run, weights file, adapter or tokenizer holds");
  sub->footer(
      "Examples:\n"
      "  malssi inspect runs/demo/model\n"
      "  malssi inspect model-q4.gguf --context 4096      with the memory that this takes\n"
      "  malssi inspect model.safetensors --json\n"
      "  malssi inspect adapter/               a LoRA adapter: rank, base model, targets\n"
      "  malssi inspect runs/demo              its models and checkpoints, and whether they are "
      "whole");
  sub->add_option(
         "path", command->path,
         "a model folder, a checkpoint, a run, a file of weights (.gguf, .safetensors, .bin, .pt), "
         "an adapter, or a tokenizer.json")
      ->required()
      ->type_name("PATH");
  sub->add_option("--context", command->context, "tell the memory for so many tokens")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 32))
      ->type_name("TOKENS");
  add_cache_flag(*sub, command->cache_type,
                 "with --context: keys and values kept in this type (default bf16)");
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command] {
    Json result = inspect(command->path);
    if (command->context > 0)
      add_needed(result, command->context, command->cache_type.value_or(DType::bf16));
    if (command->json)
      std::printf("%s\n", dump_json(result, 2).c_str());
    else
      print_text(result);
  });
}

}  // namespace malssi
