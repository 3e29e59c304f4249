#include "ops/distillation_loss.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "ops/head_pass.h"

namespace malssi {
namespace {

// softmax(logits / temperature).
struct Softmax {
  std::vector<float> logits, shares;  // logits: divided by the temperature
  double log_sum = 0;

  void set(const float* row, int64_t size, float temperature) {
    logits.assign(row, row + size);
    for (float& each : logits) each /= temperature;
    shares.resize(logits.size());
    const auto best =
        static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    const float weight = 1;
    float loss = 0;  // of the likeliest: its gradient is softmax but for one
    kernels().cross_entropy(logits.data(), &best, &weight, 1, &loss, {shares.data(), DType::f32}, 1,
                            size);
    shares[static_cast<size_t>(best)] = std::exp(-loss);
    log_sum = double{logits[static_cast<size_t>(best)]} + loss;
  }
};

struct Token {
  const float* teacher;
  const float* student;
  int64_t vocab;  // of the student
  int32_t target;
  double weight;
};

void write(Buffer buffer, int64_t i, double value) {
  if (buffer.dtype == DType::f32)
    static_cast<float*>(buffer.data)[i] = static_cast<float>(value);
  else
    static_cast<bf16*>(buffer.data)[i] = bf16(static_cast<float>(value));
}

// The loss of one token; its gradient by the student's logits, scaled, from dlogits[first] on where that has data.
double token_loss(const Token& token, const Distillation& options, double scale, Buffer dlogits,
                  int64_t first) {
  static thread_local Softmax teacher, student, plain;  // of a vocabulary's size at every token
  const double T = options.temperature, hard = options.hard, factor = token.weight * scale;
  teacher.set(token.teacher, options.known, options.temperature);
  student.set(token.student, token.vocab, options.temperature);
  if (hard > 0) plain.set(token.student, token.vocab, 1);
  const double offset = teacher.log_sum - student.log_sum;
  double divergence = 0;
  for (int64_t v = 0; v < token.vocab; ++v) {
    const auto at = static_cast<size_t>(v);
    const double p = v < options.known ? teacher.shares[at] : 0;
    if (p > 0) divergence += p * (double{teacher.logits[at]} - student.logits[at] - offset);
    if (dlogits.data == nullptr) continue;
    double d = (1 - hard) * T * (student.shares[at] - p);
    if (hard > 0) d += hard * (plain.shares[at] - (v == token.target ? 1 : 0));
    write(dlogits, first + v, factor * d);
  }
  double loss = (1 - hard) * T * T * divergence;
  if (hard > 0) loss += hard * (plain.log_sum - plain.logits[static_cast<size_t>(token.target)]);
  return token.weight * loss;
}

void check(const Distillation& options, int64_t vocab) {
  REQUIRE(options.known >= 1 && options.known <= vocab, "distillation_loss: ", options.known,
          " ids in a vocabulary of ", vocab);
  REQUIRE(options.temperature > 0, "distillation_loss: temperature ", options.temperature,
          ": above 0");
  REQUIRE(options.hard >= 0 && options.hard <= 1, "distillation_loss: hard ", options.hard,
          ": between 0 and 1");
}

void row_losses(const HeadPass& pass, const Distillation& options, const LogitRows& rows) {
  const int64_t vocab = pass.w.dim(0);
  const Tensor teacher = options.teacher(rows.begin, rows.begin + rows.count);
  CHECK(teacher.dim(0) == rows.count && teacher.dim(1) >= options.known,
        "distillation_loss: the teacher's logits are ", teacher.shape());
  parallel_for(rows.count, 1, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; ++row) {
      const auto n = static_cast<size_t>(rows.begin + row);
      const bool scored = pass.targets[n] >= 0 && pass.weights[n] != 0;
      rows.losses[row] = 0;
      if (scored) {
        const Token token{.teacher = teacher.f32() + row * teacher.dim(1),
                          .student = rows.logits + row * vocab,
                          .vocab = vocab,
                          .target = pass.targets[n],
                          .weight = pass.weights[n]};
        rows.losses[row] =
            static_cast<float>(token_loss(token, options, rows.scale, rows.dlogits, row * vocab));
      } else if (rows.dlogits.data != nullptr) {
        for (int64_t v = 0; v < vocab; ++v) write(rows.dlogits, row * vocab + v, 0);
      }
    }
  });
}

}  // namespace

Tensor distillation_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
                         std::span<const float> weights, float scale,
                         const Distillation& distillation, std::vector<float>* token_losses,
                         float softcap) {
  HeadPass pass{.h = h, .w = w, .targets = targets, .weights = weights, .softcap = softcap};
  check_head("distillation_loss", pass);
  check(distillation, w.dim(0));
  pass.loss = [&](const LogitRows& rows) { row_losses(pass, distillation, rows); };
  return head_loss("distillation_loss", pass, scale, token_losses);
}

}  // namespace malssi
