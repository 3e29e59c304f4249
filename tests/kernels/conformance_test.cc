// Walks the kernel table: every vector kernel against its scalar reference, f32 and bf16, with sizes that leave remainders.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/table.h"

namespace malssi {
namespace {

// Numbers in f32 or bf16, with their tolerance.
struct Numbers {
  DType dtype = DType::f32;
  std::vector<float> wide;
  std::vector<bf16> narrow;

  static Numbers random(int64_t n, DType dtype, uint64_t seed, float scale = 1) {
    Rng rng(seed);
    Numbers x{dtype, {}, {}};
    for (int64_t i = 0; i < n; ++i) {
      const auto value = static_cast<float>(rng.normal()) * scale;
      if (dtype == DType::f32) x.wide.push_back(value);
      if (dtype == DType::bf16) x.narrow.emplace_back(value);
    }
    return x;
  }
  Buffer buffer() {
    return {
        dtype == DType::f32 ? static_cast<void*>(wide.data()) : static_cast<void*>(narrow.data()),
        dtype};
  }
  float* f32() { return wide.data(); }
  void* data() { return buffer().data; }
  int64_t size() const { return static_cast<int64_t>(wide.size() + narrow.size()); }
  double at(int64_t i) const {
    return dtype == DType::f32 ? wide[static_cast<size_t>(i)]
                               : static_cast<float>(narrow[static_cast<size_t>(i)]);
  }
};

void expect_near(const Numbers& got, const Numbers& want, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  double scale = 1e-3;
  for (int64_t i = 0; i < want.size(); ++i) scale = std::max(scale, std::abs(want.at(i)));
  const double relative = want.dtype == DType::bf16 ? std::max(tolerance, 1.0 / 128) : tolerance;
  for (int64_t i = 0; i < want.size(); ++i) {
    const double slack = relative * (std::abs(want.at(i)) + 0.05 * scale);
    ASSERT_NEAR(got.at(i), want.at(i), slack) << what << " at " << i;
  }
}

const KernelTable& fast() { return kernels(); }
const KernelTable& slow() { return scalar_kernels(); }

class Conformance : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, Conformance, testing::Values(DType::f32, DType::bf16),
                         [](const auto& info) { return std::string(dtype_name(info.param)); });

TEST(Kernels, ConversionsAgreeToTheBit) {
  for (int64_t n : {0, 1, 7, 16, 33, 40001}) {
    Numbers x = Numbers::random(n, DType::f32, 1);
    Numbers fast_y = Numbers::random(n, DType::bf16, 2), slow_y = fast_y;
    fast().f32_to_bf16(x.f32(), fast_y.narrow.data(), n);
    slow().f32_to_bf16(x.f32(), slow_y.narrow.data(), n);
    for (int64_t i = 0; i < n; ++i)
      ASSERT_EQ(fast_y.narrow[static_cast<size_t>(i)].bits,
                slow_y.narrow[static_cast<size_t>(i)].bits);
    Numbers back = x;
    fast().bf16_to_f32(fast_y.narrow.data(), back.f32(), n);
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(back.at(i), fast_y.at(i));
  }
}

TEST(Kernels, NotANumberStaysOne) {
  std::vector<float> x(19, std::bit_cast<float>(0x7fffffffu));
  std::vector<bf16> y(19);
  fast().f32_to_bf16(x.data(), y.data(), 19);
  for (bf16 v : y) EXPECT_TRUE(std::isnan(static_cast<float>(v)));
}

TEST_P(Conformance, SumsAndResiduals) {
  const int64_t n = 40007;
  for (float rate : {0.0f, 0.3f}) {
    Numbers x = Numbers::random(n, DType::f32, 1), delta = Numbers::random(n, GetParam(), 2);
    Numbers y = x, y2 = x;
    fast().residual_add(x.f32(), delta.buffer(), y.f32(), n, {rate, 99});
    slow().residual_add(x.f32(), delta.buffer(), y2.f32(), n, {rate, 99});
    expect_near(y, y2, 1e-6, "residual_add");
    for (float beta : {0.0f, 1.0f}) {
      Numbers d = delta, d2 = delta;
      fast().residual_add_backward(x.f32(), d.buffer(), beta, n, {rate, 99});
      slow().residual_add_backward(x.f32(), d2.buffer(), beta, n, {rate, 99});
      expect_near(d, d2, 1e-6, "residual_add_backward");
    }
    fast().add_into(y.f32(), DType::f32, delta.data(), delta.dtype, n);
    slow().add_into(y2.f32(), DType::f32, delta.data(), delta.dtype, n);
    expect_near(y, y2, 1e-6, "add_into");
    EXPECT_NEAR(fast().sum_squares(x.f32(), n), slow().sum_squares(x.f32(), n), 1e-2);
  }
}

TEST(Kernels, DropoutKeepsItsShare) {
  const int64_t n = 200000;
  std::vector<float> zero(n, 0), ones(n, 1), y(n);
  fast().residual_add(zero.data(), {ones.data(), DType::f32}, y.data(), n, {0.2f, 7});
  int64_t kept = 0;
  for (float v : y) kept += v != 0 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(kept) / n, 0.8, 0.005);
}

