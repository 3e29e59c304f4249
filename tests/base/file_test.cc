#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "scratch.h"

namespace malssi {
namespace {

int64_t count_entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST(ReadFile, ReturnsTheWholeContent) {
  const ScratchFolder folder;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{3'000'000}}) {
    std::string content(size, 'x');
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 131);
    write_file(folder / "f", content);
    EXPECT_EQ(read_file(folder / "f"), content);
    EXPECT_EQ(MappedFile::open(folder / "f").text(), content);
  }
}

TEST(ReadFile, ReadsWhatHasNoLengthInAdvance) {
  EXPECT_TRUE(contains(read_file("/proc/self/status"), "VmPeak"));
}

TEST(ReadFile, NamesWhatIsWrong) {
  const ScratchFolder folder;
  const auto message = [](const fs::path& path) { return error_of([&] { read_file(path, 10); }); };
  EXPECT_TRUE(contains(message(folder / "absent"), "absent: No such file"));
  EXPECT_TRUE(contains(message(folder.path()), "Is a directory"));
  EXPECT_TRUE(is_one_line(message(folder / "a" / "b")));
  write_file(folder / "long", "0123456789A");
  EXPECT_TRUE(contains(message(folder / "long"), "longer than 10 bytes"));
  write_file(folder / "fits", "0123456789");
  EXPECT_EQ(message(folder / "fits"), "");
  if (::geteuid() != 0) {
    fs::permissions(folder / "fits", fs::perms::none);
    EXPECT_TRUE(contains(message(folder / "fits"), "Permission denied"));
  }
}

TEST(MappedFile, RefusesFoldersAndDevices) {
  EXPECT_TRUE(is_one_line(error_of([] { MappedFile::open("/dev/null"); })));
  EXPECT_TRUE(is_one_line(error_of([] { MappedFile::open("/tmp"); })));
}

TEST(MappedFile, MovesItsMapping) {
  const ScratchFolder folder;
  write_file(folder / "f", "abc");
  MappedFile first = MappedFile::open(folder / "f");
  MappedFile second = std::move(first);
  EXPECT_EQ(second.text(), "abc");
  EXPECT_EQ(first.size(), 0);
  first = std::move(second);
  EXPECT_EQ(first.text(), "abc");
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const ScratchFolder folder;
  write_file(folder / "f", "old");
  {
    AtomicFile file(folder / "f");
    file.write("new");
    EXPECT_EQ(read_file(folder / "f"), "old");
  }
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_EQ(count_entries(folder.path()), 1);
  AtomicFile file(folder / "f");
  file.write("ne");
  file.write("w");
  file.commit();
  EXPECT_EQ(read_file(folder / "f"), "new");
  EXPECT_EQ(count_entries(folder.path()), 1);
}

TEST(AtomicFile, KeepsOrderOfSmallAndLargeWrites) {
  const ScratchFolder folder;
  std::string expected;
  AtomicFile file(folder / "f");
  for (const size_t size : {10, 300'000, 7, 0, 262'143, 1, 2'000'000}) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    file.write(piece);
    expected += piece;
  }
  EXPECT_EQ(file.size(), static_cast<int64_t>(expected.size()));
  file.commit();
  EXPECT_EQ(read_file(folder / "f"), expected);
}

TEST(AtomicFile, OverwritesWhatAKilledWriterLeft) {
  const ScratchFolder folder;
  {
    std::FILE* stale = std::fopen((folder / "f.tmp").c_str(), "w");
    std::fputs("long stale rest", stale);
    std::fclose(stale);
  }
  write_file(folder / "f", "new");
  EXPECT_EQ(read_file(folder / "f"), "new");
  EXPECT_EQ(count_entries(folder.path()), 1);
}

TEST(AtomicFile, RefusesASecondWriter) {
  const ScratchFolder folder;
  AtomicFile first(folder / "f");
  EXPECT_TRUE(contains(error_of([&] { AtomicFile second(folder / "f"); }), "another process"));
  first.write("first");
  first.commit();
  EXPECT_EQ(read_file(folder / "f"), "first");
}

TEST(AtomicFile, NeverMixesTheContentsOfManyWriters) {
  const ScratchFolder folder;
  const auto work = [&](char letter) {
    for (int i = 0; i < 100; ++i) {
      try {
        write_file(folder / "f", std::string(5000, letter));
      } catch (const Error&) {  // the other one is writing
      }
    }
  };
  std::thread a(work, 'a'), b(work, 'b');
  a.join();
  b.join();
  const std::string content = read_file(folder / "f");
  EXPECT_EQ(content, std::string(5000, content.at(0)));
}

TEST(AtomicFile, FollowsLinksAndRefusesWhatIsNoFile) {
  const ScratchFolder folder;
  write_file(folder / "real", "old");
  fs::create_symlink(folder / "real", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "real"), "new");
  for (const fs::path& path :
       {fs::path("/dev/null"), folder.path(), fs::path(""), folder / "none" / "f"})
    EXPECT_TRUE(is_one_line(error_of([&] { write_file(path, "x"); }))) << path;
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(AtomicFile, ReportsAFullDisk) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const Descriptor full = open_descriptor("/dev/full", O_WRONLY, "write");
  const std::string message = error_of([&] { write_all(full.get(), "x", 1, "/dev/full"); });
  EXPECT_TRUE(contains(message, "No space left on device")) << message;
  EXPECT_TRUE(contains(message, "free some space")) << message;
}

TEST(AppendFile, AppendsRecordsAndCutsBack) {
  const ScratchFolder folder;
  int64_t kept = 0;
  {
    AppendFile file(folder / "log");
    file.write("one\n");
    kept = file.size();
    file.write("two\n");
    file.sync();
  }
  { AppendFile(folder / "log").write("three\n"); }
  EXPECT_EQ(read_file(folder / "log"), "one\ntwo\nthree\n");
  { AppendFile(folder / "log", {.keep_bytes = kept}).write("again\n"); }
  EXPECT_EQ(read_file(folder / "log"), "one\nagain\n");
  { AppendFile(folder / "log", {.keep_bytes = 1000}); }
  EXPECT_EQ(read_file(folder / "log"), "one\nagain\n");
}

TEST(AppendFile, DropsAPartialLastLineWhenAsked) {
  const ScratchFolder folder;
  write_file(folder / "log", "one\ntw");
  { AppendFile(folder / "log", {.drop_partial_line = true}).write("three\n"); }
  EXPECT_EQ(read_file(folder / "log"), "one\nthree\n");
  write_file(folder / "log", "tw");
  { AppendFile(folder / "log", {.drop_partial_line = true}); }
  EXPECT_EQ(read_file(folder / "log"), "");
}

}  // namespace
}  // namespace malssi
