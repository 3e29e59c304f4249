// Reads one call of a tool as its bytes arrive, so that arguments can be passed on before they are whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "serve/api/tool_format.h"

namespace malssi {

class CallScanner {
 public:
  enum class State { reading, done, broken };
  virtual ~CallScanner() = default;
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

 protected:
  virtual void take(char c) = 0;
  void end(State state) { state_ = state; }
  void call(std::string name) { name_ = std::move(name); }
  void add_arguments(std::string_view json);

 private:
  State state_ = State::reading;
  std::string bytes_, name_;
  std::string arguments_;  // not taken yet
  bool has_arguments_ = false;
};

// {"name": "f", "arguments": {...}}. Other members are skipped; arguments may also come as "parameters", or as a string that holds
// the JSON.
std::unique_ptr<CallScanner> json_call_scanner();
// f[ARGS]{...}, or f[CALL_ID]id[ARGS]{...}.
std::unique_ptr<CallScanner> named_call_scanner();
// <function=f> <parameter=a> text or JSON </parameter> </function>; the functions, or null, tell which parameters are texts.
std::unique_ptr<CallScanner> tagged_call_scanner(
    std::shared_ptr<const std::vector<Tool>> functions);

std::unique_ptr<CallScanner> call_scanner(ToolFormat format,
                                          std::shared_ptr<const std::vector<Tool>> functions);

}  // namespace malssi
