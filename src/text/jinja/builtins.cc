#include "text/jinja/builtins.h"

#include <algorithm>
#include <initializer_list>

#include "base/error.h"

namespace malssi::jinja {
namespace {

const Builtin* find(std::initializer_list<std::span<const Builtin>> tables, std::string_view name) {
  for (const std::span<const Builtin> table : tables)
    for (const Builtin& builtin : table)
      if (builtin.name == name) return &builtin;
  return nullptr;
}

std::vector<std::string_view> names_of(std::string_view parameters) {
  std::vector<std::string_view> names;
  while (!parameters.empty()) {
    const size_t comma = std::min(parameters.find(','), parameters.size());
    names.push_back(parameters.substr(0, comma));
    parameters.remove_prefix(std::min(comma + 1, parameters.size()));
  }
  return names;
}

}  // namespace

Text Call::text(size_t i, std::string_view fallback) const {
  if (!has(i)) return Text(std::string(fallback));
  const Text* given = args[i].text();
  REQUIRE(given, "argument ", i + 1, " is ", kind_of(args[i]), ", expected a string");
  return *given;
}

int64_t Call::integer(size_t i, int64_t fallback) const {
  if (!has(i) || args[i].is<None>()) return fallback;
  if (const auto* b = args[i].as<bool>()) return *b;
  const auto* given = args[i].as<int64_t>();
  REQUIRE(given, "argument ", i + 1, " is ", kind_of(args[i]), ", expected an integer");
  return *given;
}

bool Call::flag(size_t i, std::string_view name) const {
  if (!name.empty())
    for (const auto& [given_name, value] : given.named)
      if (given_name == name) return is_true(value);
  return has(i) && is_true(args[i]);
}

const Builtin* find_filter(std::string_view name) {
  return find({text_filters(), list_filters()}, name);
}
const Builtin* find_function(std::string_view name) { return find({functions()}, name); }

const Builtin* find_method(const Value& self, std::string_view name) {
  if (self.text()) return find({string_methods()}, name);
  if (self.is<List*>()) return find({list_methods()}, name);
  if (const auto* dict = self.as<Dict*>(); dict && !(*dict)->is_namespace)
    return find({dict_methods()}, name);
  return nullptr;
}

Value run_builtin(const Builtin& builtin, Interpreter& interpreter, const Value& self,
                  const Arguments& arguments) {
  if (builtin.parameters == "*")
    return builtin.run({interpreter, self, arguments.positional, arguments});
  const std::vector<std::string_view> names = names_of(builtin.parameters);
  REQUIRE(arguments.positional.size() <= names.size(), "'", builtin.name, "' takes at most ",
          names.size(), " arguments, found ", arguments.positional.size());
  std::vector<Value> args(names.size());
  std::copy(arguments.positional.begin(), arguments.positional.end(), args.begin());
  for (const auto& [name, value] : arguments.named) {
    const auto place = std::find(names.begin(), names.end(), name);
    REQUIRE(place != names.end(), "'", builtin.name, "' takes no argument named '", name, "'");
    args[static_cast<size_t>(place - names.begin())] = value;
  }
  return builtin.run({interpreter, self, args, arguments});
}

}  // namespace malssi::jinja
