#include "kernels/gemm.h"

#include <omp.h>

#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "kernels/cpu/features.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/weight_gradient.h"

namespace malssi {
namespace {

using dnnl::memory;

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine = [] {
    const CpuFeatures& cpu = cpu_features();
    if (!cpu.avx512) {
      dnnl::set_max_cpu_isa(cpu.avx2 ? dnnl::cpu_isa::avx2 : dnnl::cpu_isa::sse41);
    } else if (!cpu.amx_bf16) {
      dnnl::set_max_cpu_isa(cpu.avx512_bf16 ? dnnl::cpu_isa::avx512_core_bf16
                                            : dnnl::cpu_isa::avx512_core);
    }
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

// A product of parts of matrices; lda and so on: numbers from one row to the next, in memory.
struct Key {
  int64_t M, N, K, lda, ldb, ldc;
  DType in, out;
  bool transpose_a, transpose_b, adds;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& k) const {
    uint64_t h = 0;
    for (const int64_t size : {k.M, k.N, k.K, k.lda, k.ldb, k.ldc})
      h = splitmix64(h ^ static_cast<uint64_t>(size));
    const int flags = static_cast<int>(k.in) | static_cast<int>(k.out) << 4 |
                      (k.transpose_a ? 256 : 0) | (k.transpose_b ? 512 : 0) | (k.adds ? 1024 : 0);
    return splitmix64(h ^ static_cast<uint64_t>(flags));
  }
};

struct Product {
  dnnl::matmul primitive;
  memory a, b, c, scratch;
};

memory::data_type dnnl_type(DType dtype) {
  CHECK(dtype == DType::f32 || dtype == DType::bf16, "gemm of ", dtype_name(dtype));
  return dtype == DType::f32 ? memory::data_type::f32 : memory::data_type::bf16;
}

Product make_product(const Key& key) {
  const auto in = dnnl_type(key.in);
  const memory::desc a({key.M, key.K}, in,
                       key.transpose_a ? memory::dims{1, key.lda} : memory::dims{key.lda, 1});
  const memory::desc b({key.K, key.N}, in,
                       key.transpose_b ? memory::dims{1, key.ldb} : memory::dims{key.ldb, 1});
  const memory::desc c({key.M, key.N}, dnnl_type(key.out), memory::dims{key.ldc, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (key.adds) {
    dnnl::post_ops operations;
    operations.append_sum(1.0f);
    attributes.set_post_ops(operations);
  }
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::matmul::primitive_desc description(cpu_engine(), a, b, c, attributes);
#else
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), attributes,
                                                 cpu_engine());
#endif
  return {dnnl::matmul(description), memory(a, cpu_engine(), nullptr),
          memory(b, cpu_engine(), nullptr), memory(c, cpu_engine(), nullptr),
          memory(description.scratchpad_desc(), cpu_engine(), nullptr)};
}

// A dense f32 copy of a matrix.
std::vector<float> widened(ConstBuffer x, int64_t n) {
  std::vector<float> wide(static_cast<size_t>(n));
  kernels().bf16_to_f32(static_cast<const bf16*>(x.data), wide.data(), n);
  return wide;
}

// bf16 on a processor for which oneDNN has no bf16 products: right, if slow.
void gemm_widened(ConstBuffer a, ConstBuffer b, Buffer c, int64_t M, int64_t N, int64_t K,
                  const GemmOptions& options) {
  const std::vector<float> wide_a = widened(a, M * K), wide_b = widened(b, K * N);
  const ConstBuffer fa{wide_a.data(), DType::f32}, fb{wide_b.data(), DType::f32};
  if (c.dtype == DType::f32) return gemm(fa, fb, c, M, N, K, options);
  std::vector<float> wide_c = widened(c, M * N);
  gemm(fa, fb, {wide_c.data(), DType::f32}, M, N, K, options);
  kernels().f32_to_bf16(wide_c.data(), static_cast<bf16*>(c.data), M * N);
}

// A product that we do faster than oneDNN: of two large matrices. (With AMX, oneDNN is ahead.)
bool is_weight_gradient(ConstBuffer a, Buffer c, int64_t size, const GemmOptions& options) {
  const CpuFeatures& cpu = cpu_features();
  return options.row_a == 0 && options.row_c == 0 && cpu.avx512_bf16 && !cpu.amx_bf16 &&
         a.dtype == DType::bf16 && c.dtype == DType::f32 && options.transpose_a &&
         !options.transpose_b && size >= (1 << 17);
}

const void* at(ConstBuffer x, int64_t index) {
  return static_cast<const char*>(x.data) + index * dtype_size(x.dtype);
}

// On this thread alone.
void run(const Key& key, const void* a, const void* b, const void* c) {
  // One cache for each thread: a product's memory handles are set for every call.
  thread_local std::unordered_map<Key, Product, KeyHash> cache;
  thread_local dnnl::stream stream(cpu_engine());
  thread_local const bool alone = (omp_set_num_threads(1), true);  // oneDNN would start its own
  CHECK(alone);
  auto found = cache.find(key);
  if (found == cache.end()) {
    if (cache.size() > 1024) cache.clear();
    found = cache.emplace(key, make_product(key)).first;
  }
  Product& p = found->second;
  p.a.set_data_handle(const_cast<void*>(a));
  p.b.set_data_handle(const_cast<void*>(b));
  p.c.set_data_handle(const_cast<void*>(c));
  Scratch scratch;  // oneDNN's own would be kept for each shape
  p.scratch.set_data_handle(
      scratch.take<char>(static_cast<int64_t>(p.scratch.get_desc().get_size())));
  p.primitive.execute(stream, {{DNNL_ARG_SRC, p.a},
                               {DNNL_ARG_WEIGHTS, p.b},
                               {DNNL_ARG_DST, p.c},
                               {DNNL_ARG_SCRATCHPAD, p.scratch}});
}

}  // namespace

void gemm(ConstBuffer a, ConstBuffer b, Buffer c, int64_t M, int64_t N, int64_t K,
          const GemmOptions& options) {
  if (M == 0 || N == 0) return;
  CHECK(a.dtype == b.dtype && K > 0, "gemm of ", dtype_name(a.dtype), " by ", dtype_name(b.dtype),
        ", K = ", K);
  if (a.dtype == DType::bf16 && !cpu_features().avx512) {
    CHECK(options.row_a == 0 && options.row_c == 0, "gemm: bf16 widened in parts");
    return gemm_widened(a, b, c, M, N, K, options);
  }
  if (is_weight_gradient(a, c, M * N, options))
    return weight_gradient_bf16(static_cast<const bf16*>(a.data), static_cast<const bf16*>(b.data),
                                static_cast<float*>(c.data), M, N, K, options.beta != 0);
  const Key whole{.M = M,
                  .N = N,
                  .K = K,
                  .lda = options.row_a > 0     ? options.row_a
                         : options.transpose_a ? M
                                               : K,
                  .ldb = options.transpose_b ? K : N,
                  .ldc = options.row_c > 0 ? options.row_c : N,
                  .in = a.dtype,
                  .out = c.dtype,
                  .transpose_a = options.transpose_a,
                  .transpose_b = options.transpose_b,
                  .adds = options.beta != 0};
  constexpr int64_t kGrain = 64;  // rows or columns; fewer are badly used by oneDNN's tiles
  const bool by_rows = M >= N || M >= 1024 || (M >= 512 && N >= 4 * M);
  const int64_t units = ((by_rows ? M : N) + kGrain - 1) / kGrain;
  const int64_t least = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, K * std::min(M, N)));
  parallel_for(units, least, [&](int64_t begin, int64_t end) {
    Key part = whole;
    (by_rows ? part.M : part.N) = std::min(end * kGrain, by_rows ? M : N) - begin * kGrain;
    const int64_t row = by_rows ? begin * kGrain : 0, column = by_rows ? 0 : begin * kGrain;
    run(part, at(a, row * (options.transpose_a ? 1 : whole.lda)),
        at(b, column * (options.transpose_b ? K : 1)),
        at({c.data, c.dtype}, row * whole.ldc + column));
  });
}

bool has_native_bf16() { return cpu_features().avx512_bf16; }

const char* gemm_instruction_set() {
  const CpuFeatures& cpu = cpu_features();
  if (cpu.amx_bf16) return "AMX";
  if (cpu.avx512_bf16) return "AVX-512 bf16";
  if (cpu.avx512) return "AVX-512";
  return cpu.avx2 ? "AVX2" : "SSE4.1";
}

}  // namespace malssi