TEST_P(Conformance, Norms) {
  const int64_t N = 37, D = 75;
  Numbers x = Numbers::random(N * D, DType::f32, 1, 3), w = Numbers::random(D, DType::f32, 2),
          b = Numbers::random(D, DType::f32, 3);
  Numbers dy = Numbers::random(N * D, GetParam(), 4);
  Numbers y = dy, y2 = dy, mean = Numbers::random(N, DType::f32, 5), rstd = mean, mean2 = mean,
          rstd2 = mean;
  fast().rms_norm(x.f32(), w.f32(), y.buffer(), rstd.f32(), N, D, 1e-5f);
  slow().rms_norm(x.f32(), w.f32(), y2.buffer(), rstd2.f32(), N, D, 1e-5f);
  expect_near(y, y2, 1e-5, "rms_norm");
  expect_near(rstd, rstd2, 1e-5, "rstd");
  for (float beta : {0.0f, 1.0f}) {
    Numbers dx = x, dx2 = x, dw = w, dw2 = w, db = b, db2 = b;
    fast().rms_norm_backward(dy.buffer(), x.f32(), w.f32(), rstd.f32(), dx.f32(), beta, dw.f32(),
                             beta, N, D);
    slow().rms_norm_backward(dy.buffer(), x.f32(), w.f32(), rstd2.f32(), dx2.f32(), beta, dw2.f32(),
                             beta, N, D);
    expect_near(dx, dx2, 1e-4, "rms_norm dx");
    expect_near(dw, dw2, 1e-4, "rms_norm dw");
    fast().layer_norm(x.f32(), w.f32(), b.f32(), y.buffer(), mean.f32(), rstd.f32(), N, D, 1e-5f);
    slow().layer_norm(x.f32(), w.f32(), b.f32(), y2.buffer(), mean2.f32(), rstd2.f32(), N, D,
                      1e-5f);
    expect_near(y, y2, 1e-5, "layer_norm");
    fast().layer_norm_backward(dy.buffer(), x.f32(), w.f32(), mean.f32(), rstd.f32(), dx.f32(),
                               beta, dw.f32(), beta, db.f32(), beta, N, D);
    slow().layer_norm_backward(dy.buffer(), x.f32(), w.f32(), mean2.f32(), rstd2.f32(), dx2.f32(),
                               beta, dw2.f32(), beta, db2.f32(), beta, N, D);
    expect_near(dx, dx2, 1e-4, "layer_norm dx");
    expect_near(dw, dw2, 1e-4, "layer_norm dw");
    expect_near(db, db2, 1e-4, "layer_norm db");
    rstd = rstd2;
    fast().rms_norm(x.f32(), w.f32(), y.buffer(), rstd.f32(), N, D, 1e-5f);
    slow().rms_norm(x.f32(), w.f32(), y2.buffer(), rstd2.f32(), N, D, 1e-5f);
  }
}

