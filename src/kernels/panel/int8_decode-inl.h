// Block formats as int8 numbers with scales, one row at a time, in plain code: included by each instruction set's panel file
// after its namespace is opened, so that the compiler makes vectors of it. The layouts are GGUF's.

struct Int8Row {
  int8_t* q;     // [columns]
  float* scale;  // [columns / group]
  float* min;    // the same, or unused
};

inline float half_at(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return half_value(bits);
}

// Low and high nibbles of 16 bytes, 16 numbers apart.
template <class Value>
inline void nibbles(const uint8_t* qs, int8_t* q, Value&& value) {
  for (int j = 0; j < 16; ++j) q[j] = value(qs[j] & 15);
  for (int j = 0; j < 16; ++j) q[j + 16] = value(qs[j] >> 4);
}

inline void decode_q8_0(const uint8_t* block, Int8Row row) {
  row.scale[0] = half_at(block);
  std::memcpy(row.q, block + 2, 32);
}

inline void decode_q4_0(const uint8_t* block, Int8Row row) {
  row.scale[0] = half_at(block);
  nibbles(block + 2, row.q, [](int v) { return static_cast<int8_t>(v - 8); });
}

inline void decode_q4_1(const uint8_t* block, Int8Row row) {
  row.scale[0] = half_at(block);
  row.min[0] = half_at(block + 2);
  nibbles(block + 4, row.q, [](int v) { return static_cast<int8_t>(v); });
}

// The fifth bits lie in a word of their own; `offset` makes the numbers signed.
inline void decode_five_bits(const uint8_t* high, const uint8_t* qs, int offset, int8_t* q) {
  uint32_t bits;
  std::memcpy(&bits, high, sizeof(bits));
  for (int j = 0; j < 16; ++j) {
    q[j] = static_cast<int8_t>(((qs[j] & 15) | static_cast<int>((bits >> j & 1) << 4)) - offset);
    q[j + 16] = static_cast<int8_t>(((qs[j] >> 4) | static_cast<int>((bits >> (j + 16) & 1) << 4)) -
                                    offset);
  }
}

inline void decode_q5_0(const uint8_t* block, Int8Row row) {
  row.scale[0] = half_at(block);
  decode_five_bits(block + 2, block + 6, 16, row.q);
}

inline void decode_q5_1(const uint8_t* block, Int8Row row) {
  row.scale[0] = half_at(block);
  row.min[0] = half_at(block + 2);
  decode_five_bits(block + 4, block + 8, 0, row.q);
}

inline void decode_iq4_nl(const uint8_t* block, Int8Row row) {
  static constexpr int8_t kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};
  row.scale[0] = half_at(block);
  nibbles(block + 2, row.q, [](int v) { return kValues[v]; });
}

// A shared power of two; the four-bit floats are doubled to be whole numbers.
inline float half_power_of_two(uint8_t exponent) {
  const uint32_t bits =
      exponent < 2 ? 0x00200000u << exponent : static_cast<uint32_t>(exponent - 1) << 23;
  return std::bit_cast<float>(bits);
}

