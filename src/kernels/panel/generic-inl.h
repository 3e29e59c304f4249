// The panel kernels in plain code, for any instruction set: included after unpack-inl.h and group_product(), inside the namespace.

inline void int8_sums(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
                      int64_t columns, int64_t, Ahead&, float* sums) {
  const int64_t group = layout.group;
  const int32_t* const offsets = group == 32 ? x.offset32 : x.offset16;
  const float* const sums_of_x = group == 32 ? x.sum32 : x.sum16;
  for (int64_t m = 0; m < tokens; ++m, sums += kRows)
    for (int64_t g = 0; g < columns / group; ++g) {
      const int64_t at = m * x.columns / group + g;
      int32_t sum[kRows];
      for (int32_t& s : sum) s = layout.has_min ? 0 : offsets[at] >> layout.zero_shift;
      group_product(panel.q + g * panel.group_bytes, x.q + m * x.columns + g * group, group, sum);
      const float scale = x.scale[m * x.columns / 32 + g * group / 32];
      for (int64_t r = 0; r < kRows; ++r)
        sums[r] = std::fma(static_cast<float>(sum[r]), panel.scale[g * kRows + r] * scale, sums[r]);
      if (!layout.has_min) continue;
      for (int64_t r = 0; r < kRows; ++r)
        sums[r] = std::fma(panel.min[g * kRows + r], sums_of_x[at], sums[r]);
    }
}

// A sum over columns in 16 lanes, which are added up in the end.
template <class Number>
inline float lanes_sum(int64_t columns, const float* x, Number&& number) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes] = {};
  int64_t c = 0;
  for (; c + kLanes <= columns; c += kLanes)
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] = std::fma(number(c + i), x[c + i], lanes[i]);
  for (; c < columns; ++c) lanes[c % kLanes] = std::fma(number(c), x[c], lanes[c % kLanes]);
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

inline void float_sums(DType dtype, const uint8_t* const* rows, const float* x, int64_t stride,
                       int64_t tokens, int64_t columns, Ahead&, float* sums) {
  const auto half_at = [](const uint8_t* row, int64_t c) {
    uint16_t bits;
    std::memcpy(&bits, row + c * 2, 2);
    return bits;
  };
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t m = 0; m < tokens; ++m) {
      const uint8_t* const row = rows[r];
      const float* const xs = x + m * stride;
      float& sum = sums[m * kRows + r];
      if (dtype == DType::f32)
        sum += lanes_sum(columns, xs, [&](int64_t c) {
          float value;
          std::memcpy(&value, row + c * 4, 4);
          return value;
        });
      else if (dtype == DType::f16)
        sum += lanes_sum(columns, xs, [&](int64_t c) { return half_value(half_at(row, c)); });
      else
        sum += lanes_sum(columns, xs, [&](int64_t c) {
          return std::bit_cast<float>(static_cast<uint32_t>(half_at(row, c)) << 16);
        });
    }
}

inline void to_int8(const float* x, int64_t columns, const Int8RowsOut& out) {
  for (int64_t g = 0; g < columns / 32; ++g) {
    float top = 0;
    for (int i = 0; i < 32; ++i) top = std::max(top, std::fabs(x[g * 32 + i]));
    const float scale = top / 127, inverse = top > 0 ? 127 / top : 0;
    out.scale[g] = scale;
    int32_t sums[2] = {};
    for (int i = 0; i < 32; ++i) {
      // In this order also for what is no number.
      const float rounded = std::min(127.0f, std::nearbyint(x[g * 32 + i] * inverse));
      const auto q = static_cast<int8_t>(std::max(-127.0f, rounded));
      out.q[g * 32 + i] = q;
      sums[i / 16] += q;
    }
    for (int h = 0; h < 2; ++h) {
      out.offset16[g * 2 + h] = -128 * sums[h];
      out.sum16[g * 2 + h] = scale * static_cast<float>(sums[h]);
    }
    out.offset32[g] = -128 * (sums[0] + sums[1]);
    out.sum32[g] = scale * static_cast<float>(sums[0] + sums[1]);
  }
}
