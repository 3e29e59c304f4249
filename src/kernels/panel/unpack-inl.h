// Panels of block formats as int8 numbers with scales, in plain code: included by each instruction set's file inside its
// namespace, after floats_of_halves() and look_up(), so that the compiler makes vectors of it. Loops run over rows, or over the
// words of several columns' rows; a word has four numbers of a row.

constexpr uint32_t kNibbles = 0x0f0f0f0f, kTwoBits = 0x03030303, kOneBit = 0x01010101;

// A block of 32 rows as interleave() leaves it, read from its beginning to its end; and where its numbers and scales go.
struct BlockIn {
  const uint8_t* at;
  Ahead& ahead;
  int64_t share;  // bytes to fetch ahead meanwhile

  // Called once in each of `parts` equal parts of the work.
  void fetch_part(int64_t parts) const { ahead.fetch(share / parts); }

  // The next words of all rows, 4 bytes each.
  const uint8_t* words(int64_t count) {
    const uint8_t* const here = at;
    at += count * 4 * kRows;
    return here;
  }
  void halves(float* to) {
    floats_of_halves(at, to);
    at += 2 * kRows;
  }
};
struct BlockOut {
  uint32_t* q;
  float *scale, *min;
};

inline uint32_t word_at(const uint8_t* p, int64_t i) {
  uint32_t word;
  std::memcpy(&word, p + i * 4, sizeof(word));
  return word;
}

// Bits 0 to 3 as the lowest bits of four bytes.
inline uint32_t spread_bits(uint32_t bits) { return (bits & 15) * 0x00204081 & kOneBit; }

// Four words of nibbles: 16 columns, and the 16 after them.
inline void put_nibbles(const uint8_t* in, uint32_t* __restrict q) {
  for (int64_t i = 0; i < 4 * kRows; ++i) {
    const uint32_t word = word_at(in, i);
    q[i] = word & kNibbles;
    q[4 * kRows + i] = word >> 4 & kNibbles;
  }
}

// The same, each number's fifth bit from one word of its row.
inline void put_five_bits(const uint8_t* high, const uint8_t* in, uint32_t* __restrict q) {
  for (int64_t w = 0; w < 4; ++w)
    for (int64_t r = 0; r < kRows; ++r) {
      const uint32_t word = word_at(in, w * kRows + r), bits = word_at(high, r) >> (w * 4);
      q[w * kRows + r] = (word & kNibbles) | spread_bits(bits) << 4;
      q[(w + 4) * kRows + r] = (word >> 4 & kNibbles) | spread_bits(bits >> 16) << 4;
    }
}

inline void unpack_q4_0(BlockIn in, BlockOut out) {
  in.fetch_part(1);
  in.halves(out.scale);
  put_nibbles(in.at, out.q);
}

inline void unpack_q4_1(BlockIn in, BlockOut out) {
  in.fetch_part(1);
  in.halves(out.scale);
  in.halves(out.min);
  put_nibbles(in.at, out.q);
}

inline void unpack_q5_0(BlockIn in, BlockOut out) {
  in.fetch_part(1);
  in.halves(out.scale);
  const uint8_t* const high = in.words(1);
  put_five_bits(high, in.at, out.q);
}

inline void unpack_q5_1(BlockIn in, BlockOut out) {
  in.fetch_part(1);
  in.halves(out.scale);
  in.halves(out.min);
  const uint8_t* const high = in.words(1);
  put_five_bits(high, in.at, out.q);
}

// Tables of 16 numbers, plus 128.
inline void unpack_iq4_nl(BlockIn in, BlockOut out) {
  static constexpr uint8_t kValues[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                          129, 141, 153, 166, 181, 197, 217, 241};
  in.fetch_part(1);
  in.halves(out.scale);
  put_nibbles(in.at, out.q);
  look_up(kValues, out.q, 8 * kRows);
}

