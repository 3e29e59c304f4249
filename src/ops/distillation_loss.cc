#include "ops/distillation_loss.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "ops/head_pass.h"

namespace malssi {
namespace {

// softmax(logits / temperature), whose normalisation is known.
struct Softmax {
  const float* logits;
  double inverse, log_sum;

  Softmax(const float* row, int64_t size, double temperature)
      : logits(row), inverse(1 / temperature) {
    const double most = *std::max_element(row, row + size) * inverse;
    double sum = 0;
    for (int64_t v = 0; v < size; ++v) sum += std::exp(row[v] * inverse - most);
    log_sum = most + std::log(sum);
  }
  double log(int64_t v) const { return logits[v] * inverse - log_sum; }
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
  const double T = options.temperature, hard = options.hard, factor = token.weight * scale;
  const Softmax teacher(token.teacher, options.known, T), student(token.student, token.vocab, T);
  const Softmax plain = T == 1 ? student : Softmax(token.student, token.vocab, 1);
  double divergence = 0;
  for (int64_t v = 0; v < token.vocab; ++v) {
    const double log_q = student.log(v);
    const double log_p = v < options.known ? teacher.log(v) : 0;
    const double p = v < options.known ? std::exp(log_p) : 0;
    if (p > 0) divergence += p * (log_p - log_q);
    if (dlogits.data == nullptr) continue;
    double d = (1 - hard) * T * (std::exp(log_q) - p);
    if (hard > 0) d += hard * (std::exp(plain.log(v)) - (v == token.target ? 1 : 0));
    write(dlogits, first + v, factor * d);
  }
  return token.weight * ((1 - hard) * T * T * divergence - hard * plain.log(token.target));
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
