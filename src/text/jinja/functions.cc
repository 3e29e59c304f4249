// Functions that a template can call by name.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/jinja/builtins.h"

namespace malssi::jinja {
namespace {

Value range(const Call& call) {
  const int64_t first = call.integer(0, 0), by = call.integer(2, 1);
  const int64_t begin = call.has(1) ? first : 0, end = call.has(1) ? call.integer(1, 0) : first;
  constexpr int64_t kMost = 100'000;
  REQUIRE(by != 0, "range with step 0");
  const double count =
      (static_cast<double>(end) - static_cast<double>(begin)) / static_cast<double>(by);
  REQUIRE(count <= kMost, "range of more than ", kMost, " numbers");
  List* list = call.heap().list();
  for (int64_t at = begin; count > 0 && (by > 0 ? at < end : at > end); at += by)
    call.heap().append(*list, at);
  return list;
}

Value members(const Call& call, bool is_namespace) {
  Dict* made = call.heap().dict();
  made->is_namespace = is_namespace;
  for (const Value& other : call.args) {
    REQUIRE(other.is<Dict*>(), "expected a dict, found ", kind_of(other));
    for (const auto& [key, value] : (*other.as<Dict*>())->items) call.heap().set(*made, key, value);
  }
  for (const auto& [name, value] : call.given.named)
    call.heap().set(*made, call.heap().text(Text(name)), value);
  return made;
}

Value refuse(const Call& call) {
  std::string message(call.text(0).bytes());
  std::replace(message.begin(), message.end(), '\n', ' ');
  throw Error(concat("the template refuses this dialogue: ", message));
}

Value formatted_date(const Call& call) {
  const std::string format(call.text(0).bytes());
  REQUIRE(!format.empty() && format.size() <= 256, "strftime_now: a format of ", format.size(),
          " bytes, expected 1 to 256");
  std::array<char, 4096> buffer;
  const size_t size =
      std::strftime(buffer.data(), buffer.size(), format.c_str(), &call.interpreter.now());
  return call.heap().text(Text(std::string(buffer.data(), size)));
}

constexpr Builtin kFunctions[] = {
    {"dict", "*", [](const Call& c) { return members(c, false); }},
    {"namespace", "*", [](const Call& c) { return members(c, true); }},
    {"raise_exception", "message", refuse},
    {"range", "start,stop,step", range},
    {"strftime_now", "format", formatted_date},
};

}  // namespace

std::span<const Builtin> functions() { return kFunctions; }

}  // namespace malssi::jinja