TEST_P(Conformance, Activations) {
  const int64_t N = 21, F = 45;
  Numbers x = Numbers::random(N * 2 * F, GetParam(), 1, 3),
          dy = Numbers::random(N * F, GetParam(), 2);
  Numbers y = dy, y2 = dy, dx = x, dx2 = x;
  fast().swiglu(x.buffer(), y.buffer(), N, F);
  slow().swiglu(x.buffer(), y2.buffer(), N, F);
  expect_near(y, y2, 1e-5, "swiglu");
  fast().swiglu_backward(dy.buffer(), x.buffer(), dx.buffer(), N, F);
  slow().swiglu_backward(dy.buffer(), x.buffer(), dx2.buffer(), N, F);
  expect_near(dx, dx2, 1e-5, "swiglu_backward");
  for (bool exact : {false, true}) {
    Numbers z = x, z2 = x, slope = x, slope2 = x;
    fast().gelu(x.buffer(), z.buffer(), slope.buffer(), x.size(), exact);
    slow().gelu(x.buffer(), z2.buffer(), slope2.buffer(), x.size(), exact);
    expect_near(z, z2, 1e-5, "gelu");
    expect_near(slope, slope2, 1e-4, "gelu's slope");  // 1 + tanh cancels where it ends
    Numbers alone = x;
    fast().gelu(x.buffer(), alone.buffer(), {}, x.size(), exact);
    expect_near(alone, z, 0, "gelu without its slope");
  }
  Numbers product = x, product2 = x;
  fast().multiply(x.buffer(), dx.buffer(), product.buffer(), x.size());
  slow().multiply(x.buffer(), dx.buffer(), product2.buffer(), x.size());
  expect_near(product, product2, 1e-6, "multiply");
  Numbers bias = Numbers::random(F, DType::f32, 7), bias2 = bias;
  fast().add_bias(y.buffer(), bias.f32(), N, F);
  slow().add_bias(y2.buffer(), bias.f32(), N, F);
  expect_near(y, y2, 1e-4, "add_bias");
  fast().bias_backward(dy.buffer(), bias.f32(), 1, N, F);
  slow().bias_backward(dy.buffer(), bias2.f32(), 1, N, F);
  expect_near(bias, bias2, 1e-5, "bias_backward");
}

TEST_P(Conformance, TokenRows) {
  const int64_t N = 50, D = 36, V = 11;
  Numbers table = Numbers::random(V * D, GetParam(), 1),
          places = Numbers::random(N * D, GetParam(), 2);
  std::vector<int32_t> ids, positions;
  for (int32_t n = 0; n < N; ++n) ids.push_back(n * 7 % 11), positions.push_back(n / 2);
  Numbers y = Numbers::random(N * D, DType::f32, 3), y2 = y;
  fast().embed(table.buffer(), ids.data(), places.buffer(), positions.data(), y.f32(), N, D);
  slow().embed(table.buffer(), ids.data(), places.buffer(), positions.data(), y2.f32(), N, D);
  expect_near(y, y2, 1e-6, "embed");
  Numbers dtable = Numbers::random(V * D, DType::f32, 4), dtable2 = dtable;
  fast().embed_backward(y.f32(), ids.data(), dtable.f32(), N, D);
  slow().embed_backward(y.f32(), ids.data(), dtable2.f32(), N, D);
  expect_near(dtable, dtable2, 1e-5, "embed_backward");
  Numbers c = Numbers::random(N * 6, DType::f32, 5), s = Numbers::random(N * 6, DType::f32, 6),
          x = places, x2 = places;
  for (bool back : {false, true}) {
    fast().rope(x.buffer(), positions.data(), c.f32(), s.f32(), N, 2, 12, D, back);
    slow().rope(x2.buffer(), positions.data(), c.f32(), s.f32(), N, 2, 12, D, back);
    expect_near(x, x2, 1e-4, "rope");
    x = x2;
  }
}

