#include "base/error.h"
#include "base/json.h"
#include "serve/api/call_scanner.h"

namespace malssi {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// The string that the JSON text is, or nothing.
std::string string_of(const std::string& json) {
  try {
    const Json value = parse_json(json, "call");
    return value.is_string() ? value.get<std::string>() : "";
  } catch (const Error&) {
    return "";
  }
}

class JsonCallScanner final : public CallScanner {
 private:
  void take(char c) override;
  void outside(char c);
  void in_key(char c);
  void in_value(char c);
  void end_value();

  enum class Place { before, between, key, colon, value };
  Place place_ = Place::before;
  std::string key_, value_;
  int depth_ = 0;  // of brackets inside a value
  bool in_string_ = false, escaped_ = false, expects_key_ = false;
};

void JsonCallScanner::take(char c) {
  switch (place_) {
    case Place::before:
      if (is_blank(c)) return;
      place_ = Place::between;
      expects_key_ = true;
      if (c != '{') end(State::broken);
      return;
    case Place::between:
      return outside(c);
    case Place::key:
      return in_key(c);
    case Place::colon:
      if (is_blank(c)) return;
      if (c != ':') end(State::broken);
      place_ = Place::value;
      value_.clear();
      return;
    case Place::value:
      return in_value(c);
  }
}

void JsonCallScanner::outside(char c) {
  if (is_blank(c)) return;
  if (c == '"' && expects_key_) {
    place_ = Place::key;
    key_ = "\"";
  } else if (c == ',' && !expects_key_) {
    expects_key_ = true;
  } else if (c == '}') {
    end(name().empty() ? State::broken : State::done);
  } else {
    end(State::broken);
  }
}

void JsonCallScanner::in_key(char c) {
  key_ += c;
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    key_ = string_of(key_);
    place_ = Place::colon;
  }
}

void JsonCallScanner::in_value(char c) {
  if (value_.empty() && is_blank(c)) return;
  if (!in_string_ && depth_ == 0 && !value_.empty() && (c == ',' || c == '}')) {
    end_value();  // a number or word, which its follower ends
    return outside(c);
  }
  value_ += c;
  const bool is_arguments = key_ == "arguments" || key_ == "parameters";
  if (is_arguments && value_.front() == '{') add_arguments({&c, 1});
  if (in_string_) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '"')
      in_string_ = false;
    if (!in_string_ && depth_ == 0) end_value();
  } else if (c == '"') {
    in_string_ = true;
  } else if (c == '{' || c == '[') {
    ++depth_;
  } else if (c == '}' || c == ']') {
    if (depth_ == 0) {
      end(State::broken);
    } else if (--depth_ == 0) {
      end_value();
    }
  }
}

void JsonCallScanner::end_value() {
  if (key_ == "name" && name().empty()) call(string_of(value_));
  if ((key_ == "arguments" || key_ == "parameters") && value_.front() == '"')
    add_arguments(string_of(value_));
  place_ = Place::between;
  expects_key_ = false;
}

}  // namespace

std::unique_ptr<CallScanner> json_call_scanner() { return std::make_unique<JsonCallScanner>(); }

}  // namespace malssi
