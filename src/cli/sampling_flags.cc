#include "cli/sampling_flags.h"

#include <charconv>
#include <random>

#include "base/error.h"
#include "infer/dry.h"

namespace malssi {

namespace {

constexpr const char* kGroup = "Choosing tokens (defaults: the model's generation_config.json)";
constexpr const char* kRepeats = "Repeating less";

// ID=VALUE.
LogitBias parse_bias(const std::string& text) {
  LogitBias bias;
  const char* const end = text.data() + text.size();
  const auto [after_id, id_error] = std::from_chars(text.data(), end, bias.id);
  bool good = id_error == std::errc() && after_id != end && *after_id == '=';
  if (good) {
    const auto [after, error] = std::from_chars(after_id + 1, end, bias.bias);
    good = error == std::errc() && after == end;
  }
  REQUIRE(good, "--logit-bias ", text, ": expected ID=VALUE, such as 42=-100 (`malssi tokenizer ",
          "encode` shows a text's ids)");
  return bias;
}

}  // namespace

void SamplingFlags::add_to(CLI::App& command) {
  command.add_flag("--greedy", greedy_, "always the likeliest token; the same as --temperature 0")
      ->group(kGroup);
  command.add_option("--temperature", temperature_, "below 1 sharper, above 1 wilder")
      ->group(kGroup);
  add_filters(command);
  command
      .add_option("--logit-bias", bias_,
                  "add VALUE to a token's logit: -100 forbids it; may be given several times")
      ->type_name("ID=VALUE")
      ->allow_extra_args(false)
      ->group(kGroup);
  command.add_option("--seed", seed_, "same seed, same text (default: new each time)")
      ->group(kGroup);
  add_penalties(command);
}

void SamplingFlags::add_filters(CLI::App& command) {
  command.add_option("--top-k", top_k_, "only the K likeliest tokens; 0: all")->group(kGroup);
  command.add_option("--top-p", top_p_, "only the likeliest tokens that reach probability P")
      ->group(kGroup);
  command.add_option("--min-p", min_p_, "only tokens at least P times as likely as the likeliest")
      ->group(kGroup);
  command
      .add_option("--typical-p", typical_p_,
                  "only tokens of the most usual surprise that reach probability P")
      ->group(kGroup);
  command
      .add_option("--top-n-sigma", top_n_sigma_,
                  "only tokens within N standard deviations of the best logit; 0: all")
      ->group(kGroup);
  command
      .add_option("--xtc-probability", rest_.xtc.probability,
                  "how often the likeliest tokens are left out, for wilder texts; 0: never")
      ->group(kGroup);
  command
      .add_option("--xtc-threshold", rest_.xtc.threshold,
                  "all tokens this likely go but the least of them (default 0.1)")
      ->group(kGroup);
  command
      .add_option("--mirostat-tau", rest_.mirostat.tau,
                  "hold the surprise near so many bits, in place of the filters; 5 is usual")
      ->group(kGroup);
  command.add_option("--mirostat-eta", rest_.mirostat.eta, "how fast (default 0.1)")->group(kGroup);
}

void SamplingFlags::add_penalties(CLI::App& command) {
  command
      .add_option("--repetition-penalty", repetition_,
                  "above 1: fewer tokens of prompt and answer again (logits are divided)")
      ->group(kRepeats);
  command
      .add_option("--presence-penalty", rest_.penalty.presence,
                  "taken from the logit of each token that the answer has (-2 .. 2)")
      ->group(kRepeats);
  command
      .add_option("--frequency-penalty", rest_.penalty.frequency,
                  "the same, for each time that the answer has it (-2 .. 2)")
      ->group(kRepeats);
  command
      .add_option("--penalty-window", rest_.penalty.window,
                  "only the latest N tokens count for these; 0: all")
      ->group(kRepeats);
  DryOptions& dry = rest_.dry;
  command
      .add_option("--dry-multiplier", dry.multiplier,
                  "DRY: penalty on going on with a repetition; 0: off, 0.8 is usual")
      ->group(kRepeats);
  command.add_option("--dry-base", dry.base, "DRY: it grows so with each token repeated (1.75)")
      ->group(kRepeats);
  command
      .add_option("--dry-allowed-length", dry.allowed_length,
                  "DRY: tokens that may be repeated freely (2)")
      ->group(kRepeats);
  command.add_option("--dry-window", dry.window, "DRY: only the latest N tokens count; 0: all")
      ->group(kRepeats);
  command
      .add_option("--dry-breaker", breakers_,
                  "DRY: text that ends a repetition (default: line end, colon, quote, star)")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(kRepeats);
}

void SamplingFlags::apply(const Tokenizer& tokenizer, SamplingOptions& options) const {
  if (greedy_) options.temperature = 0;
  options.temperature = temperature_.value_or(options.temperature);
  options.top_k = top_k_.value_or(options.top_k);
  options.top_p = top_p_.value_or(options.top_p);
  options.min_p = min_p_.value_or(options.min_p);
  options.typical_p = typical_p_.value_or(options.typical_p);
  options.top_n_sigma = top_n_sigma_.value_or(options.top_n_sigma);
  options.xtc = rest_.xtc;
  options.mirostat = rest_.mirostat;
  const double repetition = repetition_.value_or(options.penalty.repetition);
  options.penalty = rest_.penalty;
  options.penalty.repetition = repetition;
  options.dry = rest_.dry;
  if (options.dry.multiplier > 0)
    options.dry.breakers =
        dry_breaker_ids(tokenizer, breakers_.empty() ? usual_dry_breakers() : breakers_);
  for (const std::string& bias : bias_) options.bias.push_back(parse_bias(bias));
  check_bias(options, tokenizer.vocab_size());
  options.seed = seed_ ? *seed_ : std::random_device{}();
}

void SamplingFlags::apply(RemoteOptions& options) const {
  if (greedy_) options.temperature = 0;
  if (temperature_) options.temperature = temperature_;
  options.top_p = top_p_;
  options.top_k = top_k_;
  options.seed = seed_;
}

}  // namespace malssi
