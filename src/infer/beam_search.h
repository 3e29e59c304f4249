// Beam search with the semantics of Hugging Face transformers.
//   - every step ranks the 2 x beams best continuations of all beams (more with several end tokens)
//   by summed log-probability;
//   - a continuation that ends (end token, stop condition, max_tokens) joins the finished ones only
//   if it ranks among the
//     first `beams`; the best `beams` of those that do not end go on;
//   - a finished answer's score is logprob / length^length_penalty, its end token included in both;
//   the best `beams` stay;
//   - early stopping, once `beams` answers are finished: when_full stops at once; heuristic when
//   the best running beam, at
//     its present length, cannot beat the worst finished one; never when it could not even at the
//     most favourable length.
// With length_penalty 0 and never, or with beams enough to hold every continuation, the best answer
// is found exactly. A repetition penalty acts on the log-probabilities, as it does there.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "infer/predictor.h"

namespace malssi {

enum class EarlyStopping { heuristic, when_full, never };
// "heuristic", "when-full", "never"; Error on anything else.
EarlyStopping early_stopping_from(std::string_view name);

struct BeamOptions {
  int64_t beams = 4;
  int64_t n_best = 1;
  double length_penalty = 1.0;
  EarlyStopping early_stopping = EarlyStopping::heuristic;
  int64_t max_tokens = 256;
  double repetition_penalty = 1.0;
  std::vector<int32_t> end_tokens = {};
  std::function<bool(std::span<const int32_t> ids)> ends =
      {};  // a further stop condition on the answer so far
};

// Throws an Error that names the setting, its value and its range.
void check_beams(const BeamOptions& options);

struct BeamAnswer {
  std::vector<int32_t> ids = {};      // the end token, if any, is the last
  std::vector<double> logprobs = {};  // of each id
  double logprob = 0;                 // their sum
  double score = 0;
  bool ended = false;  // by an end token or stop condition, not by max_tokens
};

// The bookkeeping without a model: give it the log-probabilities of each live beam's next token, go
// where it says.
class BeamSearch {
 public:
  struct Step {
    int64_t parent = 0;  // which of the beams before
    int32_t token = 0;
  };

  explicit BeamSearch(BeamOptions options, std::span<const int32_t> prompt = {});
  // logprobs [live beams, vocab]; at first one beam is live. Returns the live beams from now on,
  // none when it is over.
  const std::vector<Step>& advance(std::span<const float> logprobs, int64_t vocab);
  // The n_best answers found so far, best first; beams still running count as they stand if nothing
  // has finished.
  std::vector<BeamAnswer> answers() const;

 private:
  struct Beam {
    std::vector<int32_t> ids;
    std::vector<double> logprobs;
    double logprob = 0;
  };
  struct Continuation {
    double logprob = 0;
    int64_t parent = 0;
    int32_t token = 0;
    double token_logprob = 0;
  };

  std::vector<Continuation> best_continuations(std::span<const float> logprobs,
                                               int64_t vocab) const;
  void penalise(std::span<float> logprobs, int64_t vocab) const;
  Beam extend(const Continuation& continuation) const;
  bool ended(const Beam& beam) const;
  void add_finished(Beam beam, bool ended);
  bool is_over() const;
  double score(double logprob, int64_t length) const;

  BeamOptions options_;
  std::vector<int32_t> prompt_;
  std::vector<Beam> beams_;
  std::vector<BeamAnswer> finished_;  // best first
  std::vector<Step> steps_;
  int64_t length_ = 0;  // tokens of each running beam
};

// Runs the search on a model: slot 0 is fed the prompt, as many slots as beams are used. Stops
// early, with what it has, when cancelled says so. Throws Error when the prompt leaves no room.
// usable_vocab: ids at and above it are never chosen (a model's rows beyond its tokenizer); 0: all
// are.
std::vector<BeamAnswer> beam_search(Predictor& predictor, std::span<const int32_t> prompt,
                                    const BeamOptions& options, int64_t usable_vocab = 0,
                                    const std::function<bool()>& cancelled = {});

}  // namespace malssi
