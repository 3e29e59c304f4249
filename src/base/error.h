// Errors. REQUIRE reports what the user (input, files, machine) got wrong, CHECK what this program
// got wrong. Both throw with one line built from their arguments: operation, what was found, what
// was expected, remedy.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace malssi {

// The user's input or the machine is at fault. The program prints "error: " + what() and exits
// with 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The command line is wrong. The program exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// This program broke its own promise.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
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
