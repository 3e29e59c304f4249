// Models from one file format to another and back: the same logits, the same tokens.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "io/gguf_model.h"
#include "io/hf_folder.h"
#include "io/inspect.h"
#include "io/model_folder.h"
#include "io/quant_mix.h"
#include "io/tiny_model.h"
#include "io/weight_files.h"
#include "io/weight_layout.h"
#include "scratch.h"
#include "text/bpe_trainer.h"

namespace malssi {
namespace {

constexpr std::string_view kText = "the cat sat on the mat, the dog sat on the log; 고양이와 개";

std::unique_ptr<Tokenizer> bpe() {
  return train_bpe({&kText, 1}, {.vocab_size = 270, .special = {"<|endoftext|>"}});
}

ModelConfig config_of(const std::string& family) {
  ModelConfig config = tiny_config(family);
  config.vocab = 272;  // more rows than tokens, as many models have
  config.width = 32;
  config.heads = 4;
  config.kv_heads = family == "gpt2" ? 4 : 2;
  config.hidden = 64;
  config.layers = 2;
  config.eos_id = 261;
  return config;
}

class Convert : public testing::Test {
 protected:
  // A folder of a model with weights worth comparing.
  std::unique_ptr<Model> save(const ModelConfig& config) {
    auto model = make_model(config, DType::f32, 7);
    model->visit([](const Parameter& p) {  // norms and biases begin as ones and zeros
      if (p.kind == ParameterKind::norm || p.kind == ParameterKind::bias)
        for (int64_t i = 0; i < p.value->size(); ++i)
          p.value->f32()[i] += 0.01f * static_cast<float>(i % 7);
    });
    save_model(folder_, *model, *bpe(), nullptr);
    return model;
  }
  void to_gguf(const fs::path& from, const std::string& type = "f32") {
    const ModelSource source = open_model(from);
    const GgufPlan plan = plan_gguf(source);
    write_gguf(gguf_, plan, plain_targets(plan, quant_mix(type).dtype), quant_mix(type).file_type);
  }

