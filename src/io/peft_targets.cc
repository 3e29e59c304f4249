#include "io/peft_targets.h"

#include "base/error.h"

namespace malssi {
namespace {

Regex compiled(const std::string& expression, const std::string& where) {
  try {
    return Regex("\\A(?:" + expression + ")\\z");
  } catch (const Error& error) {
    throw Error(concat(where, ": ", error.what()));
  }
}

}  // namespace

NamePattern::NamePattern(const std::string& expression, const std::string& where)
    : regex_(compiled(expression, where)) {}

bool NamePattern::matches(const std::string& name) const {
  bool found = false;
  regex_.each_match(name, 0, [&](int64_t, int64_t) {
    found = true;
    return false;
  });
  return found;
}

PeftTargets::PeftTargets(const Json& target_modules, const std::string& where) {
  if (target_modules.is_null()) return;
  if (target_modules.is_string()) {
    if (target_modules != "all-linear") pattern_.emplace(target_modules.get<std::string>(), where);
    return;
  }
  Json config;
  config["target_modules"] = target_modules;
  ends_ = get<std::vector<std::string>>(config, "target_modules", where);
}

bool PeftTargets::name(const std::string& module) const {
  if (pattern_) return pattern_->matches(module);
  if (!ends_) return true;
  for (const std::string& end : *ends_)
    if (module == end || module.ends_with("." + end)) return true;
  return false;
}

Json peft_targets(std::string_view text) {
  // A name has letters, digits, underscores, dots and hyphens; an expression is known by its other signs.
  const bool is_expression = text.find_first_of("\\*+?()[]{}|^$") != text.npos;
  if (is_expression || text == "all-linear") return std::string(text);
  Json names = Json::array();
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.push_back(std::string(name));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  REQUIRE(!names.empty(), "the adapter has no targets: name some, as q_proj,v_proj, or all-linear");
  return names;
}

}  // namespace malssi
