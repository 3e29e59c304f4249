#include "io/gguf_types.h"

#include "base/error.h"

namespace malssi {
namespace {

struct Row {
  uint32_t type;
  std::string_view name;
  std::optional<DType> dtype = {};
};

constexpr Row kRows[] = {
    {0, "F32", DType::f32},
    {1, "F16", DType::f16},
    {2, "Q4_0", DType::q4_0},
    {3, "Q4_1", DType::q4_1},
    {6, "Q5_0", DType::q5_0},
    {7, "Q5_1", DType::q5_1},
    {8, "Q8_0", DType::q8_0},
    {9, "Q8_1"},
    {10, "Q2_K", DType::q2_k},
    {11, "Q3_K", DType::q3_k},
    {12, "Q4_K", DType::q4_k},
    {13, "Q5_K", DType::q5_k},
    {14, "Q6_K", DType::q6_k},
    {15, "Q8_K"},
    {16, "IQ2_XXS"},
    {17, "IQ2_XS"},
    {18, "IQ3_XXS"},
    {19, "IQ1_S"},
    {20, "IQ4_NL", DType::iq4_nl},
    {21, "IQ3_S"},
    {22, "IQ2_S"},
    {23, "IQ4_XS"},
    {24, "I8"},
    {25, "I16"},
    {26, "I32", DType::i32},
    {27, "I64", DType::i64},
    {28, "F64"},
    {29, "IQ1_M"},
    {30, "BF16", DType::bf16},
    {34, "TQ1_0"},
    {35, "TQ2_0"},
    {39, "MXFP4", DType::mxfp4},
    {40, "NVFP4"},
    {41, "Q1_0"},
    {42, "Q2_0"},
};

}  // namespace

int64_t gguf_type_bytes(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    default:
      return 0;
  }
}

std::optional<DType> dtype_of_gguf(uint32_t type) {
  for (const Row& row : kRows)
    if (row.type == type) return row.dtype;
  return {};
}

uint32_t gguf_of_dtype(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.type;
  throw InternalError(concat("a GGUF file holds no ", dtype_name(dtype)));
}

std::string_view gguf_tensor_type_name(uint32_t type) {
  for (const Row& row : kRows)
    if (row.type == type) return row.name;
  return "unknown";
}

}  // namespace malssi
