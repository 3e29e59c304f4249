// Panels as bf16, for products of many rows: included by avx512.cc. A column's 32 rows are one store.

inline void store_column(bf16* to, __m512 first, __m512 second) {
  _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(second, first));
}

// Sixteen numbers of bf16.
inline __m512 load_bf16(const uint8_t* from) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

// Levels are looked up as floats; of an index only the lowest four bits count.
inline void widen_nf4(const uint8_t* in, int64_t columns, bf16* to, int64_t stride) {
  const __m512 levels = _mm512_loadu_ps(kNf4Levels);
  for (int64_t c = 0; c < columns; c += 64) {
    const __m512 largest0 = load_bf16(in), largest1 = load_bf16(in + kRows);
    in += 2 * kRows;
    for (int64_t word = 0; word < 8; ++word, in += 4 * kRows) {
      const __m512i words0 = _mm512_loadu_si512(in), words1 = _mm512_loadu_si512(in + 64);
      bf16* const first = to + (c + word / 4 * 32 + word % 4 * 4) * stride;
#pragma GCC unroll 8
      for (unsigned nibble = 0; nibble < 8; ++nibble) {
        const __m512i index0 = _mm512_srli_epi32(words0, nibble * 4),
                      index1 = _mm512_srli_epi32(words1, nibble * 4);
        store_column(first + (nibble / 2 + nibble % 2 * 16) * stride,
                     _mm512_mul_ps(_mm512_permutexvar_ps(index0, levels), largest0),
                     _mm512_mul_ps(_mm512_permutexvar_ps(index1, levels), largest1));
      }
    }
  }
}

// scale (q - zero) + min, of all other formats.
inline void widen_int8(const Int8Panel& panel, Int8Layout layout, int64_t columns, bf16* to,
                       int64_t stride) {
  const __m512i byte = _mm512_set1_epi32(255);
  const __m512 zero = _mm512_set1_ps(static_cast<float>(-(128 >> layout.zero_shift)));
  for (int64_t g = 0; g < columns / layout.group; ++g) {
    __m512 scale[2], start[2];
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      scale[v] = _mm512_load_ps(panel.scale + g * kRows + v * 16);
      start[v] = layout.has_min ? _mm512_load_ps(panel.min + g * kRows + v * 16)
                                : _mm512_mul_ps(scale[v], zero);
    }
    const uint8_t* q = panel.q + g * panel.group_bytes;
    for (int64_t c = 0; c < layout.group; c += 4, q += 4 * kRows) {
      const __m512i words0 = _mm512_loadu_si512(q), words1 = _mm512_loadu_si512(q + 64);
#pragma GCC unroll 4
      for (unsigned j = 0; j < 4; ++j) {
        const auto number = [&](__m512i words) {
          return _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(words, j * 8), byte));
        };
        store_column(to + (g * layout.group + c + j) * stride,
                     _mm512_fmadd_ps(number(words0), scale[0], start[0]),
                     _mm512_fmadd_ps(number(words1), scale[1], start[1]));
      }
    }
  }
}

void widen(DType dtype, const uint8_t* chunk, int64_t columns, Int8Panel& space, bf16* to,
           int64_t stride) {
  if (dtype == DType::nf4) return widen_nf4(chunk, columns, to, stride);
  Ahead none(nullptr, nullptr);
  unpack_int8(dtype, chunk, columns, none, space);
  widen_int8(space, int8_layout(dtype), columns, to, stride);
}
