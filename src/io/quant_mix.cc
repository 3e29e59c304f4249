#include "io/quant_mix.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <numeric>

#include "base/error.h"

namespace malssi {
namespace {

constexpr std::array kMixes = {
    QuantMix{"F32", DType::f32, 0},          QuantMix{"F16", DType::f16, 1},
    QuantMix{"BF16", DType::bf16, 32},       QuantMix{"Q4_0", DType::q4_0, 2},
    QuantMix{"Q4_1", DType::q4_1, 3},        QuantMix{"Q8_0", DType::q8_0, 7},
    QuantMix{"Q5_0", DType::q5_0, 8},        QuantMix{"Q5_1", DType::q5_1, 9},
    QuantMix{"Q2_K", DType::q2_k, 10},       QuantMix{"Q3_K_S", DType::q3_k, 11},
    QuantMix{"Q3_K_M", DType::q3_k, 12},     QuantMix{"Q3_K_L", DType::q3_k, 13},
    QuantMix{"Q4_K_S", DType::q4_k, 14},     QuantMix{"Q4_K_M", DType::q4_k, 15},
    QuantMix{"Q5_K_S", DType::q5_k, 16},     QuantMix{"Q5_K_M", DType::q5_k, 17},
    QuantMix{"Q6_K", DType::q6_k, 18},       QuantMix{"Q2_K_S", DType::q2_k, 21},
    QuantMix{"IQ4_NL", DType::iq4_nl, 25},   QuantMix{"MXFP4", DType::mxfp4, 38},
    QuantMix{"MXFP4_MOE", DType::mxfp4, 38},
};

enum class Role { output, embedding, values, fused, keys, attention_output, down, other };

Role role_of(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (name == "output.weight") return Role::output;
  if (name == "token_embd.weight" || name == "per_layer_token_embd.weight") return Role::embedding;
  if (has("attn_qkv.weight")) return Role::fused;
  if (has("attn_kv_b.weight") || has("attn_v.weight")) return Role::values;
  if (has("attn_k.weight")) return Role::keys;
  if (has("attn_output.weight")) return Role::attention_output;
  if (has("ffn_down")) return Role::down;
  return Role::other;
}

// Vectors (a single row is one), and those that stand errors badly, stay as they are.
bool is_quantised(const LazyTensor& tensor) {
  constexpr std::array kKept = {"_norm.weight", "ffn_gate_inp.weight",   "attn_rel_b.weight",
                                "ssm_conv1d",   "shortconv.conv.weight", "altup",
                                "laurel",       "per_layer_model_proj",  ".position_embd",
                                ".patch_embd"};
  const std::string& name = tensor.name;
  const bool is_vector = tensor.shape.rank() < 2 || tensor.shape.size() == tensor.shape[-1];
  if (is_vector || !name.ends_with("weight")) return false;
  if (name == "position_embd.weight" || name == "token_types.weight") return false;
  return std::none_of(kKept.begin(), kKept.end(),
                      [&](const char* part) { return name.find(part) != name.npos; });
}

// The number in "blk.7.attn_v.weight"; -1 in other names.
int64_t layer_of(std::string_view name) {
  int64_t layer = -1;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

// The layers that most mixes favour: the first and last eighth, and each third between.
bool is_favoured(int64_t layer, int64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

// One tensor on its way to a dtype. `layer` counts the tensors of this role met before.
struct Choice {
  std::string_view mix;
  const GgufPlan& plan;
  bool has_importance;
  DType dtype;  // so far
  int64_t layer = 0, layers = 0;

  int64_t sharing() const { return plan.kv_heads > 0 ? plan.heads / plan.kv_heads : 1; }
  bool is(std::string_view name) const { return mix == name; }
};

DType for_output(const Choice& c, int64_t columns) {
  if (c.is("MXFP4_MOE") || columns % dtype_block(c.dtype).elements != 0) return DType::q8_0;
  return c.dtype == DType::q8_0 ? DType::q8_0 : DType::q6_k;
}

DType for_values(const Choice& c) {
  DType dtype = c.dtype;
  const bool is_shared = c.sharing() >= 4;
  if (c.is("Q2_K")) dtype = is_shared ? DType::q4_k : DType::q3_k;
  if (c.is("Q2_K_S") && is_shared) dtype = DType::q4_k;
  if (c.is("Q3_K_M")) dtype = c.layer < 2 ? DType::q5_k : DType::q4_k;
  if (c.is("Q3_K_L")) dtype = DType::q5_k;
  if (c.is("IQ4_NL") && is_shared) dtype = DType::q5_k;
  if ((c.is("Q4_K_M") || c.is("Q5_K_M")) && is_favoured(c.layer, c.layers)) dtype = DType::q6_k;
  if (c.is("Q4_K_S") && c.layer < 4) dtype = DType::q5_k;
  // Eight heads share the values of a 70B model: they are few, and worth more bits.
  const bool is_70b = c.plan.layers == 80 && c.plan.heads != c.plan.kv_heads &&
                      (c.plan.architecture == "llama" || c.plan.architecture == "qwen2");
  if (is_70b && (dtype == DType::q3_k || dtype == DType::q4_k)) dtype = DType::q5_k;
  return c.plan.experts == 8 ? DType::q8_0 : dtype;
}

DType for_down(const Choice& c) {
  const bool is_first = c.layer < c.layers / 8;
  if (c.is("Q2_K")) return DType::q3_k;
  if (c.is("Q2_K_S") && is_first) return DType::q4_k;
  if (c.is("Q3_K_M")) return c.layer < c.layers / 16 ? DType::q5_k : DType::q4_k;
  if (c.is("Q3_K_L")) return DType::q5_k;
  if ((c.is("Q4_K_M") || c.is("Q5_K_M")) && is_favoured(c.layer, c.layers)) return DType::q6_k;
  if (c.is("IQ4_NL") && is_first && !c.has_importance) return DType::q5_k;
  if (c.is("Q4_K_S") && is_first) return DType::q5_k;
  if (c.is("Q4_0") && is_first && c.has_importance) return DType::q4_1;
  if (c.is("Q5_0") && is_first && c.has_importance) return DType::q5_1;
  return c.dtype;
}

DType for_attention_output(const Choice& c) {
  if (c.plan.experts == 8) {
    constexpr std::array kRaised = {"Q2_K", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M"};
    const bool is_raised = std::find(kRaised.begin(), kRaised.end(), c.mix) != kRaised.end();
    return is_raised ? DType::q5_k : c.dtype;
  }
  if (c.is("Q2_K")) return DType::q3_k;
  if (c.is("Q3_K_M")) return DType::q4_k;
  if (c.is("Q3_K_L")) return DType::q5_k;
  return c.dtype;
}

// Where rows are no whole blocks, the nearest format whose blocks they are.
DType fitting(DType dtype, int64_t columns) {
  const auto fits = [&](DType d) { return columns % dtype_block(d).elements == 0; };
  if (fits(dtype)) return dtype;
  DType smaller = DType::f16;
  if (dtype == DType::q2_k || dtype == DType::q3_k) smaller = DType::q4_0;
  if (dtype == DType::q4_k) smaller = DType::q5_0;
  if (dtype == DType::q5_k) smaller = DType::q5_1;
  if (dtype == DType::q6_k) smaller = DType::q8_0;
  return fits(smaller) ? smaller : DType::f16;
}

// Counts the tensors of each role in the order of layers.
class Chooser {
 public:
  Chooser(const QuantMix& mix, const GgufPlan& plan, HasImportance importance)
      : mix_(mix), plan_(plan), importance_(importance) {
    for (const LazyTensor& tensor : plan.tensors) {
      const Role role = role_of(tensor.name);
      value_count_ += role == Role::values || role == Role::fused;
      tied_ = tied_ && role != Role::output;
    }
  }

  DType choose(const LazyTensor& tensor) {
    const int64_t columns = tensor.shape[-1];
    const Role role = role_of(tensor.name);
    Choice choice{mix_.name, plan_, importance_ == HasImportance::yes, mix_.dtype};
    if (role == Role::output || (role == Role::embedding && tied_))
      return fitting(for_output(choice, columns), columns);
    if (choice.is("MXFP4_MOE"))
      return fitting(tensor.shape.rank() > 2 ? DType::mxfp4 : DType::q8_0, columns);
    return fitting(by_role(role, tensor, choice), columns);
  }

 private:
  DType by_role(Role role, const LazyTensor& tensor, Choice& choice) {
    switch (role) {
      case Role::values:
      case Role::fused:
        choice.layer = values_++;
        choice.layers = value_count_;
        return for_values(choice);
      case Role::keys:
        return plan_.experts == 8 ? DType::q8_0 : choice.dtype;
      case Role::attention_output:
        return for_attention_output(choice);
      case Role::down:
        choice.layer = plan_.experts > 1 ? layer_of(tensor.name) : downs_;
        ++downs_;
        choice.layers = plan_.layers;
        return for_down(choice);
      default:
        return choice.dtype;
    }
  }

  const QuantMix& mix_;
  const GgufPlan& plan_;
  HasImportance importance_;
  bool tied_ = true;
  int64_t value_count_ = 0, values_ = 0, downs_ = 0;
};

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::vector<std::string> quant_mix_names() {
  std::vector<std::string> names;
  for (const QuantMix& mix : kMixes) names.emplace_back(mix.name);
  return names;
}

const QuantMix& quant_mix(std::string_view name) {
  for (const QuantMix& mix : kMixes)
    if (mix.name == upper(name)) return mix;
  std::string known;
  for (const QuantMix& mix : kMixes) known += concat(known.empty() ? "" : ", ", mix.name);
  throw Error(concat("unknown type \"", name, "\"; known are ", known));
}

std::vector<DType> choose_dtypes(const QuantMix& mix, const GgufPlan& plan,
                                 HasImportance has_importance) {
  std::vector<size_t> order(plan.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return layer_of(plan.tensors[a].name) < layer_of(plan.tensors[b].name);
  });
  Chooser chooser(mix, plan, has_importance);
  std::vector<DType> dtypes(plan.tensors.size());
  for (const size_t i : order) {
    const LazyTensor& tensor = plan.tensors[i];
    dtypes[i] = !is_quantised(tensor)        ? tensor.dtype
                : is_block_format(mix.dtype) ? chooser.choose(tensor)
                                             : mix.dtype;
  }
  return dtypes;
}

}  // namespace malssi
