#include "text/jinja/template.h"

#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/tree.h"
#include "text/utf8.h"

namespace malssi::jinja {

struct Template::Tree {
  Body body;
};

namespace {

constexpr size_t kMaxSource = 128 << 10;

Value value_of(Heap& heap, const Variable& variable) {
  if (!variable.marks_items || !variable.value.is_array())
    return heap.from_json(variable.value, variable.mark, variable.unmarked);
  List* list = heap.list();
  int64_t mark = variable.mark;
  for (const Json& item : variable.value)
    heap.append(*list,
                heap.from_json(item, static_cast<Mark>(std::min<int64_t>(mark++, kGeneration - 1)),
                               variable.unmarked));
  return list;
}

}  // namespace

Template::Template(std::string_view source, std::string_view where)
    : source_(source), where_(where) {
  REQUIRE(source.size() <= kMaxSource, where, ": the template has ", source.size(),
          " bytes, expected at most ", kMaxSource);
  REQUIRE(is_valid_utf8(source), where, ": the template is not UTF-8");
  tree_ = std::make_unique<const Tree>(Tree{parse(source_, where_)});
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Text Template::render(const std::vector<Variable>& variables,
                      const RenderSettings& settings) const {
  Heap heap(settings.limits);
  Interpreter interpreter(heap, settings.now);
  try {
    for (const Variable& variable : variables)
      interpreter.set(variable.name, value_of(heap, variable));
    return interpreter.run(tree_->body);
  } catch (const Error& error) {
    throw Error(concat(where_, ": line ", interpreter.line(), ": ", error.what()));
  }
}

}  // namespace malssi::jinja
