// Models in other formats than GGUF.
#include "fuzz/memory_file.h"
#include "fuzz/seeds.h"
#include "fuzz/uses.h"
#include "io/inspect.h"
#include "io/llama2c.h"
#include "io/model_folder.h"

namespace malssi::fuzz {
namespace {

std::string llama2c_file(const std::vector<int32_t>& header, int64_t numbers) {
  std::string out;
  for (const int32_t number : header) out += bytes_of(number);
  for (int64_t i = 0; i < numbers; ++i) out += bytes_of(0.125f * static_cast<float>(i % 7 - 3));
  return out;
}

// A folder of this process that every input fills anew.
const fs::path& work_folder() {
  static const fs::path folder = [] {
    const fs::path memory = "/dev/shm";
    return (is_folder(memory) ? memory : fs::temp_directory_path()) /
           concat("malssi-fuzz-", ::getpid());
  }();
  return folder;
}

constexpr const char* kFiles[] = {"config.json", "tokenizer.json", "tokenizer_config.json"};

}  // namespace

void run_llama2c(std::string_view input) {
  const MemoryFile file(input);
  const ModelSource source = open_llama2c(file.path());
  if (!is_small(source.config)) return;
  const auto model = make_model(source.config, DType::f32, std::nullopt);
  import_weights(*model, source.find);
  use(*model);
}

Seeds llama2c_seeds() {
  // width 8, hidden 4, 1 layer, 2 heads, 1 of them for keys, 5 tokens, context 3.
  constexpr int64_t kNumbers = 5 * 8 + 8 + 64 + 32 + 32 + 64 + 8 + 32 * 3 + 8 + 3 * 4;
  return {
      {"good", llama2c_file({8, 4, 1, 2, 1, 5, 3}, kNumbers)},
      {"good_untied", llama2c_file({8, 4, 1, 2, 1, -5, 3}, kNumbers + 40)},
      {"zeros", llama2c_file({0, 0, 0, 0, 0, 0, 0}, 4)},
      {"below_zero", llama2c_file({-8, 4, -1, 2, 1, INT32_MIN, 3}, 4)},
      {"sizes_overflow", llama2c_file({1 << 24, 1 << 24, 1 << 24, 1, 1, 1 << 24, 1 << 24}, 4)},
      {"many_layers", llama2c_file({1, 1, 4000, 1, 1, 1, 1}, 5000)},
  };
}

void run_config(std::string_view input) {
  const ModelConfig config = config_from_hf(parse_json(input, "input"), "input");
  if (!is_small(config)) return;
  const auto model = make_model(config, DType::f32, 1);
  dump_json(model->hf_config());
  use(*model);
}

Seeds config_seeds() {
  Seeds seeds{
      {"sizes_overflow",
       R"({"model_type":"llama","vocab_size":9223372036854775807,"hidden_size":9223372036854775807,"intermediate_size":1,"num_hidden_layers":1,"num_attention_heads":1})"},
      {"zeros",
       R"({"model_type":"llama","vocab_size":0,"hidden_size":0,"intermediate_size":0,"num_hidden_layers":0,"num_attention_heads":0,"num_key_value_heads":0})"},
      {"below_zero",
       R"({"model_type":"qwen2","vocab_size":-5,"hidden_size":-16,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":-4})"},
      {"no_numbers",
       R"({"model_type":"llama","vocab_size":8,"hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"rope_theta":1e400,"rms_norm_eps":-1})"},
  };
  int number = 0;
  for (const Json& entry : fixture_json("models/golden_families.json"))
    seeds.emplace_back(concat("good_", number++), dump_json(entry["config"]));
  return seeds;
}

void run_folder(std::string_view input) {
  fs::create_directories(work_folder());
  for (const char* name : kFiles) {
    const std::string_view part = take_part(input);
    fs::remove(work_folder() / name);
    if (!part.empty()) write_file(work_folder() / name, part, Durability::later);
  }
  write_file(work_folder() / "model.safetensors", input, Durability::later);
  try {
    inspect(work_folder());
  } catch (const Error&) {
    return load_model(work_folder(), {}), void();
  }
  const LoadedModel loaded = load_model(work_folder(), {});
  use(*loaded.tokenizer, "abc 가");
  use(*loaded.model);
}

Seeds folder_seeds() {
  Seeds seeds;
  for (const char* family : {"llama", "gpt2"}) {
    const fs::path folder = fs::temp_directory_path() / concat("malssi-seed-", ::getpid());
    const ChatTemplate chat;
    const auto tokenizer = make_char_tokenizer("abc 가", {.special = default_special_tokens(chat)});
    ModelConfig config = small_config(family, 8);
    config.vocab = tokenizer->vocab_size();
    save_model(folder, *make_model(config, DType::f32, 7), *tokenizer, &chat);
    std::string content;
    for (const char* name : kFiles) content += read_file(folder / name) + '\0';
    seeds.emplace_back(concat("good_", family), content + read_file(folder / "model.safetensors"));
    seeds.emplace_back(concat("without_weights_", family), content);
    fs::remove_all(folder);
  }
  seeds.emplace_back("nothing", "");
  return seeds;
}

}  // namespace malssi::fuzz