TEST_P(Conformance, CrossEntropy) {
  for (int64_t V : {1, 5, 65, 1003}) {
    const int64_t N = 9;
    Numbers logits = Numbers::random(N * V, DType::f32, 1, 4),
            loss = Numbers::random(N, DType::f32, 2), loss2 = loss;
    Numbers d = Numbers::random(N * V, GetParam(), 3), d2 = d;
    std::vector<int32_t> targets;
    for (int32_t n = 0; n < N; ++n)
      targets.push_back(n == 4 ? -1 : static_cast<int32_t>(n * 3 % V));
    const std::vector<float> weights{1, 0.5, 0, 1, 1, 2, 1, 1, 1};
    fast().cross_entropy(logits.f32(), targets.data(), weights.data(), 0.25f, loss.f32(),
                         d.buffer(), N, V);
    slow().cross_entropy(logits.f32(), targets.data(), weights.data(), 0.25f, loss2.f32(),
                         d2.buffer(), N, V);
    expect_near(loss, loss2, 1e-5, "cross_entropy loss");
    expect_near(d, d2, 1e-4, "cross_entropy gradient");
  }
}

struct AttentionCase {
  int64_t heads, kv_heads, head_dim;
  std::vector<int32_t> starts;
  float dropout;
  int64_t window = 0;
  float softcap = 0;
  AttentionMask mask = AttentionMask::causal;
};

void check_attention(const AttentionCase& c, DType dtype) {
  const int64_t N = c.starts.back(), width = (c.heads + 2 * c.kv_heads) * c.head_dim;
  const AttentionProblem p{c.heads,
                           c.kv_heads,
                           c.head_dim,
                           c.starts.data(),
                           static_cast<int64_t>(c.starts.size()) - 1,
                           0.3f,
                           {c.dropout, 5},
                           dtype,
                           c.mask,
                           c.window,
                           c.softcap};
  Numbers qkv = Numbers::random(N * width, dtype, 1),
          out = Numbers::random(N * c.heads * c.head_dim, dtype, 2), out2 = out;
  Numbers lse = Numbers::random(c.heads * N, DType::f32, 3), lse2 = lse, dqkv = qkv, dqkv2 = qkv,
          dout = out;
  fast().attention(p, qkv.data(), out.data(), lse.f32());
  slow().attention(p, qkv.data(), out2.data(), lse2.f32());
  const double tolerance = dtype == DType::f32 ? 1e-4 : 0.03;
  expect_near(lse, lse2, 1e-4, "lse");
  expect_near(out, out2, tolerance, "attention");
  fast().attention_backward(p, qkv.data(), out2.data(), dout.data(), lse2.f32(), dqkv.data());
  slow().attention_backward(p, qkv.data(), out2.data(), dout.data(), lse2.f32(), dqkv2.data());
  expect_near(dqkv, dqkv2, dtype == DType::f32 ? 5e-4 : 0.15, "attention_backward");
}

TEST_P(Conformance, Attention) {
  check_attention({1, 1, 16, {0, 1}, 0}, GetParam());
  check_attention({2, 2, 32, {0, 70, 73, 140}, 0}, GetParam());
  check_attention({4, 2, 24, {0, 33, 64}, 0}, GetParam());
  check_attention({6, 1, 48, {0, 129}, 0}, GetParam());
  check_attention({2, 1, 64, {0, 65, 66}, 0.25f}, GetParam());
}

TEST_P(Conformance, AttentionWithWindowsCapsAndBothDirections) {
  check_attention({2, 1, 16, {0, 5, 170}, 0, 3, 0}, GetParam());
  check_attention({2, 2, 32, {0, 300}, 0, 70, 0}, GetParam());
  check_attention({2, 2, 24, {0, 100}, 0, 0, 1.5f}, GetParam());
  check_attention({2, 1, 32, {0, 33, 200}, 0.25f, 40, 2.0f}, GetParam());
  check_attention({3, 3, 16, {0, 1, 90, 123}, 0, 0, 0, AttentionMask::whole}, GetParam());
}

