#include "infer/draft.h"

#include <algorithm>

namespace malssi {
namespace {

class LookupDrafter : public Drafter {
 public:
  LookupDrafter(int64_t longest, int64_t shortest) : longest_(longest), shortest_(shortest) {}

  std::vector<int32_t> draft(std::span<const int32_t> tokens, int64_t most) override {
    const auto size = static_cast<int64_t>(tokens.size());
    for (int64_t length = std::min(longest_, size - 1); length >= shortest_; --length) {
      const auto end = tokens.end() - length;  // the latest tokens themselves are no answer
      const auto at = std::find_end(tokens.begin(), tokens.end() - 1, end, tokens.end());
      if (at == tokens.end() - 1) continue;
      // What lies behind the match may be short: then it is taken to come again and again.
      const auto follows = tokens.subspan(static_cast<size_t>(at + length - tokens.begin()));
      std::vector<int32_t> drafted(static_cast<size_t>(most));
      for (size_t i = 0; i < drafted.size(); ++i) drafted[i] = follows[i % follows.size()];
      return drafted;
    }
    return {};
  }

 private:
  int64_t longest_, shortest_;
};

class ModelDrafter : public Drafter {
 public:
  ModelDrafter(Predictor& smaller, int64_t vocab)
      : smaller_(smaller), vocab_(std::min(vocab, smaller.vocab())) {}

  std::vector<int32_t> draft(std::span<const int32_t> tokens, int64_t most) override {
    const auto size = static_cast<int64_t>(tokens.size());
    most = std::min(most, smaller_.capacity() - size);
    if (most <= 0) return {};
    const auto same =
        std::mismatch(held_.begin(), held_.end(), tokens.begin(), tokens.end()).first -
        held_.begin();
    const int64_t known =
        std::min<int64_t>(same, size - 1);  // the last token is always fed: its logits are wanted
    smaller_.truncate(0, known);
    held_.assign(tokens.begin(), tokens.end());
    std::vector<int32_t> drafted;
    std::span<const float> logits =
        prefill(smaller_, 0, tokens.subspan(static_cast<size_t>(known)));
    while (true) {
      const auto likeliest =
          std::max_element(logits.begin(), logits.begin() + vocab_) - logits.begin();
      drafted.push_back(static_cast<int32_t>(likeliest));
      if (static_cast<int64_t>(drafted.size()) == most) return drafted;
      held_.push_back(drafted.back());
      const Predictor::Piece piece{.slot = 0, .ids = {&held_.back(), 1}};
      logits = smaller_.feed({&piece, 1});
    }
  }

 private:
  Predictor& smaller_;
  int64_t vocab_;
  std::vector<int32_t> held_;  // the tokens in its slot
};

}  // namespace

std::unique_ptr<Drafter> lookup_drafter(int64_t longest, int64_t shortest) {
  return std::make_unique<LookupDrafter>(longest, shortest);
}

std::unique_ptr<Drafter> model_drafter(Predictor& smaller, int64_t vocab) {
  return std::make_unique<ModelDrafter>(smaller, vocab);
}

}  // namespace malssi