// A shared power of two; the four-bit floats are doubled to be whole numbers.
inline void unpack_mxfp4(BlockIn in, BlockOut out) {
  static constexpr uint8_t kValues[16] = {128, 129, 130, 131, 132, 134, 136, 140,
                                          128, 127, 126, 125, 124, 122, 120, 116};
  for (int64_t r = 0; r < kRows; ++r) {
    const uint32_t exponent = in.at[r];
    out.scale[r] =
        std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
  }
  in.at += kRows;
  put_nibbles(in.at, out.q);
  look_up(kValues, out.q, 8 * kRows);
}

// A level of 64 numbers' largest magnitude. Of the levels, the nearest of 127 parts (plus 128): an error of 1/254 of it at most.
inline void unpack_nf4(BlockIn in, BlockOut out) {
  static constexpr uint8_t kValues[16] = {1,   40,  61,  78,  92,  105, 116, 128,
                                          138, 148, 159, 171, 184, 199, 220, 255};
  in.fetch_part(1);
  for (int64_t r = 0; r < kRows; ++r, in.at += 2) {
    bf16 largest;
    std::memcpy(&largest.bits, in.at, sizeof(largest.bits));
    out.scale[r] = out.scale[kRows + r] = static_cast<float>(largest) * (1.0f / 127);
  }
  put_nibbles(in.at, out.q);
  put_nibbles(in.at + 16 * kRows, out.q + 8 * kRows);
  look_up(kValues, out.q, 16 * kRows);
}

// Byte `byte` of word `word` of each row, as whole numbers below 256.
inline uint32_t byte_at(const uint8_t* words, int64_t index, int64_t row) {
  return word_at(words, index / 4 * kRows + row) >> (index % 4 * 8) & 255;
}

// 64 bytes of pairs of bits in 16 words: each 32 bytes hold four times 32 columns. high: 8 words whose bits are the numbers'
// third ones, or null.
inline void put_two_bits(const BlockIn& block, const uint8_t* in, const uint8_t* high,
                         uint32_t* __restrict q) {
  for (int64_t part = 0; part < 8; ++part) {
    block.fetch_part(8);
    for (int64_t i = 0; i < 8 * kRows; ++i) {
      const uint32_t low = word_at(in, part / 4 * 8 * kRows + i) >> (part % 4 * 2) & kTwoBits;
      q[part * 8 * kRows + i] =
          high == nullptr ? low : low | (word_at(high, i) >> part & kOneBit) << 2;
    }
  }
}

inline void unpack_q2_k(BlockIn in, BlockOut out) {
  const uint8_t *const scales = in.words(4), *const numbers = in.words(16);
  float d[kRows], dmin[kRows];
  in.halves(d);
  in.halves(dmin);
  for (int64_t g = 0; g < 16; ++g)
    for (int64_t r = 0; r < kRows; ++r) {
      const uint32_t both = byte_at(scales, g, r);
      out.scale[g * kRows + r] = d[r] * static_cast<float>(static_cast<int32_t>(both & 15));
      out.min[g * kRows + r] = -dmin[r] * static_cast<float>(static_cast<int32_t>(both >> 4));
    }
  put_two_bits(in, numbers, nullptr, out.q);
}

inline void unpack_q3_k(BlockIn in, BlockOut out) {
  const uint8_t *const high = in.words(8), *const numbers = in.words(16),
                       *const scales = in.words(3);
  float d[kRows];
  in.halves(d);
  for (int64_t g = 0; g < 16; ++g)
    for (int64_t r = 0; r < kRows; ++r) {
      const uint32_t low = byte_at(scales, g % 8, r) >> (g / 8 * 4) & 15;
      const uint32_t top = byte_at(scales, 8 + g % 4, r) >> (g / 4 * 2) & 3;
      out.scale[g * kRows + r] =
          d[r] * static_cast<float>(static_cast<int32_t>(low | top << 4) - 32);
    }
  put_two_bits(in, numbers, high, out.q);
}