  ScratchFolder scratch_;
  fs::path folder_ = scratch_ / "m", gguf_ = scratch_ / "m.gguf", back_ = scratch_ / "back";
};

TEST_F(Convert, FolderToGgufAndBackLosesNothing) {
  for (const bool tied : {true, false})
    for (const char* family : {"llama", "gpt2"}) {
      ModelConfig config = config_of(family);
      config.tied = tied;
      config.bias = tied;
      const auto model = save(config);
      const std::vector<float> expected = tiny_logits(*model);
      to_gguf(folder_);
      const LoadedModel loaded = load_model(gguf_, DType::f32);
      EXPECT_EQ(tiny_logits(*loaded.model), expected) << family;
      EXPECT_EQ(loaded.tokenizer->encode(kText), bpe()->encode(kText));
      EXPECT_EQ(loaded.tokenizer->eos_id(), bpe()->eos_id());
      write_hf_folder(back_, open_model(gguf_));
      EXPECT_EQ(tiny_logits(*load_model(back_, DType::f32).model), expected) << family;
      EXPECT_TRUE(load_json(back_ / "tokenizer.json")["model"] ==
                  load_json(folder_ / "tokenizer.json")["model"]);
      fs::remove_all(back_);
      fs::remove_all(folder_);
    }
}

TEST_F(Convert, EveryFamilyComesBackFromItsGguf) {
  const Json golden = parse_json(
      read_file(fs::path(MALSSI_SOURCE_DIR) / "tests" / "models" / "golden_families.json"),
      "golden");
  size_t written = 0;
  for (const Json& entry : golden) {
    ModelSource source;
    source.config = config_from_hf(entry["config"], "config.json");
    const auto model = make_model(source.config, DType::f32, 5);
    std::map<std::string, Tensor> weights;
    for (const NamedTensor& w : export_weights(*model)) weights[w.name] = w.value;
    source.find = [&](const std::string& name) { return weights[name]; };
    GgufPlan plan;
    if (!error_of([&] { plan = plan_gguf(source); }).empty()) continue;  // GGUF has no such family
    write_gguf(gguf_, plan, plain_targets(plan, DType::f32), kFileTypeF32);
    const ModelSource file = open_model(gguf_);
    const auto back = make_model(file.config, DType::f32, std::nullopt);
    import_weights(*back, file.find);
    const std::vector<float> expected = tiny_logits(*model), got = tiny_logits(*back);
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(got[i], expected[i], 1e-4) << source.config.family;
    ++written;
  }
  EXPECT_GE(written, golden.size() - 3);
}

// llama.cpp's quantiser writes the gate of a shared expert, [1, width], as [width], and does not quantise it.
TEST_F(Convert, ReadsASingleRowThatIsAVectorInTheFile) {
  ModelConfig config = config_of("qwen2_moe");
  config.experts = 4;
  config.experts_used = 2;
  config.expert_hidden = config.shared_hidden = 32;
  config.renormalised = false;
  const auto model = save(config);
  const ModelSource source = open_model(folder_);
  GgufPlan plan = plan_gguf(source);
  std::vector<GgufTarget> targets;
  for (const DType dtype : choose_dtypes(quant_mix("q8_0"), plan, HasImportance::no))
    targets.push_back({dtype});
  size_t gates = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    LazyTensor& tensor = plan.tensors[i];
    if (!tensor.name.ends_with("ffn_gate_inp_shexp.weight")) continue;
    EXPECT_EQ(targets[i].dtype, DType::f32);
    tensor.shape = {config.width};
    tensor.load = [load = tensor.load] { return load().view({32}); };
    ++gates;
  }
  EXPECT_EQ(gates, 2u);
  write_gguf(gguf_, plan, plain_targets(plan, DType::f32), kFileTypeF32);
  EXPECT_EQ(tiny_logits(*load_model(gguf_, DType::f32).model), tiny_logits(*model));
  write_hf_folder(back_, open_model(gguf_));
  EXPECT_EQ(tiny_logits(*load_model(back_, DType::f32).model), tiny_logits(*model));
}

TEST_F(Convert, RefusesExpertsWhoseWeightsGgufsReadersTakeOtherwise) {
  ModelConfig config = config_of("qwen3_moe");
  config.experts = 4;
  config.experts_used = 2;
  config.expert_hidden = 32;
  config.renormalised = false;
  save(config);
  EXPECT_TRUE(contains(error_of([&] { to_gguf(folder_); }),
                       "take \"norm_topk_prob\" of qwen3_moe models for true"));
}

TEST_F(Convert, KeepsMatricesInHalfPrecisionAndNormsWhole) {
  save(config_of("llama"));
  for (const auto& [type, dtype] : {std::pair{"f16", DType::f16}, std::pair{"bf16", DType::bf16}}) {
    to_gguf(folder_, type);
    const Gguf file(gguf_);
    EXPECT_EQ(file.find_int("general.file_type"), dtype == DType::f16 ? 1 : 32);
    EXPECT_EQ(file.find_tensor("blk.1.ffn_up.weight")->dtype, dtype);
    EXPECT_EQ(file.find_tensor("blk.1.ffn_norm.weight")->dtype, DType::f32);
    write_hf_folder(back_, open_model(gguf_), {.dtype = dtype});
    const WeightFiles weights = WeightFiles::open(back_);
    EXPECT_EQ(weights.find("model.layers.1.mlp.up_proj.weight")->type->name,
              dtype == DType::f16 ? "F16" : "BF16");
    fs::remove_all(back_);
  }
}

TEST_F(Convert, WritesShardsOfTheSizeAskedFor) {
  const auto model = save(config_of("llama"));
  write_hf_folder(back_, open_model(folder_), {.shard_bytes = 20000});
  const WeightFiles weights = WeightFiles::open(back_);
  EXPECT_GT(weights.files().size(), 3u);
  for (const auto& file : weights.files())
    EXPECT_TRUE(file->file_bytes() < 22000 || file->entries().size() == 1) << file->path();
  EXPECT_EQ(tiny_logits(*load_model(back_, DType::f32).model), tiny_logits(*model));
}

TEST_F(Convert, PairsOfRotaryRowsComeBack) {
  std::vector<float> numbers(8 * 3);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  const Tensor halves = Tensor::from(numbers, {8, 3});
  const Tensor pairs = pairs_from_halves(halves, 2);
  // A head's rows 0, 1, 2, 3 with the pairs (0, 2) and (1, 3).
  EXPECT_EQ(pairs.rows(1, 2).to_vector(), halves.rows(2, 3).to_vector());
  EXPECT_EQ(pairs.rows(6, 7).to_vector(), halves.rows(5, 6).to_vector());
  EXPECT_EQ(halves_from_pairs(pairs, 2).to_vector(), numbers);
}

TEST_F(Convert, QuantisedFilesRunAndStayNear) {
  ModelConfig config = config_of("llama");
  config.width = 256;
  config.heads = 8;
  config.kv_heads = 4;
  config.hidden = 256;
  const auto model = save(config);
  const std::vector<float> expected = tiny_logits(*model);
  for (const char* type : {"q8_0", "q4_k_m", "q4_0", "iq4_nl", "q6_k"}) {
    const ModelSource source = open_model(folder_);
    const GgufPlan plan = plan_gguf(source);
    std::vector<GgufTarget> targets;
    for (const DType dtype : choose_dtypes(quant_mix(type), plan, HasImportance::no))
      targets.push_back({dtype});
    write_gguf(gguf_, plan, targets, quant_mix(type).file_type);
    const auto copied = tiny_logits(*load_model(gguf_, DType::f32).model);
    const auto held = tiny_logits(*load_model(gguf_, DType::f32, ImportMode::hold).model);
    double size = 0, copied_error = 0, held_error = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      size += std::pow(expected[i], 2);
      copied_error += std::pow(copied[i] - expected[i], 2);
      held_error += std::pow(held[i] - expected[i], 2);
    }
    EXPECT_LT(copied_error, 0.03 * size) << type;
    EXPECT_LT(held_error, 0.03 * size) << type;
    EXPECT_GT(copied_error, 0) << type;
  }
}