TEST_P(Conformance, HeadNorm) {
  const int64_t N = 19, heads = 3, dim = 20, width = 90;
  const HeadRows rows{N, heads, dim, width};
  Numbers x = Numbers::random(N * width, GetParam(), 1, 3),
          dy = Numbers::random(N * width, GetParam(), 2);
  Numbers w = Numbers::random(dim, DType::f32, 3), rstd = Numbers::random(N * heads, DType::f32, 4);
  Numbers y = dy, y2 = dy, rstd2 = rstd, dx = x, dx2 = x, dw = w, dw2 = w;
  fast().head_norm(x.buffer(), w.f32(), y.buffer(), rstd.f32(), rows, 1e-5f);
  slow().head_norm(x.buffer(), w.f32(), y2.buffer(), rstd2.f32(), rows, 1e-5f);
  expect_near(y, y2, 1e-5, "head_norm");
  for (float beta : {0.0f, 1.0f}) {
    fast().head_norm_backward(dy.buffer(), x.buffer(), w.f32(), rstd2.f32(), dx.buffer(), dw.f32(),
                              beta, rows);
    slow().head_norm_backward(dy.buffer(), x.buffer(), w.f32(), rstd2.f32(), dx2.buffer(),
                              dw2.f32(), beta, rows);
    expect_near(dx, dx2, 1e-4, "head_norm dx");
    expect_near(dw, dw2, 1e-4, "head_norm dw");
  }
}

TEST_P(Conformance, GatesAndCaps) {
  const int64_t N = 21, F = 45, n = N * 2 * F;
  Numbers x = Numbers::random(n, GetParam(), 1, 3), dy = Numbers::random(N * F, GetParam(), 2);
  Numbers y = dy, y2 = dy, dx = x, dx2 = x, slope = x, slope2 = x;
  fast().geglu(x.buffer(), y.buffer(), N, F);
  slow().geglu(x.buffer(), y2.buffer(), N, F);
  expect_near(y, y2, 1e-5, "geglu");
  fast().geglu_backward(dy.buffer(), x.buffer(), dx.buffer(), N, F);
  slow().geglu_backward(dy.buffer(), x.buffer(), dx2.buffer(), N, F);
  expect_near(dx, dx2, 1e-4, "geglu_backward");
  fast().relu(x.buffer(), dx.buffer(), slope.buffer(), n);
  slow().relu(x.buffer(), dx2.buffer(), slope2.buffer(), n);
  expect_near(dx, dx2, 0, "relu");
  expect_near(slope, slope2, 0, "relu's slope");
  Numbers wide = Numbers::random(n, DType::f32, 3, 4), capped = wide, capped2 = wide, scaled = wide,
          scaled2 = wide;
  fast().softcap(capped.f32(), 2.5f, n);
  slow().softcap(capped2.f32(), 2.5f, n);
  expect_near(capped, capped2, 1e-5, "softcap");
  fast().softcap_backward(capped2.f32(), dx.buffer(), 2.5f, n);
  slow().softcap_backward(capped2.f32(), dx2.buffer(), 2.5f, n);
  expect_near(dx, dx2, 1e-4, "softcap_backward");
  fast().scale(wide.f32(), scaled.f32(), 1.7f, n);
  slow().scale(wide.f32(), scaled2.f32(), 1.7f, n);
  expect_near(scaled, scaled2, 1e-6, "scale");
}

TEST_P(Conformance, RowsOfExperts) {
  const int64_t n = 13, D = 37, total = 40;
  Numbers x = Numbers::random(n * D, GetParam(), 1), weights = Numbers::random(n, DType::f32, 2);
  Numbers y = Numbers::random(total * D, DType::f32, 3), y2 = y, dx = x, dx2 = x, dw = weights,
          dw2 = weights;
  std::vector<int32_t> rows;
  for (int32_t i = 0; i < n; ++i) rows.push_back(i * 3 + 1);
  fast().scatter_rows(x.buffer(), rows.data(), weights.f32(), y.f32(), n, D);
  slow().scatter_rows(x.buffer(), rows.data(), weights.f32(), y2.f32(), n, D);
  expect_near(y, y2, 1e-5, "scatter_rows");
  fast().scatter_rows_backward(y2.f32(), x.buffer(), rows.data(), weights.f32(), dx.buffer(),
                               dw.f32(), n, D);
  slow().scatter_rows_backward(y2.f32(), x.buffer(), rows.data(), weights.f32(), dx2.buffer(),
                               dw2.f32(), n, D);
  expect_near(dx, dx2, 1e-5, "scatter_rows dx");
  expect_near(dw, dw2, 1e-4, "scatter_rows dweights");
}

