#include "base/json.h"

#include <algorithm>
#include <cmath>

template class nlohmann::basic_json<malssi::JsonMap>;
template struct malssi::JsonMap<std::string, malssi::Json, std::less<>,
                                std::allocator<std::pair<const std::string, malssi::Json>>>;

namespace malssi {
namespace {

std::string describe(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte > 0x20 && byte < 0x7f) return std::string("'") + c + "'";
  constexpr std::string_view kDigits = "0123456789abcdef";
  return std::string("byte 0x") + kDigits[byte >> 4] + kDigits[byte & 15];
}

// Builds a Json from parser events; stops at a repeated key or too deep nesting.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, std::string_view where, int max_depth)
      : text_(text), where_(where), max_depth_(max_depth) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override {
    REQUIRE(std::isfinite(value), where_, ": not valid JSON: a number is too large");
    return add(value);
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& object = open_.back()->get_ref<Json::object_t&>();
    const auto [member, added] = object.emplace(name, Json());
    REQUIRE(added, where_, ": not valid JSON: the key \"", name, "\" is given twice");
    member_ = &member->second;
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    throw_json_error(text_, static_cast<int64_t>(position), where_);
  }

 private:
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& array = open_.back()->get_ref<Json::array_t&>();
      array.push_back(std::move(value));
      return &array.back();
    }
    *member_ = std::move(value);
    return member_;
  }

  template <class T>
  bool add(T&& value) {
    place(Json(std::forward<T>(value)));
    return true;
  }

  bool open(Json&& container) {
    REQUIRE(static_cast<int>(open_.size()) < max_depth_, where_,
            ": not acceptable JSON: nested deeper than ", max_depth_, " levels");
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_, where_;
  int max_depth_;
  Json root_;
  std::vector<Json*> open_;  // the containers around the current position
  Json* member_ = nullptr;   // where the value after a key goes
};

}  // namespace

Json parse_json(std::string_view text, std::string_view where, int max_depth) {
  Builder builder(text, where, max_depth);
  REQUIRE(Json::sax_parse(text.begin(), text.end(), &builder), where, ": not valid JSON");
  return builder.take();
}

void throw_json_error(std::string_view text, int64_t position, std::string_view where) {
  const size_t at = std::min(static_cast<size_t>(std::max<int64_t>(position - 1, 0)), text.size());
  REQUIRE(at < text.size(), where, ": not valid JSON: it ends too early (after ", text.size(),
          " bytes): the file is cut short or damaged");
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  throw Error(concat(where, ": not valid JSON: unexpected ", describe(text[at]), " at line ", line,
                     ", column ", at - line_start + 1, ": the file is damaged or not JSON"));
}

Json load_json(const fs::path& path) { return parse_json(read_file(path), path.string()); }

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string_view json_kind(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "true or false";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "an integer";
    case Json::value_t::number_float:
      return "a number with a fraction";
    default:
      return "of an unknown kind";
  }
}

const Json* json_detail::member(const Json& json, std::string_view key, std::string_view where) {
  REQUIRE(json.is_object(), where, ": expected an object with \"", key, "\", found ",
          json_kind(json));
  const auto& object = json.get_ref<const Json::object_t&>();
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &found->second;
}

}  // namespace malssi
