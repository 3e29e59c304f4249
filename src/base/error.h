// Errors. REQUIRE reports what the user (input, files, machine) got wrong, CHECK what this program
// got wrong. Both throw with one line built from their arguments: operation, what was found, what
// was expected, remedy. Names in it may come from hostile files: see message_line.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace malssi {

// The text in one line that is safe to print: controls, marks of direction and what is no UTF-8 as \n or \x1b, and of more than
// 2000 bytes the beginning and the end. A line comes back as it is.
std::string message_line(std::string_view text);

// The user's input or the machine is at fault. The program prints "error: " + what() and exits
// with 1.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string_view text) : std::runtime_error(message_line(text)) {}
};

// The command line is wrong. The program exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// This program broke its own promise.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(std::string_view text) : std::logic_error(message_line(text)) {}
};

// Joins the printed form of all arguments.
template <class... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

}  // namespace malssi

#define REQUIRE(condition, ...)                             \
  do {                                                      \
    if (!(condition)) [[unlikely]]                          \
      throw ::malssi::Error(::malssi::concat(__VA_ARGS__)); \
  } while (false)

#define CHECK(condition, ...)                                                          \
  do {                                                                                 \
    if (!(condition)) [[unlikely]]                                                     \
      throw ::malssi::InternalError(                                                   \
          ::malssi::concat(__FILE__, ":", __LINE__, ": " __VA_OPT__(, ) __VA_ARGS__)); \
  } while (false)
