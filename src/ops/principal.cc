#include "ops/principal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "kernels/gemm.h"

namespace malssi {
namespace {

constexpr int64_t kSpare =
    10;  // directions beyond those asked for: they make the last ones accurate
constexpr int64_t kIterations = 8;  // each sharpens the spectrum by its square

// x [L, K] -> x w^T [L, rows], and y [L, rows] -> y w [L, K].
Tensor times_transposed(const Tensor& x, const Tensor& w) {
  const Tensor y = Tensor::empty({x.dim(0), w.dim(0)});
  gemm({x.data(), DType::f32}, {w.data(), DType::f32}, {y.data(), DType::f32}, x.dim(0), w.dim(0),
       w.dim(1), {.transpose_b = true});
  return y;
}
Tensor times(const Tensor& y, const Tensor& w) {
  const Tensor x = Tensor::empty({y.dim(0), w.dim(1)});
  gemm({y.data(), DType::f32}, {w.data(), DType::f32}, {x.data(), DType::f32}, y.dim(0), w.dim(1),
       w.dim(0));
  return x;
}

double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += double{a[i]} * b[i];
  return sum;
}

// Makes the rows of x unit vectors, each orthogonal to those above it; a row that they span becomes zero. Gram-Schmidt, twice,
// which is enough for full accuracy.
void orthonormalise(const Tensor& x) {
  const int64_t rows = x.dim(0), n = x.dim(1);
  for (int64_t i = 0; i < rows; ++i) {
    float* const row = x.f32() + i * n;
    const double before = std::sqrt(dot(row, row, n));
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t j = 0; j < i; ++j) {
        const float* const other = x.f32() + j * n;
        const auto share = static_cast<float>(dot(row, other, n));
        for (int64_t k = 0; k < n; ++k) row[k] -= share * other[k];
      }
    const double length = std::sqrt(dot(row, row, n));
    const auto factor = static_cast<float>(length > 1e-5 * before ? 1 / length : 0);
    for (int64_t k = 0; k < n; ++k) row[k] *= factor;
  }
}

// A symmetric matrix's eigenvalues and eigenvectors, by Jacobi's rotations.
struct Eigen {
  int64_t n = 0;
  std::vector<double> matrix;   // [n, n]; in the end diagonal
  std::vector<double> vectors;  // [n, n]: column i belongs to eigenvalue i

  double& at(int64_t i, int64_t j) { return matrix[static_cast<size_t>(i * n + j)]; }
  double value(int64_t i) const { return matrix[static_cast<size_t>(i * n + i)]; }
  double vector(int64_t row, int64_t i) const { return vectors[static_cast<size_t>(row * n + i)]; }

  void rotate(int64_t p, int64_t q) {
    const double theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
    const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
    const double c = 1 / std::sqrt(t * t + 1), s = t * c;
    for (int64_t k = 0; k < n; ++k) {
      const double kp = at(k, p), kq = at(k, q);
      at(k, p) = c * kp - s * kq;
      at(k, q) = s * kp + c * kq;
    }
    for (int64_t k = 0; k < n; ++k) {
      const double pk = at(p, k), qk = at(q, k);
      at(p, k) = c * pk - s * qk;
      at(q, k) = s * pk + c * qk;
      double &vp = vectors[static_cast<size_t>(k * n + p)],
             &vq = vectors[static_cast<size_t>(k * n + q)];
      const double old = vp;
      vp = c * old - s * vq;
      vq = s * old + c * vq;
    }
  }

  // One sweep over all pairs; whether any was rotated.
  bool sweep() {
    bool moved = false;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        if (std::abs(at(p, q)) <= 1e-14 * std::sqrt(std::abs(at(p, p) * at(q, q)))) continue;
        rotate(p, q);
        moved = true;
      }
    return moved;
  }
};

Eigen eigen_of(std::vector<double> symmetric, int64_t n) {
  constexpr int kMostSweeps = 40;
  Eigen eigen{.n = n, .matrix = std::move(symmetric), .vectors = {}};
  eigen.vectors.assign(static_cast<size_t>(n * n), 0);
  for (int64_t i = 0; i < n; ++i) eigen.vectors[static_cast<size_t>(i * n + i)] = 1;
  for (int i = 0; i < kMostSweeps && eigen.sweep(); ++i) {
  }
  return eigen;
}

// x x^T.
std::vector<double> gram(const Tensor& x) {
  const int64_t rows = x.dim(0), n = x.dim(1);
  std::vector<double> products(static_cast<size_t>(rows * rows));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j <= i; ++j)
      products[static_cast<size_t>(i * rows + j)] = products[static_cast<size_t>(j * rows + i)] =
          dot(x.f32() + i * n, x.f32() + j * n, n);
  return products;
}

// Row i of the result: the rows of x weighed by eigenvector order[i], times factors[i].
Tensor turned(const Tensor& x, const Eigen& eigen, std::span<const int64_t> order,
              std::span<const double> factors) {
  const int64_t n = x.dim(1);
  const Tensor y = Tensor::zeros({std::ssize(order), n});
  for (size_t i = 0; i < order.size(); ++i)
    for (int64_t k = 0; k < x.dim(0); ++k) {
      const auto weight = static_cast<float>(eigen.vector(k, order[i]) * factors[i]);
      for (int64_t j = 0; j < n; ++j)
        y.f32()[static_cast<int64_t>(i) * n + j] += weight * x.f32()[k * n + j];
    }
  return y;
}

}  // namespace

PrincipalParts principal_parts(const Tensor& w, int64_t count, uint64_t seed) {
  const int64_t least = std::min(w.dim(0), w.dim(1));
  CHECK(w.dtype() == DType::f32 && count >= 1 && count <= least, count, " directions of ",
        w.shape());
  const int64_t directions = std::min(count + kSpare, least);
  Rng rng(seed);
  Tensor right = Tensor::empty({directions, w.dim(1)});
  for (int64_t i = 0; i < right.size(); ++i) right.f32()[i] = static_cast<float>(rng.normal());
  Tensor left;
  for (int64_t i = 0; i <= kIterations; ++i) {
    left = times_transposed(right, w);
    orthonormalise(left);
    right = times(left, w);
    if (i < kIterations) orthonormalise(right);
  }
  const Eigen eigen = eigen_of(gram(right), directions);
  std::vector<int64_t> order(static_cast<size_t>(directions));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>(), [&](int64_t i) { return eigen.value(i); });
  order.resize(static_cast<size_t>(count));
  PrincipalParts parts;
  std::vector<double> ones(order.size(), 1), inverse;
  for (const int64_t i : order) {
    const double value = std::sqrt(std::max(0.0, eigen.value(i)));
    parts.values.push_back(static_cast<float>(value));
    inverse.push_back(value > 0 ? 1 / value : 0);
  }
  parts.left = turned(left, eigen, order, ones);
  parts.right = turned(right, eigen, order, inverse);
  return parts;
}

}  // namespace malssi