// Eight scales and eight mins of six bits in three words.
inline void put_scales_and_mins(BlockIn& in, BlockOut out) {
  float d[kRows], dmin[kRows];
  in.halves(d);
  in.halves(dmin);
  const uint8_t* const packed = in.words(3);
  for (int64_t g = 0; g < 8; ++g)
    for (int64_t r = 0; r < kRows; ++r) {
      const uint32_t a = word_at(packed, r), b = word_at(packed, kRows + r),
                     c = word_at(packed, 2 * kRows + r);
      const auto shift = static_cast<uint32_t>(g % 4 * 8);
      const uint32_t scale = g < 4 ? a >> shift & 63 : (c >> shift & 15) | (a >> shift & 0xc0) >> 2;
      const uint32_t min =
          g < 4 ? b >> shift & 63 : (c >> shift >> 4 & 15) | (b >> shift & 0xc0) >> 2;
      out.scale[g * kRows + r] = d[r] * static_cast<float>(static_cast<int32_t>(scale));
      out.min[g * kRows + r] = -dmin[r] * static_cast<float>(static_cast<int32_t>(min));
    }
}

inline void unpack_q4_k(BlockIn in, BlockOut out) {
  put_scales_and_mins(in, out);
  for (int64_t part = 0; part < 4; ++part) {
    in.fetch_part(4);
    for (int64_t i = 0; i < 8 * kRows; ++i) {
      const uint32_t word = word_at(in.at, part * 8 * kRows + i);
      out.q[part * 16 * kRows + i] = word & kNibbles;
      out.q[(part * 16 + 8) * kRows + i] = word >> 4 & kNibbles;
    }
  }
}

inline void unpack_q5_k(BlockIn in, BlockOut out) {
  put_scales_and_mins(in, out);
  const uint8_t* const high = in.words(8);
  for (int64_t part = 0; part < 4; ++part) {
    in.fetch_part(4);
    for (int64_t i = 0; i < 8 * kRows; ++i) {
      const uint32_t word = word_at(in.at, part * 8 * kRows + i),
                     bits = word_at(high, i) >> (part * 2);
      out.q[part * 16 * kRows + i] = (word & kNibbles) | (bits & kOneBit) << 4;
      out.q[(part * 16 + 8) * kRows + i] = (word >> 4 & kNibbles) | (bits >> 1 & kOneBit) << 4;
    }
  }
}

inline void unpack_q6_k(BlockIn in, BlockOut out) {
  const uint8_t *const low = in.words(32), *const high = in.words(16), *const scales = in.words(4);
  float d[kRows];
  in.halves(d);
  for (int64_t g = 0; g < 16; ++g)
    for (int64_t r = 0; r < kRows; ++r) {
      const auto scale = static_cast<int8_t>(byte_at(scales, g, r));
      out.scale[g * kRows + r] = d[r] * static_cast<float>(scale);
    }
  for (int64_t half = 0; half < 2; ++half) {
    in.fetch_part(2);
    const uint8_t *const nibbles = low + half * 64 * kRows, *const bits = high + half * 32 * kRows;
    uint32_t* __restrict q = out.q + half * 32 * kRows;
    for (int64_t i = 0; i < 8 * kRows; ++i) {
      const uint32_t a = word_at(nibbles, i), b = word_at(nibbles, 8 * kRows + i),
                     h = word_at(bits, i);
      q[i] = (a & kNibbles) | (h & kTwoBits) << 4;
      q[8 * kRows + i] = (b & kNibbles) | (h >> 2 & kTwoBits) << 4;
      q[16 * kRows + i] = (a >> 4 & kNibbles) | (h >> 4 & kTwoBits) << 4;
      q[24 * kRows + i] = (b >> 4 & kNibbles) | (h >> 6 & kTwoBits) << 4;
    }
  }
}

