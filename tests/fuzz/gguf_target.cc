#include "fuzz/memory_file.h"
#include "fuzz/seeds.h"
#include "fuzz/uses.h"
#include "io/gguf_model.h"
#include "io/inspect.h"
#include "io/model_folder.h"
#include "io/model_source.h"
#include "io/quant_mix.h"

namespace malssi::fuzz {
namespace {

std::string model_file(const std::string& family, std::string_view format) {
  const fs::path folder = fs::temp_directory_path() / concat("malssi-seed-", ::getpid());
  const fs::path file = folder.string() + ".gguf";
  const auto model = make_model(small_config(family), DType::f32, 7);
  save_model(folder, *model, *small_tokenizer(), nullptr);
  const ModelSource source = open_model(folder);
  const GgufPlan plan = plan_gguf(source);
  const QuantMix& mix = quant_mix(format);
  write_gguf(file, plan, plain_targets(plan, mix.dtype), mix.file_type);
  const std::string content = read_file(file);
  fs::remove_all(folder);
  fs::remove(file);
  return content;
}

std::string text(std::string_view content) {
  return bytes_of(static_cast<uint64_t>(content.size())) + std::string(content);
}
std::string header(uint64_t tensors, uint64_t keys) {
  return "GGUF" + bytes_of(uint32_t{3}) + bytes_of(tensors) + bytes_of(keys);
}
std::string list(std::string_view name, uint32_t element, uint64_t count) {
  return text(name) + bytes_of(uint32_t{9}) + bytes_of(element) + bytes_of(count);
}
std::string tensor(const std::vector<uint64_t>& extents, uint64_t offset) {
  std::string out = text("t") + bytes_of(static_cast<uint32_t>(extents.size()));
  for (const uint64_t extent : extents) out += bytes_of(extent);
  return out + bytes_of(uint32_t{0}) + bytes_of(offset);
}

}  // namespace

void run_gguf(std::string_view input) {
  const MemoryFile file(input);
  const Gguf gguf(file.path());
  for (const GgufKey& key : gguf.keys()) {
    try {
      gguf.find(key.name);
    } catch (const Error&) {
      continue;  // a number too large to hold
    }
  }
  inspect(file.path());
  const ModelSource source = open_model(file.path());
  if (source.tokenizer) use(*source.tokenizer, "abc 가 <|endoftext|>");
  if (!is_small(source.config)) return;
  use(*load_model(file.path(), {}).model);
}

Seeds gguf_seeds() {
  constexpr uint64_t kHuge = ~uint64_t{0};
  Seeds seeds{
      {"counts_past_the_end", header(kHuge, kHuge)},
      {"key_length_past_the_end", header(0, 1) + bytes_of(kHuge - 7)},
      {"list_of_lists", header(0, 1) + list("a", 9, 2) + bytes_of(uint32_t{9})},
      {"list_count_overflows", header(0, 1) + list("a", 10, (uint64_t{1} << 61) + 1)},
      {"list_of_strings_too_long", header(0, 1) + list("a", 8, 1) + bytes_of(kHuge)},
      {"extents_overflow", header(1, 0) + tensor({uint64_t{1} << 62, 4, 4}, 0)},
      {"extent_zero", header(1, 0) + tensor({0, 8}, 0) + std::string(64, '\0')},
      {"offset_past_the_end", header(1, 0) + tensor({8}, kHuge - 31) + std::string(64, '\0')},
      {"tokens_are_numbers", header(0, 2) + text("tokenizer.ggml.model") + bytes_of(uint32_t{8}) +
                                 text("llama") + list("tokenizer.ggml.tokens", 4, 1) +
                                 bytes_of(uint32_t{7})},
  };
  for (const char* family : {"llama", "gpt2", "gemma3_text", "qwen2"})
    seeds.emplace_back(concat("good_", family), model_file(family, "f32"));
  for (const char* format : {"q8_0", "q4_0", "bf16"})
    seeds.emplace_back(concat("good_llama_", format), model_file("llama", format));
  return seeds;
}

}  // namespace malssi::fuzz
