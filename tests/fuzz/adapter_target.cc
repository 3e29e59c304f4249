// LoRA adapters: a GGUF file, or a PEFT folder as adapter_config.json and the safetensors file after a zero byte.
#include "fuzz/memory_file.h"
#include "fuzz/seeds.h"
#include "fuzz/uses.h"
#include "io/adapter_file.h"
#include "io/inspect.h"

namespace malssi::fuzz {
namespace {

// Of this process; every input fills it anew.
const fs::path& adapter_folder() {
  static const fs::path folder = [] {
    const fs::path memory = "/dev/shm";
    return (is_folder(memory) ? memory : fs::temp_directory_path()) /
           concat("malssi-fuzz-adapter-", ::getpid());
  }();
  return folder;
}

void use_adapter(const fs::path& path) {
  inspect(path);
  const auto model = make_model(small_config("llama"), DType::f32, 7);
  attach_adapter(*model, path);
  CausalBatch batch({0, 2});
  batch.set_adapters({2, {{0, 0.5f}}});
  model->hidden(std::vector<int32_t>{0, 1}, batch);
}

// A pair for one matrix of the small model.
std::string pair_of(int64_t rank, int64_t inputs, int64_t outputs) {
  const std::string name = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
  const int64_t a = 4 * rank * inputs, b = 4 * rank * outputs;
  const std::string header =
      concat("{\"", name, R"(A.weight":{"dtype":"F32","shape":[)", rank, ",", inputs,
             R"(],"data_offsets":[0,)", a, "]},\"", name, R"(B.weight":{"dtype":"F32","shape":[)",
             outputs, ",", rank, R"(],"data_offsets":[)", a, ",", a + b, "]}}");
  return bytes_of(static_cast<uint64_t>(header.size())) + header +
         std::string(static_cast<size_t>(a + b), '\x3d');
}

}  // namespace

void run_adapter(std::string_view input) {
  if (input.starts_with("GGUF")) {
    const MemoryFile file(input);
    return use_adapter(file.path());
  }
  fs::create_directories(adapter_folder());
  write_file(adapter_folder() / "adapter_config.json", take_part(input), Durability::later);
  write_file(adapter_folder() / "adapter_model.safetensors", input, Durability::later);
  use_adapter(adapter_folder());
}

Seeds adapter_seeds() {
  const auto with = [](std::string_view config, const std::string& pair) {
    return std::string(config) + '\0' + pair;
  };
  const fs::path folder = fs::temp_directory_path() / concat("malssi-seed-", ::getpid());
  const fs::path file = folder.string() + ".gguf";
  const std::string plain =
      R"({"peft_type":"LORA","r":2,"lora_alpha":4,"target_modules":["q_proj"],"bias":"none"})";
  fs::create_directories(folder);
  write_file(folder / "adapter_config.json", plain);
  write_file(folder / "adapter_model.safetensors", pair_of(2, 32, 32));
  const auto model = make_model(small_config("llama"), DType::f32, std::nullopt);
  write_gguf_adapter(file, open_adapter(folder), *model);
  const std::string gguf = read_file(file);
  fs::remove_all(folder);
  fs::remove(file);
  return {
      {"good", with(plain, pair_of(2, 32, 32))},
      {"good_gguf", gguf},
      {"good_patterns",
       with(
           R"({"peft_type":"LORA","r":4,"rank_pattern":{"layers\\.0.*":2},"alpha_pattern":{"q_proj":1},"use_rslora":true,"target_modules":".*_proj"})",
           pair_of(2, 32, 32))},
      {"other_base", with(plain, pair_of(2, 64, 32))},
      {"rank_zero", with(R"({"peft_type":"LORA","r":0})", pair_of(0, 32, 32))},
      {"rank_beyond", with(R"({"peft_type":"LORA","r":1e300})", pair_of(2, 32, 32))},
      {"pattern_that_backtracks",
       with(R"({"peft_type":"LORA","r":2,"target_modules":"(.*.*)*.*(.*)*x"})",
            pair_of(2, 32, 32))},
      {"nothing", ""},
  };
}

}  // namespace malssi::fuzz