template <DType kFormat>
inline void unpack_block(BlockIn in, BlockOut out) {
  if constexpr (kFormat == DType::q4_0) unpack_q4_0(in, out);
  if constexpr (kFormat == DType::q4_1) unpack_q4_1(in, out);
  if constexpr (kFormat == DType::q5_0) unpack_q5_0(in, out);
  if constexpr (kFormat == DType::q5_1) unpack_q5_1(in, out);
  if constexpr (kFormat == DType::q2_k) unpack_q2_k(in, out);
  if constexpr (kFormat == DType::q3_k) unpack_q3_k(in, out);
  if constexpr (kFormat == DType::q4_k) unpack_q4_k(in, out);
  if constexpr (kFormat == DType::q5_k) unpack_q5_k(in, out);
  if constexpr (kFormat == DType::q6_k) unpack_q6_k(in, out);
  if constexpr (kFormat == DType::iq4_nl) unpack_iq4_nl(in, out);
  if constexpr (kFormat == DType::mxfp4) unpack_mxfp4(in, out);
  if constexpr (kFormat == DType::nf4) unpack_nf4(in, out);
}

template <DType kFormat>
inline void unpack_blocks(const uint8_t* in, int64_t columns, Ahead& ahead, Int8Panel& panel) {
  const DTypeBlock block = dtype_block(kFormat);
  const int64_t groups = block.elements / int8_layout(kFormat).group;
  for (int64_t b = 0; b < columns / block.elements; ++b)
    unpack_block<kFormat>({in + b * block.bytes * kRows, ahead, block.bytes * kRows / 2},
                          {panel.numbers + b * block.elements / 4 * kRows,
                           panel.scale + b * groups * kRows, panel.min + b * groups * kRows});
  panel.q = reinterpret_cast<const uint8_t*>(panel.numbers);
  panel.group_bytes = int8_layout(kFormat).group * kRows;
}

// Its numbers are whole bytes already: only the scales are.
inline void unpack_q8_0(const uint8_t* in, int64_t columns, Int8Panel& panel) {
  constexpr int64_t kBytes = 34 * kRows;
  for (int64_t b = 0; b < columns / 32; ++b)
    floats_of_halves(in + b * kBytes, panel.scale + b * kRows);
  panel.q = in + 2 * kRows;
  panel.group_bytes = kBytes;
}

inline void unpack_int8(DType dtype, const uint8_t* in, int64_t columns, Ahead& ahead,
                        Int8Panel& panel) {
  switch (dtype) {
    case DType::q8_0:
      return unpack_q8_0(in, columns, panel);
    case DType::q4_0:
      return unpack_blocks<DType::q4_0>(in, columns, ahead, panel);
    case DType::q4_1:
      return unpack_blocks<DType::q4_1>(in, columns, ahead, panel);
    case DType::q5_0:
      return unpack_blocks<DType::q5_0>(in, columns, ahead, panel);
    case DType::q5_1:
      return unpack_blocks<DType::q5_1>(in, columns, ahead, panel);
    case DType::q2_k:
      return unpack_blocks<DType::q2_k>(in, columns, ahead, panel);
    case DType::q3_k:
      return unpack_blocks<DType::q3_k>(in, columns, ahead, panel);
    case DType::q4_k:
      return unpack_blocks<DType::q4_k>(in, columns, ahead, panel);
    case DType::q5_k:
      return unpack_blocks<DType::q5_k>(in, columns, ahead, panel);
    case DType::q6_k:
      return unpack_blocks<DType::q6_k>(in, columns, ahead, panel);
    case DType::iq4_nl:
      return unpack_blocks<DType::iq4_nl>(in, columns, ahead, panel);
    case DType::nf4:
      return unpack_blocks<DType::nf4>(in, columns, ahead, panel);
    default:
      return unpack_blocks<DType::mxfp4>(in, columns, ahead, panel);
  }
}
