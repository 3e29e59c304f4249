// Activations to int8 in plain code: included inside an instruction set's namespace.

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