inline void decode_mxfp4(const uint8_t* block, Int8Row row) {
  static constexpr int8_t kValues[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
  row.scale[0] = half_power_of_two(block[0]);
  nibbles(block + 1, row.q, [](int v) { return kValues[v]; });
}

inline void decode_q2_k(const uint8_t* block, Int8Row row) {
  const float d = half_at(block + 80), dmin = half_at(block + 82);
  for (int g = 0; g < 16; ++g) {
    row.scale[g] = d * static_cast<float>(block[g] & 15);
    row.min[g] = -dmin * static_cast<float>(block[g] >> 4);
  }
  for (int i = 0; i < 256; ++i)
    row.q[i] = static_cast<int8_t>(block[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3);
}

inline void decode_q3_k(const uint8_t* block, Int8Row row) {
  const uint8_t *high = block, *qs = block + 32, *scales = block + 96;
  const float d = half_at(block + 108);
  for (int g = 0; g < 16; ++g) {
    const int low = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4;
    const int top = scales[8 + g % 4] >> (g / 4 * 2) & 3;
    row.scale[g] = d * static_cast<float>((low | top << 4) - 32);
  }
  for (int i = 0; i < 256; ++i) {
    const int low = qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    row.q[i] = static_cast<int8_t>(low - ((high[i % 32] >> (i / 32) & 1) != 0 ? 0 : 4));
  }
}

// Eight scales and eight mins of six bits in twelve bytes.
inline void six_bit_scales(const uint8_t* packed, uint8_t* scales, uint8_t* mins) {
  for (int j = 0; j < 4; ++j) {
    scales[j] = packed[j] & 63;
    mins[j] = packed[j + 4] & 63;
    scales[j + 4] = static_cast<uint8_t>((packed[j + 8] & 15) | (packed[j] >> 6) << 4);
    mins[j + 4] = static_cast<uint8_t>((packed[j + 8] >> 4) | (packed[j + 4] >> 6) << 4);
  }
}

inline void scales_and_mins(const uint8_t* block, Int8Row row) {
  uint8_t scales[8], mins[8];
  six_bit_scales(block + 4, scales, mins);
  const float d = half_at(block), dmin = half_at(block + 2);
  for (int g = 0; g < 8; ++g) {
    row.scale[g] = d * static_cast<float>(scales[g]);
    row.min[g] = -dmin * static_cast<float>(mins[g]);
  }
}

inline void decode_q4_k(const uint8_t* block, Int8Row row) {
  scales_and_mins(block, row);
  const uint8_t* qs = block + 16;
  for (int i = 0; i < 256; ++i)
    row.q[i] = static_cast<int8_t>(qs[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15);
}

inline void decode_q5_k(const uint8_t* block, Int8Row row) {
  scales_and_mins(block, row);
  const uint8_t *high = block + 16, *qs = block + 48;
  for (int i = 0; i < 256; ++i) {
    const int low = qs[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
    row.q[i] = static_cast<int8_t>(low | (high[i % 32] >> (i / 32) & 1) << 4);
  }
}

inline void decode_q6_k(const uint8_t* block, Int8Row row) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  const float d = half_at(block + 208);
  for (int g = 0; g < 16; ++g)
    row.scale[g] = d * static_cast<float>(static_cast<int8_t>(scales[g]));
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, part = i % 128 / 32, l = i % 32;
    const int nibble = low[half * 64 + part % 2 * 32 + l] >> (part / 2 * 4) & 15;
    row.q[i] = static_cast<int8_t>((nibble | (high[half * 32 + l] >> (part * 2) & 3) << 4) - 32);
  }
}

// The columns, whole blocks, of one row.
inline void decode_row(DType dtype, const uint8_t* blocks, int64_t columns, Int8Row row) {
  const DTypeBlock block = dtype_block(dtype);
  const Int8Layout layout = int8_layout(dtype);
  const int64_t groups = block.elements / layout.group;
  for (int64_t c = 0; c < columns; c += block.elements, blocks += block.bytes) {
    switch (dtype) {
      case DType::q8_0:
        decode_q8_0(blocks, row);
        break;
      case DType::q4_0:
        decode_q4_0(blocks, row);
        break;
      case DType::q4_1:
        decode_q4_1(blocks, row);
        break;
      case DType::q5_0:
        decode_q5_0(blocks, row);
        break;
      case DType::q5_1:
        decode_q5_1(blocks, row);
        break;
      case DType::q2_k:
        decode_q2_k(blocks, row);
        break;
      case DType::q3_k:
        decode_q3_k(blocks, row);
        break;
      case DType::q4_k:
        decode_q4_k(blocks, row);
        break;
      case DType::q5_k:
        decode_q5_k(blocks, row);
        break;
      case DType::q6_k:
        decode_q6_k(blocks, row);
        break;
      case DType::iq4_nl:
        decode_iq4_nl(blocks, row);
        break;
      default:
        decode_mxfp4(blocks, row);
        break;
    }
    row.q += block.elements;
    row.scale += groups;
    row.min += groups;
  }
}