TEST_F(Convert, RefusesWhatAFileCannotHold) {
  const auto model = save(config_of("llama"));
  EXPECT_TRUE(contains(error_of([&] { open_model(scratch_ / "none"); }), "no such file"));
  overwrite(scratch_ / "x.txt", std::string(4000, 'x'));
  EXPECT_TRUE(contains(error_of([&] { open_model(scratch_ / "x.txt"); }), "nor a llama2.c"));
  model->visit([](const Parameter& p) { p.value->f32()[0] = 1e6f; });
  save_model(folder_, *model, *bpe(), nullptr);
  EXPECT_TRUE(contains(error_of([&] { to_gguf(folder_, "f16"); }),
                       "token_embd.weight\" holds a number that is not finite or beyond 65504"));
  EXPECT_FALSE(fs::exists(gguf_));
  EXPECT_TRUE(contains(error_of([&] { quant_mix("q4_x"); }), "known are F32"));
}

TEST_F(Convert, GgufOfAnUnknownArchitectureIsNamed) {
  save(config_of("llama"));
  to_gguf(folder_);
  const auto error_with = [&](std::string_view key, const GgufValue& value) {
    const auto file = std::make_shared<const Gguf>(gguf_);
    GgufPlan plan = plan_gguf(file);
    std::vector<GgufTarget> targets;
    for (const LazyTensor& tensor : plan.tensors) targets.push_back({tensor.dtype});
    plan.put_keys = [put = plan.put_keys, key, value](GgufWriter& writer) {
      put(writer);
      writer.put(key, value);
    };
    write_gguf(scratch_ / "changed.gguf", plan, targets, 0);
    const std::string message =
        error_of([&] { load_model(scratch_ / "changed.gguf", DType::f32); });
    EXPECT_TRUE(is_one_line(message)) << key << ": " << message;
    return message;
  };
  EXPECT_TRUE(contains(error_with("general.architecture", std::string("rwkv")), "known are"));
  EXPECT_NE(error_with("llama.block_count", int64_t{3}), "");
  EXPECT_NE(error_with("llama.block_count", int64_t{1} << 40), "");
  EXPECT_NE(error_with("llama.embedding_length", int64_t{64}), "");
  EXPECT_NE(error_with("llama.attention.head_count", std::string("4")), "");
  EXPECT_NE(error_with("llama.attention.head_count_kv", int64_t{3}), "");
  EXPECT_NE(error_with("tokenizer.ggml.eos_token_id", int64_t{272}), "");
  EXPECT_NE(error_with("tokenizer.ggml.model", std::string("new")), "");
}

