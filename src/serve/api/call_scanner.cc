#include "serve/api/call_scanner.h"

#include <utility>

#include "base/error.h"
#include "base/json.h"

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

}  // namespace

size_t CallScanner::push(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && state_ == State::reading) take(bytes[taken++]);
  bytes_ += bytes.substr(0, taken);
  return taken;
}

void CallScanner::take(char c) {
  switch (place_) {
    case Place::before:
      if (is_blank(c)) return;
      place_ = Place::between;
      expects_key_ = true;
      if (c != '{') state_ = State::broken;
      return;
    case Place::between:
      return outside(c);
    case Place::key:
      return in_key(c);
    case Place::colon:
      if (is_blank(c)) return;
      if (c != ':') state_ = State::broken;
      place_ = Place::value;
      value_.clear();
      return;
    case Place::value:
      return in_value(c);
  }
}

void CallScanner::outside(char c) {
  if (is_blank(c)) return;
  if (c == '"' && expects_key_) {
    place_ = Place::key;
    key_ = "\"";
  } else if (c == ',' && !expects_key_) {
    expects_key_ = true;
  } else if (c == '}') {
    state_ = name_.empty() ? State::broken : State::done;
  } else {
    state_ = State::broken;
  }
}

void CallScanner::in_key(char c) {
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

void CallScanner::in_value(char c) {
  if (value_.empty() && is_blank(c)) return;
  if (!in_string_ && depth_ == 0 && !value_.empty() && (c == ',' || c == '}')) {
    end_value();  // a number or word, which its follower ends
    return outside(c);
  }
  value_ += c;
  const bool is_arguments = key_ == "arguments" || key_ == "parameters";
  if (is_arguments && value_.front() == '{') {
    arguments_ += c;
    has_arguments_ = true;
  }
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
      state_ = State::broken;
    } else if (--depth_ == 0) {
      end_value();
    }
  }
}

void CallScanner::end_value() {
  if (key_ == "name") name_ = string_of(value_);
  if ((key_ == "arguments" || key_ == "parameters") && value_.front() == '"') {
    arguments_ += string_of(value_);
    has_arguments_ = true;
  }
  place_ = Place::between;
  expects_key_ = false;
}

std::string CallScanner::take_arguments() {
  if (name_.empty()) return "";
  if (state_ == State::done && !has_arguments_) {
    has_arguments_ = true;
    return "{}";
  }
  return std::exchange(arguments_, {});
}

}  // namespace malssi
