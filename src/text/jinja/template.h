// A Jinja template, parsed once and rendered as often as wanted, from several threads at once if
// need be: the subset that published chat templates use, in the environment that transformers gives
// them (trim_blocks, lstrip_blocks, loop controls, {% generation %}, raise_exception, strftime_now,
// tojson without escapes for HTML). Templates come from files of others and are not trusted: they
// reach nothing outside, and steps, memory, output and nesting are limited.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/jinja/value.h"

namespace malssi::jinja {

struct Variable {
  std::string name;
  Json value;
  Mark mark = 0;  // of all strings inside
  // For a list: its item i is marked mark + i (at most kGeneration - 1).
  bool marks_items = false;
  // A member of an object, not deeper than the items, whose string keeps mark 0.
  std::string unmarked = {};
};

struct RenderSettings {
  Limits limits = {};
  std::tm now = {};  // what strftime_now sees
};

class Template {
 public:
  // `where` names it in errors. Error: more than 1 MiB, or where it is no Jinja of this subset.
  Template(std::string_view source, std::string_view where);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  const std::string& source() const { return source_; }
  // Error: line, and what is wrong there.
  Text render(const std::vector<Variable>& variables, const RenderSettings& settings = {}) const;

 private:
  struct Tree;

  std::string source_, where_;
  std::unique_ptr<const Tree> tree_;
};

}  // namespace malssi::jinja
