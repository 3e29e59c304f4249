// Adapters other than LoRA, trained on conversations beside a frozen model: IA3 (Liu et al. 2022), prompt tuning (Lester et al.
// 2021), prefix tuning (Li, Liang 2021), bottlenecks (Houlsby et al. 2019; Pfeiffer et al. 2020), norms alone. The keys of
// RUN/config.toml and the flags of `malssi tune METHOD`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/console.h"
#include "train/run/session.h"
#include "train/tune/sft_config.h"

namespace malssi {

// [ia3]
struct Ia3Settings {
  static constexpr const char* kName = "ia3";
  static constexpr double kRate = 3e-3;
  std::string targets = "";
  std::string inner = "";

  template <class V>
  void visit(V& v) {
    v("targets", targets,
      "the matrices whose outputs or inputs are scaled: ends of names or an expression; empty = "
      "keys, values and the MLP's last matrix");
    v("inner", inner, "those of them whose inputs are scaled; empty = the MLP's last matrix");
  }
};

// [prompt]
struct PromptSettings {
  static constexpr const char* kName = "prompt";
  static constexpr double kRate = 1e-2;
  int64_t tokens = 20;
  std::string text = "";

  template <class V>
  void visit(V& v) {
    v("tokens", tokens, "virtual tokens in front of every sequence", at_least(1), at_most(4096));
    v("text", text, "they begin as this text's embeddings; empty = as those of tokens drawn");
  }
};

// [prefix]
struct PrefixSettings {
  static constexpr const char* kName = "prefix";
  static constexpr double kRate = 1e-2;
  int64_t tokens = 20;

  template <class V>
  void visit(V& v) {
    v("tokens", tokens, "trained keys and values before every sequence, in each layer", at_least(1),
      at_most(4096));
  }
};

// [adapter]
struct BottleneckSettings {
  static constexpr const char* kName = "adapter";
  static constexpr double kRate = 1e-3;
  int64_t inner = 64;
  std::string after = "both";
  std::string activation = "relu";
  double scaling = 1;

  template <class V>
  void visit(V& v) {
    v("inner", inner, "width inside", at_least(1), at_most(65536));
    v("after", after, "where bottlenecks lie: both (Houlsby), mlp (Pfeiffer) or attention",
      one_of({"both", "mlp", "attention"}));
    v("activation", activation, "inside", one_of({"relu", "gelu"}));
    v("scaling", scaling, "what they add counts so many times", above(0));
  }
};

// [norms]
struct NormsSettings {
  static constexpr const char* kName = "norms";
  static constexpr double kRate = 1e-3;
  std::string targets = "";

  template <class V>
  void visit(V& v) {
    v("targets", targets,
      "the norms that are trained: ends of names or an expression; empty = all");
  }
};

template <class Settings>
struct AdapterConfig {
  Settings method;
  ConversationSettings sft;
  OptimSettings optim;
  TrainSettings train;
  LogSettings log;

  AdapterConfig() {
    suit_tuning(optim, train);
    optim.lr = Settings::kRate;
    optim.weight_decay = 0;
  }
  template <class V>
  void visit(V& v) {
    v(Settings::kName, method);
    v("sft", sft);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  void check() const {
    optim.check();
    sft.check(train);
  }
};

// Begins a run in config.train.out, which must hold none yet. Throws Error as run_lora() does. For the settings above.
template <class Settings>
RunResult run_adapter_method(AdapterConfig<Settings> config, Console& console);

bool is_adapter_method(std::string_view kind);
// Goes on with a run of this kind; see resume_lora.
RunResult resume_adapter_method(const fs::path& run, std::string_view kind,
                                const std::vector<std::string>& settings, Console& console);

}  // namespace malssi
