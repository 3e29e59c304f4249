#include "cli/terminal.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string_view>
#include <thread>

#include "base/error.h"

namespace malssi {
namespace {

// A pipe whose writing end the test holds.
class Pipe {
 public:
  Pipe() { CHECK(::pipe(ends_) == 0); }
  ~Pipe() {
    close();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return ends_[0]; }
  void write(std::string_view text) {
    CHECK(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

TEST(LineReader, GivesLinesWithoutTheirEndings) {
  Pipe pipe;
  pipe.write("one\n\ntwo\r\nth");
  pipe.write("ree\nlast");
  pipe.close();
  LineReader lines(pipe.reader());
  std::string line;
  for (const std::string_view expected : {"one", "", "two", "three", "last"}) {
    ASSERT_EQ(lines.next(line), LineEnd::newline);
    EXPECT_EQ(line, expected);
  }
  EXPECT_EQ(lines.next(line), LineEnd::end_of_input);
  EXPECT_EQ(lines.next(line), LineEnd::end_of_input);
}

TEST(LineReader, RefusesALineWithoutEnd) {
  Pipe pipe;
  std::thread writer([&] {
    const std::string piece(1 << 16, 'x');
    for (int i = 0; i < 300; ++i) pipe.write(piece);
    pipe.close();
  });
  LineReader lines(pipe.reader());
  std::string line;
  EXPECT_THROW(lines.next(line), Error);
  // Let the writer finish.
  char rest[1 << 16];
  while (::read(pipe.reader(), rest, sizeof(rest)) > 0) {
  }
  writer.join();
}

TEST(LineReader, ReturnsWhenCtrlCComesToAnyThreadAndThenGoesOn) {
  Pipe pipe;
  pipe.write("half a line");
  const Interrupt interrupt;
  std::thread presser([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::pthread_kill(::pthread_self(), SIGINT);
  });
  LineReader lines(pipe.reader());
  std::string line;
  EXPECT_EQ(lines.next(line), LineEnd::interrupted);
  presser.join();
  Interrupt::clear();
  EXPECT_FALSE(Interrupt::requested());
  pipe.write("another\n");
  EXPECT_EQ(lines.next(line), LineEnd::newline);
  EXPECT_EQ(line, "another");
}

}  // namespace
}  // namespace malssi
