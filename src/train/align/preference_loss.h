// The losses of preference methods, as functions of how likely a model finds whole answers. Each gives its value and its
// derivatives by the policy's log-probabilities; what the reference model says is a constant.
//   DPO    Rafailov et al. 2023, equation 7; label smoothing: Mitchell 2023 (cDPO); robust: Chowdhury et al. 2024, equation 9
//   hinge  Zhao et al. 2023 (SLiC), on DPO's rewards
//   IPO    Azar et al. 2023, equation 17, on log-probabilities per token
//   KTO    Ethayarajh et al. 2024, equation 8
//   ORPO   Hong et al. 2024, equations 6 and 7
//   SimPO  Meng et al. 2024, equation 6
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

// Of one answer: log-probabilities summed over its scored tokens, in nats.
struct AnswerLogProb {
  double policy = 0;
  double reference = 0;
  int64_t tokens = 1;
};

struct PairLogProbs {
  AnswerLogProb chosen, rejected;
};

struct PairLoss {
  double value = 0;
  double d_chosen = 0, d_rejected = 0;  // by the policy's sums
  double chosen_reward = 0, rejected_reward = 0;
};

struct DpoOptions {
  double beta = 0.1;               // above 0
  double label_smoothing = 0;      // part of the labels believed to be wrong: at least 0, below 1/2
  bool length_normalised = false;  // log-probabilities per token
};

PairLoss dpo_sigmoid(const PairLogProbs& pair, const DpoOptions& options);
PairLoss dpo_robust(const PairLogProbs& pair, const DpoOptions& options);
PairLoss dpo_hinge(const PairLogProbs& pair, const DpoOptions& options);
// (difference - 1 / (2 beta))^2, always per token.
PairLoss dpo_ipo(const PairLogProbs& pair, const DpoOptions& options);
PairLoss orpo(const PairLogProbs& pair, double beta);
PairLoss simpo(const PairLogProbs& pair, double beta, double gamma);

struct KtoOptions {
  double beta = 0.1;
  double liked_weight = 1, disliked_weight = 1;
};

enum class Verdict { liked, disliked };

struct JudgedLoss {
  double value = 0;
  double derivative = 0;
  double reward = 0;
};

// z0: kto_baseline() of the same step.
JudgedLoss kto(const AnswerLogProb& answer, Verdict verdict, double z0, const KtoOptions& options);
// How far the policy has moved from the reference, estimated on answers to other prompts: the mean of the log-ratios, not
// below 0. A constant for the gradient.
double kto_baseline(const std::vector<AnswerLogProb>& mismatched);

// Bradley and Terry's model of a choice by rewards: the better one's must lead by the margin. centring: weight of the squared
// sum of both, which keeps rewards about 0 (Eisenstein et al. 2023). d_chosen and d_rejected are by the rewards.
PairLoss bradley_terry(double chosen, double rejected, double margin, double centring);

double log_sigmoid(double x);
double sigmoid(double x);

}  // namespace malssi
