#include "base/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/config_text.h"
#include "base/error.h"
#include "base/nearest.h"

namespace malssi {

namespace {

ConfigRule number_rule(std::string text, std::function<bool(double)> holds) {
  return {std::move(text), [holds = std::move(holds)](const ConfigValue& value) {
            if (const auto* whole = std::get_if<int64_t>(&value))
              return holds(static_cast<double>(*whole));
            const auto* real = std::get_if<double>(&value);
            return real && holds(*real);
          }};
}

ConfigRule string_rule(std::string text, std::function<bool(const std::string&)> holds) {
  return {std::move(text), [holds = std::move(holds)](const ConfigValue& value) {
            if (const auto* list = std::get_if<std::vector<std::string>>(&value))
              return std::all_of(list->begin(), list->end(), holds);
            const auto* word = std::get_if<std::string>(&value);
            return word && holds(*word);
          }};
}

}  // namespace

ConfigRule at_least(double least) {
  return number_rule(concat("at least ", least), [=](double x) { return x >= least; });
}
ConfigRule at_most(double most) {
  return number_rule(concat("at most ", most), [=](double x) { return x <= most; });
}
ConfigRule above(double limit) {
  return number_rule(concat("above ", limit), [=](double x) { return x > limit; });
}
ConfigRule between(double least, double most) {
  return number_rule(concat("from ", least, " to ", most),
                     [=](double x) { return x >= least && x <= most; });
}
ConfigRule one_of(std::vector<std::string> choices) {
  std::string text = "one of ";
  for (size_t i = 0; i < choices.size(); ++i) text += (i ? ", " : "") + choices[i];
  ConfigRule rule = string_rule(std::move(text), [choices](const std::string& word) {
    return std::find(choices.begin(), choices.end(), word) != choices.end();
  });
  rule.choices = std::move(choices);
  return rule;
}
ConfigRule not_empty() {
  return string_rule("not empty", [](const std::string& word) { return !word.empty(); });
}

void ConfigSchema::add(Entry entry) {
  CHECK(!find(entry.key), "config key '", entry.key, "' is described twice");
  entry.fallback = value_of(entry.field);
  entries_.push_back(std::move(entry));
}

ConfigSchema::Entry* ConfigSchema::find(std::string_view key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

const ConfigSchema::Entry* ConfigSchema::find(std::string_view key) const {
  const auto at =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  return at == entries_.end() ? nullptr : &*at;
}

std::vector<std::string> ConfigSchema::keys() const {
  std::vector<std::string> out;
  for (const Entry& entry : entries_) out.push_back(entry.key);
  return out;
}

bool ConfigSchema::is_set(std::string_view key) const {
  const Entry* entry = find(key);
  CHECK(entry, "no config key '", key, "'");
  return entry->source != Source::fallback;
}

void ConfigSchema::fail_unknown(std::string_view key, const std::string& origin,
                                Source source) const {
  const std::vector<std::string> known = keys();
  std::string hint = did_you_mean(key, known);
  if (hint.empty()) {  // the right word in the wrong table, or without its table
    const auto leaf = [](std::string_view full) { return full.substr(full.rfind('.') + 1); };
    std::vector<std::string> leaves;
    for (const std::string& each : known) leaves.emplace_back(leaf(each));
    const auto at = std::find(leaves.begin(), leaves.end(), nearest(leaf(key), leaves));
    if (at != leaves.end()) {
      hint = "; did you mean '" + known[static_cast<size_t>(at - leaves.begin())] + "'?";
    } else {
      hint = "; the known keys are";
      for (size_t i = 0; i < known.size(); ++i) hint += (i ? ", " : " ") + known[i];
    }
  }
  const std::string message = concat(origin, ": unknown key '", key, "'", hint);
  if (source == Source::flag) throw UsageError(message);
  throw Error(message);
}

void ConfigSchema::assign(Entry& entry, ConfigValue value, Source source,
                          const std::string& origin) {
  if (source < entry.source) return;
  std::visit(
      [&](auto* field) {
        using T = std::remove_pointer_t<decltype(field)>;
        CHECK(std::holds_alternative<T>(value), "config key '", entry.key,
              "' got a value of another type");
        *field = std::get<T>(std::move(value));
      },
      entry.field);
  entry.source = source;
  entry.origin = origin;
}

void ConfigSchema::assign_text(Entry& entry, std::string_view text, Source source,
                               const std::string& origin) {
  std::optional<ConfigValue> value = parse_value(entry.field, text);
  if (!value) {
    const std::string message =
        concat(origin, ": '", entry.key, "' is '", text, "' but must be ", type_name(entry.field));
    if (source == Source::flag) throw UsageError(message);
    throw Error(message);
  }
  assign(entry, std::move(*value), source, origin);
}

void ConfigSchema::set(std::string_view key_equals_value) {
  const size_t equals = key_equals_value.find('=');
  if (equals == std::string_view::npos || equals == 0)
    throw UsageError(concat("--set: '", key_equals_value, "' is not of the form KEY=VALUE"));
  const std::string_view key = key_equals_value.substr(0, equals);
  Entry* entry = find(key);
  if (!entry) fail_unknown(key, "--set", Source::flag);
  assign_text(*entry, key_equals_value.substr(equals + 1), Source::flag, "--set");
}

std::string ConfigSchema::problem_with(const Entry& entry) const {
  const ConfigValue value = value_of(entry.field);
  if (const auto* real = std::get_if<double>(&value); real && !std::isfinite(*real))
    return concat("is ", print_value(value), " but must be a finite number");
  for (const ConfigRule& rule : entry.rules) {
    if (rule.holds(value)) continue;
    const auto* word = std::get_if<std::string>(&value);
    return concat("is ", print_value(value), " but must be ", rule.text,
                  word ? did_you_mean(*word, rule.choices) : "");
  }
  return "";
}

void ConfigSchema::check() const {
  for (const Entry& entry : entries_) {
    const std::string problem = problem_with(entry);
    if (problem.empty()) continue;
    const std::string message =
        concat(entry.origin, entry.origin.empty() ? "" : ": ", "'", entry.key, "' ", problem);
    if (entry.source == Source::flag) throw UsageError(message);
    throw Error(message);
  }
  if (check_whole_) check_whole_();
}

}  // namespace malssi