// Weights whole and in halves.
struct Halves {
  explicit Halves(const std::vector<float>& values) : wide(values) {
    for (const float value : values) {
      high.push_back(split(value).high);
      low.push_back(split(value).low);
    }
  }
  MasterWeights weights(bool whole) {
    if (whole) return {.whole = wide.data()};
    return {.high = high.data(), .low = low.data()};
  }
  float at(size_t i, bool whole) const { return whole ? wide[i] : join({high[i], low[i]}); }
  std::vector<float> wide;
  std::vector<bf16> high;
  std::vector<int16_t> low;
};

TEST(Kernels, AdamW) {
  const int64_t n = 16421;
  const AdamWStep step{1e-2f, 0.9f, 0.99f, 1e-8f, 0.1f, 0.19f, 0.02f, 0.5f, 77};
  Numbers g = Numbers::random(n, DType::f32, 1), start = Numbers::random(n, DType::f32, 2);
  for (const DType moments : {DType::f32, DType::bf16}) {
    Numbers m = Numbers::random(n, moments, 3), v = Numbers::random(n, moments, 4);
    for (float& x : v.wide) x *= x;
    for (bf16& x : v.narrow) x.bits &= 0x7fff;
    for (const bool whole : {true, false}) {
      Halves w(start.wide), w2 = w;
      Numbers m1 = m, m2 = m, v1 = v, v2 = v;
      fast().adamw(step, g.f32(), w.weights(whole), m1.buffer(), v1.buffer(), n);
      slow().adamw(step, g.f32(), w2.weights(whole), m2.buffer(), v2.buffer(), n);
      for (size_t i = 0; i < w.wide.size(); ++i) {
        ASSERT_NEAR(w.at(i, whole), w2.at(i, whole), 1e-5) << i;
        ASSERT_NE(w.at(i, whole), start.wide[i]) << i;
      }
      expect_near(m1, m2, moments == DType::f32 ? 1e-6 : 2e-2, "first moment");
      expect_near(v1, v2, moments == DType::f32 ? 1e-6 : 2e-2, "second moment");
    }
  }
}

TEST(Kernels, AdamWMovesAMomentInBf16OnAverage) {
  // Steps far below bf16's resolution: 1 -> 1 + 200 x 0.001 x (2 - 1).
  const int64_t n = 4096;
  std::vector<float> gradient(n, std::sqrt(2.0f)), weight(n);
  std::vector<bf16> first(n), second(n, bf16(1.0f));
  AdamWStep step{0, 0.9f, 0.999f, 1e-8f, 0, 1, 1, 1, 0};
  for (uint32_t t = 0; t < 200; ++t) {
    step.seed = t;
    fast().adamw(step, gradient.data(), {.whole = weight.data()}, {first.data(), DType::bf16},
                 {second.data(), DType::bf16}, n);
  }
  double mean = 0;
  for (const bf16 v : second) mean += static_cast<double>(static_cast<float>(v)) / n;
  EXPECT_NEAR(mean, 2 - std::pow(0.999, 200), 0.005);
}

TEST(Kernels, SplitFloatsLoseNothing) {
  for (uint32_t word :
       {0u, 0x8000u, 0x18000u, 0x3f808000u, 0x3f818000u, 0xbf808000u, 0x3f7fffffu, 0x80000001u}) {
    const auto value = std::bit_cast<float>(word);
    EXPECT_EQ(std::bit_cast<uint32_t>(join(split(value))), word);
    EXPECT_NEAR(static_cast<float>(split(value).high), value, std::abs(value) / 256 + 1e-30);
  }
}

}  // namespace
}  // namespace malssi
