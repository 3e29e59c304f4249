// Which matrices of a model an adapter is for, as PEFT's target_modules say it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/regex.h"

namespace malssi {

// An expression that must match a whole name, as by Python's re.fullmatch.
class NamePattern {
 public:
  // Error: an expression that cannot be read, with `where`.
  NamePattern(const std::string& expression, const std::string& where);
  bool matches(const std::string& name) const;

 private:
  Regex regex_;
};

// A list of the ends of names, an expression for whole names, or "all-linear"; null: every name.
class PeftTargets {
 public:
  PeftTargets(const Json& target_modules, const std::string& where);
  bool name(const std::string& module) const;

 private:
  std::optional<NamePattern> pattern_;
  std::optional<std::vector<std::string>> ends_;
};

// As people write it on one line: "q_proj,v_proj", an expression, or "all-linear" -> what target_modules holds. Error: no name.
Json peft_targets(std::string_view text);

}  // namespace malssi
