// Which format each tensor takes, against what llama-quantize of llama.cpp chose for the same models.
#include "io/quant_mix.h"

#include <gtest/gtest.h>

#include <span>

#include "base/error.h"

namespace malssi {
namespace {

// One letter for a dtype.
char letter(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 'f';
    case DType::f16:
      return 'h';
    case DType::q8_0:
      return '8';
    case DType::q4_0:
      return 'a';
    case DType::q4_1:
      return 'b';
    case DType::q5_0:
      return 'c';
    case DType::q5_1:
      return 'd';
    case DType::q2_k:
      return '2';
    case DType::q3_k:
      return '3';
    case DType::q4_k:
      return '4';
    case DType::q5_k:
      return '5';
    case DType::q6_k:
      return '6';
    case DType::iq4_nl:
      return 'n';
    case DType::mxfp4:
      return 'm';
    default:
      return '?';
  }
}

struct Reference {
  std::string_view type;
  std::string_view tables;                // token embedding, output, and the other matrices
  std::string_view values, down, output;  // layer by layer
};

// 16 layers of width 256, four heads to each of keys and values; an output layer of its own.
constexpr Reference kWide[] = {
    {"Q2_K", "262", "4444444444444444", "3333333333333333", "3333333333333333"},
    {"Q3_K_S", "363", "3333333333333333", "3333333333333333", "3333333333333333"},
    {"Q3_K_M", "363", "5544444444444444", "5444444444444444", "4444444444444444"},
    {"Q3_K_L", "363", "5555555555555555", "5555555555555555", "5555555555555555"},
    {"Q4_K_S", "464", "5555444444444444", "5544444444444444", "4444444444444444"},
    {"Q4_K_M", "464", "6644644644644666", "6644644644644666", "4444444444444444"},
    {"Q5_K_M", "565", "6655655655655666", "6655655655655666", "5555555555555555"},
    {"Q6_K", "666", "6666666666666666", "6666666666666666", "6666666666666666"},
    {"IQ4_NL", "n6n", "5555555555555555", "55nnnnnnnnnnnnnn", "nnnnnnnnnnnnnnnn"},
    {"Q4_0", "a6a", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"},
    {"Q8_0", "888", "8888888888888888", "8888888888888888", "8888888888888888"},
    {"MXFP4_MOE", "888", "8888888888888888", "8888888888888888", "8888888888888888"},
};
// 10 layers of width 96 (no whole super blocks) with an MLP of 160.
constexpr Reference kNarrow[] = {
    {"Q2_K", "a8a", "cccccccccc", "aaaaaaaaaa", "aaaaaaaaaa"},
    {"Q3_K_S", "a8a", "aaaaaaaaaa", "aaaaaaaaaa", "aaaaaaaaaa"},
    {"Q3_K_M", "a8a", "ddcccccccc", "cccccccccc", "cccccccccc"},
    {"Q3_K_L", "a8a", "dddddddddd", "dddddddddd", "dddddddddd"},
    {"Q4_K_S", "c8c", "ddddcccccc", "dccccccccc", "cccccccccc"},
    {"Q4_K_M", "c8c", "8cc8cc8c88", "8cc8cc8c88", "cccccccccc"},
    {"Q5_K_M", "d8d", "8dd8dd8d88", "8dd8dd8d88", "dddddddddd"},
    {"Q6_K", "888", "8888888888", "8888888888", "8888888888"},
    {"IQ4_NL", "n8n", "dddddddddd", "dnnnnnnnnn", "nnnnnnnnnn"},
    {"Q4_0", "a8a", "aaaaaaaaaa", "aaaaaaaaaa", "aaaaaaaaaa"},
    {"Q8_0", "888", "8888888888", "8888888888", "8888888888"},
    {"MXFP4_MOE", "888", "8888888888", "8888888888", "8888888888"},
};

GgufPlan plan_of(int64_t layers, int64_t width, int64_t hidden) {
  GgufPlan plan;
  plan.architecture = "llama";
  plan.layers = layers;
  plan.heads = 4;
  plan.kv_heads = 1;
  const auto add = [&](const std::string& name, const Shape& shape) {
    plan.tensors.push_back({.name = name, .shape = shape});
  };
  add("output.weight", {400, width});
  add("token_embd.weight", {400, width});
  add("output_norm.weight", {width});
  for (int64_t i = layers - 1; i >= 0; --i) {  // the order in the file does not count
    const std::string prefix = concat("blk.", i, ".");
    for (const char* name : {"attn_q", "attn_output"})
      add(prefix + name + ".weight", {width, width});
    for (const char* name : {"attn_k", "attn_v"})
      add(prefix + name + ".weight", {width / 4, width});
    for (const char* name : {"ffn_gate", "ffn_up"}) add(prefix + name + ".weight", {hidden, width});
    add(prefix + "ffn_down.weight", {width, hidden});
    add(prefix + "attn_norm.weight", {width});
  }
  return plan;
}

class Choices {
 public:
  Choices(std::string_view type, const GgufPlan& plan, HasImportance importance) : plan_(plan) {
    dtypes_ = choose_dtypes(quant_mix(type), plan, importance);
  }
  char of(const std::string& name) const {
    for (size_t i = 0; i < dtypes_.size(); ++i)
      if (plan_.tensors[i].name == name) return letter(dtypes_[i]);
    return '!';
  }
  std::string of_layers(std::string_view name) const {
    std::string letters;
    for (int64_t i = 0; i < plan_.layers; ++i)
      letters += of(concat("blk.", i, ".", name, ".weight"));
    return letters;
  }

 private:
  const GgufPlan& plan_;
  std::vector<DType> dtypes_;
};

void expect_as(std::span<const Reference> references, const GgufPlan& plan) {
  for (const Reference& reference : references) {
    const Choices choices(reference.type, plan, HasImportance::no);
    const std::string tables = {choices.of("token_embd.weight"), choices.of("output.weight"),
                                choices.of("blk.0.attn_q.weight")};
    EXPECT_EQ(tables, reference.tables) << reference.type;
    EXPECT_EQ(choices.of_layers("attn_v"), reference.values) << reference.type;
    EXPECT_EQ(choices.of_layers("ffn_down"), reference.down) << reference.type;
    EXPECT_EQ(choices.of_layers("attn_output"), reference.output) << reference.type;
    EXPECT_EQ(choices.of_layers("ffn_up"), std::string(reference.values.size(), tables[2]));
    EXPECT_EQ(choices.of_layers("attn_norm"), std::string(reference.values.size(), 'f'));
  }
}

TEST(QuantMix, ChoosesAsLlamaCppDoes) { expect_as(kWide, plan_of(16, 256, 256)); }

TEST(QuantMix, FallsBackAsLlamaCppDoesWhereBlocksDoNotFit) {
  expect_as(kNarrow, plan_of(10, 96, 160));
}

TEST(QuantMix, GivesTheEmbeddingTheOutputsFormatWhereTheyAreOne) {
  GgufPlan plan = plan_of(8, 256, 256);
  plan.tensors.erase(plan.tensors.begin());
  EXPECT_EQ(Choices("q4_k_m", plan, HasImportance::no).of("token_embd.weight"), '6');
  EXPECT_EQ(Choices("q8_0", plan, HasImportance::no).of("token_embd.weight"), '8');
}

TEST(QuantMix, SpendsOtherwiseWithAnImportanceMatrix) {
  const GgufPlan plan = plan_of(16, 256, 256);
  EXPECT_EQ(Choices("q4_0", plan, HasImportance::yes).of_layers("ffn_down"), "bbaaaaaaaaaaaaaa");
  EXPECT_EQ(Choices("q5_0", plan, HasImportance::yes).of_layers("ffn_down"), "ddcccccccccccccc");
  EXPECT_EQ(Choices("iq4_nl", plan, HasImportance::yes).of_layers("ffn_down"), "nnnnnnnnnnnnnnnn");
}

TEST(QuantMix, LeavesUnitsOfExpertsAndPositionsAlone) {
  GgufPlan plan = plan_of(2, 256, 256);
  plan.experts = 8;
  for (const char* name :
       {"position_embd.weight", "blk.0.ffn_gate_inp.weight", "blk.0.attn_q.bias"})
    plan.tensors.push_back({.name = name, .shape = {256, 256}});
  plan.tensors.push_back({.name = "blk.0.ffn_down_exps.weight", .shape = {8, 256, 256}});
  const Choices choices("q4_k_m", plan, HasImportance::no);
  EXPECT_EQ(choices.of("position_embd.weight"), 'f');
  EXPECT_EQ(choices.of("blk.0.ffn_gate_inp.weight"), 'f');
  EXPECT_EQ(choices.of("blk.0.attn_q.bias"), 'f');
  EXPECT_EQ(choices.of("blk.0.attn_k.weight"), '8');
  EXPECT_EQ(choices.of("blk.0.attn_output.weight"), '5');
  EXPECT_EQ(Choices("mxfp4_moe", plan, HasImportance::no).of("blk.0.ffn_down_exps.weight"), 'm');
}

}  // namespace
}  // namespace malssi
