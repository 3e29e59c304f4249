// One description of a config gives its flags, help text, TOML form and checks.
//
//   struct TrainConfig {
//     ModelConfig model;
//     int64_t steps = 1000;
//     std::string schedule = "cosine";
//     template <class V> void visit(V& v) {
//       v("model", model);                                        // a config inside: its keys
//       become model.* v("train.steps", steps, "optimiser steps", at_least(1)); v("optim.schedule",
//       schedule, "learning-rate curve", one_of({"cosine", "linear"}));
//     }
//     void check() const;                                         // optional: rules that span
//     fields; throws Error
//   };
//
// Fields are int64_t, double, bool, std::string or std::vector<std::string>. Precedence is flag,
// then environment, then file, then default, whatever the order of the calls. Errors name the file
// and line, flag or variable, and the key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace CLI {
class App;
}

namespace malssi {

using ConfigField = std::variant<int64_t*, double*, bool*, std::string*, std::vector<std::string>*>;
using ConfigValue = std::variant<int64_t, double, bool, std::string, std::vector<std::string>>;

// What a value must satisfy. Numbers are compared as doubles; a list satisfies a rule when each of
// its items does.
struct ConfigRule {
  std::string text;  // "at least 1"
  std::function<bool(const ConfigValue&)> holds;
  std::vector<std::string> choices = {};
};
ConfigRule at_least(double least);
ConfigRule at_most(double most);
ConfigRule above(double limit);
ConfigRule between(double least, double most);
ConfigRule one_of(std::vector<std::string> choices);
ConfigRule not_empty();

class ConfigSchema {
 public:
  // Keeps references to the fields of config, which must outlive this and stay where it is.
  template <class C>
  explicit ConfigSchema(C& config) {
    Visitor visitor{*this, ""};
    config.visit(visitor);
    if constexpr (requires(const C& c) { c.check(); })
      check_whole_ = [&config] { std::as_const(config).check(); };
  }

  // Nested tables are dotted keys. Error for bad syntax, unknown keys (naming the nearest known
  // one) and wrong types.
  void load_toml(const std::filesystem::path& file);
  void load_toml_text(std::string_view text, std::string_view where);
  // MALSSI_TRAIN_STEPS=10 sets train.steps.
  void load_environment();
  // "train.steps=10", as from the command line; lists are "a,b" or TOML's ["a", "b"]. UsageError
  // when it does not fit.
  void set(std::string_view key_equals_value);
  // One flag for each key: --steps for train.steps (--train-steps where two keys end alike),
  // --no-NAME for switches, and
  // --set KEY=VALUE for them all.
  void add_flags(CLI::App& app);
  // Throws when a value breaks a rule, or the config's own check() finds something.
  void check() const;

  std::string to_toml()
      const;  // reads back to the same values; each key with its help as a comment
  nlohmann::ordered_json to_json() const;  // nested like the TOML
  std::string help() const;                // one line for each key: default, meaning, rule
  std::vector<std::string> keys() const;
  // Whether a file, the environment or a flag has set this key.
  bool is_set(std::string_view key) const;

 private:
  enum class Source { fallback, file, environment, flag };
  struct Entry {
    std::string key, help;
    ConfigField field;
    std::vector<ConfigRule> rules;
    Source source = Source::fallback;
    std::string origin = "";    // "recipe.toml:12", "--steps", "MALSSI_TRAIN_STEPS"
    ConfigValue fallback = {};  // the value before anything was set
  };
  struct Visitor {
    ConfigSchema& schema;
    std::string prefix;

    template <class T, class... Rules>
    requires std::is_constructible_v<ConfigField, T*>
    void operator()(std::string_view key, T& field, std::string_view help, Rules... rules) {
      schema.add({prefix + std::string(key), std::string(help), &field, {std::move(rules)...}});
    }
    template <class C>
    requires std::is_class_v<C>
    void operator()(std::string_view key, C& nested) {
      Visitor inner{schema, prefix + std::string(key) + "."};
      nested.visit(inner);
    }
  };

  void add(Entry entry);
  Entry* find(std::string_view key);
  const Entry* find(std::string_view key) const;
  std::vector<std::string> flag_names() const;
  [[noreturn]] void fail_unknown(std::string_view key, const std::string& origin,
                                 Source source) const;
  void assign(Entry& entry, ConfigValue value, Source source, const std::string& origin);
  void assign_text(Entry& entry, std::string_view text, Source source, const std::string& origin);
  std::string problem_with(const Entry& entry) const;

  std::vector<Entry> entries_;
  std::function<void()> check_whole_;
};

}  // namespace malssi
