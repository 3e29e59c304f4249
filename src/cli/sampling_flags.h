// The flags that choose how tokens are drawn: --temperature, --top-k, ..., --logit-bias.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infer/sampling_options.h"
#include "serve/remote/remote_model.h"
#include "text/tokenizer.h"

namespace malssi {

class SamplingFlags {
 public:
  // Registers the flags; this must live until the command has run.
  void add_to(CLI::App& command);
  // Puts the flags that were given in place of what is there. Without --seed the seed is drawn anew
  // each time. Error: a bias that is not ID=VALUE.
  void apply(const Tokenizer& tokenizer, SamplingOptions& options) const;
  // Those that were given and a remote model can be told.
  void apply(RemoteOptions& options) const;

 private:
  void add_filters(CLI::App& command);
  void add_penalties(CLI::App& command);

  bool greedy_ = false;
  std::optional<double> temperature_, top_p_, min_p_, typical_p_, top_n_sigma_;
  std::optional<int64_t> top_k_;
  std::optional<double> repetition_;
  std::optional<uint64_t> seed_;
  SamplingOptions rest_;  // what generation_config.json has no key for
  std::vector<std::string> breakers_, bias_;
};

}  // namespace malssi