TEST_F(Convert, GgufModelsSurviveFlippedHeaderBits) {
  save(config_of("llama"));
  to_gguf(folder_);
  std::string content = read_file(gguf_);
  const Gguf whole(gguf_);
  int64_t data = 0;
  for (const GgufTensor& tensor : whole.tensors())
    data += static_cast<int64_t>(tensor.bytes.size());
  const size_t header_bits = 8 * (content.size() - static_cast<size_t>(data));
  int64_t refused = 0;
  const fs::path flipped = scratch_ / "flipped.gguf";
  for (size_t bit = 0; bit < header_bits; bit += 31) {  // not all: that takes a minute
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    overwrite(flipped, content);
    const std::string message = error_of([&] {
      const LoadedModel loaded = load_model(flipped, DType::f32, ImportMode::hold);
      tiny_logits(*loaded.model);
    });
    EXPECT_TRUE(message.empty() || is_one_line(message)) << bit << ": " << message;
    refused += !message.empty();
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
  EXPECT_GT(refused, 100);
}

// A llama2.c checkpoint of consecutive numbers.
std::string llama2c_file(int32_t vocab, int64_t numbers) {
  const int32_t header[7] = {8, 12, 2, 2, 1, vocab, 16};
  std::string file(reinterpret_cast<const char*>(header), sizeof(header));
  for (int64_t i = 0; i < numbers; ++i) {
    const float number = static_cast<float>(i % 101) * 0.01f;
    file.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  return file;
}

TEST_F(Convert, ReadsLlama2cCheckpointsOfTheExactSize) {
  const int64_t per_layer = 8 + 64 + 32 + 32 + 64 + 8 + 3 * 96;
  const int64_t numbers = 10 * 8 + 2 * per_layer + 8 + 16 * 4;
  const fs::path path = scratch_ / "m.bin";
  for (const int32_t vocab : {10, -10}) {
    const int64_t whole = numbers + (vocab < 0 ? 80 : 0);
    overwrite(path, llama2c_file(vocab, whole));
    const ModelSource source = open_model(path);
    EXPECT_EQ(source.config.tied, vocab > 0);
    EXPECT_EQ(source.config.vocab, 10);
    EXPECT_EQ(source.find("lm_head.weight").defined(), vocab < 0);
    EXPECT_EQ(source.find("model.embed_tokens.weight").to_vector()[9], 9 * 0.01f);
    // The second layer's keys: after the embedding, two norms, two queries and one of keys.
    const float first = static_cast<float>((80 + 2 * 8 + 2 * 64 + 32) % 101) * 0.01f;
    EXPECT_EQ(source.find("model.layers.1.self_attn.k_proj.weight").to_vector()[0], first);
    const Json shown = inspect(path);
    EXPECT_EQ(shown["kind"], "llama2c");
    EXPECT_EQ(shown["parameters"], whole - 16 * 4);  // all but the angles
    EXPECT_EQ(shown["tensors"][0]["shape"], (Json{10, 8}));
    write_hf_folder(back_, source);
    EXPECT_TRUE(fs::exists(back_ / "model.safetensors"));
    EXPECT_FALSE(fs::exists(back_ / "tokenizer.json"));
    for (const int64_t wrong : {whole - 1, whole + 1, int64_t{0}}) {
      overwrite(path, llama2c_file(vocab, wrong));
      EXPECT_TRUE(contains(error_of([&] { open_model(path); }), "its header asks for"));
    }
  }
}

TEST_F(Convert, SurvivesEveryFlippedBitOfALlama2cHeader) {
  const fs::path path = scratch_ / "m.bin";
  std::string content = llama2c_file(10, 1180);
  for (size_t bit = 0; bit < 8 * 28; ++bit) {
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    overwrite(path, content);
    EXPECT_NE(error_of([&] { open_model(path); }), "") << bit;
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

}  // namespace
}  // namespace malssi
