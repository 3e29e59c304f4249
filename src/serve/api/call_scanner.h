// Reads one call {"name": "f", "arguments": {...}} as its bytes arrive, so that arguments can be passed on before they are whole.
// Other members are skipped; arguments may also come as "parameters", or as a string that holds the JSON.
#pragma once

#include <string>
#include <string_view>

namespace malssi {

class CallScanner {
 public:
  enum class State { reading, done, broken };
  // Takes bytes up to the call's end; returns how many. Broken: they cannot be a call.
  size_t push(std::string_view bytes);
  State state() const { return state_; }
  // The function's name, once it is known; else empty.
  const std::string& name() const { return name_; }
  // What can be passed on of the arguments' JSON and was not yet; nothing before the name is known. Of a call that is done without
  // any: {}.
  std::string take_arguments();
  // All bytes taken.
  const std::string& bytes() const { return bytes_; }

 private:
  void take(char c);
  void outside(char c);
  void in_key(char c);
  void in_value(char c);
  void end_value();

  enum class Place { before, between, key, colon, value };
  State state_ = State::reading;
  Place place_ = Place::before;
  std::string bytes_, key_, value_, name_;
  std::string arguments_;  // not taken yet
  bool has_arguments_ = false;
  int depth_ = 0;  // of brackets inside a value
  bool in_string_ = false, escaped_ = false, expects_key_ = false;
};

}  // namespace malssi
