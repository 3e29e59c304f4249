#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/signal.h"
#include "scratch.h"

namespace malssi {
namespace {

void fill(const fs::path& target, std::string_view content) {
  AtomicFolder folder(target);
  fs::create_directory(folder.staging() / "sub");
  write_file(folder.staging() / "a.txt", content);
  write_file(folder.staging() / "sub" / "b.txt", "b of " + std::string(content));
  write_file(folder.staging() / "empty", "");
  folder.commit();
}

TEST(AtomicFolder, AppearsWithAManifestAndReplacesAnOlderOne) {
  const ScratchFolder scratch;
  const fs::path target = scratch / "new" / "parents" / "folder";
  for (const char* content : {"first", "second"}) {
    fill(target.string() + "/", content);
    verify_folder(target);
    EXPECT_EQ(read_file(target / "a.txt"), content);
    EXPECT_FALSE(fs::exists(target.string() + ".tmp"));
  }
  const Json manifest = load_json(target / kManifestName);
  EXPECT_EQ(manifest["files"]["a.txt"]["bytes"], 6);
  EXPECT_EQ(manifest["files"].size(), 3u);
}

TEST(AtomicFolder, LeavesNothingWithoutCommit) {
  const ScratchFolder scratch;
  {
    const AtomicFolder folder(scratch / "f");
    write_file(folder.staging() / "a", "x");
  }
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(AtomicFolder, StartsCleanAfterAKilledWriter) {
  const ScratchFolder scratch;
  fs::create_directories(scratch / "f.tmp" / "deep");
  overwrite(scratch / "f.tmp/deep/rest", "x");
  fill(scratch / "f", "new");
  verify_folder(scratch / "f");
  EXPECT_FALSE(fs::exists(scratch / "f/deep"));
}

TEST(AtomicFolder, RefusesToLoseWhatOthersMade) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "mine");
  overwrite(scratch / "mine/thesis.txt", "years of work");
  EXPECT_TRUE(contains(error_of([&] { fill(scratch / "mine", "x"); }), "was not made by this"));
  fill(scratch / "ours", "x");
  overwrite(scratch / "ours/notes.txt", "added later");
  EXPECT_TRUE(contains(error_of([&] { fill(scratch / "ours", "y"); }), "notes.txt"));
  EXPECT_EQ(read_file(scratch / "ours/a.txt"), "x");
  overwrite(scratch / "file", "");
  EXPECT_TRUE(is_one_line(error_of([&] { fill(scratch / "file", "y"); })));
  EXPECT_TRUE(is_one_line(error_of([&] { fill(scratch / "file" / "below", "y"); })));
  EXPECT_TRUE(is_one_line(error_of([&] { fill("", "y"); })));
  EXPECT_TRUE(is_one_line(error_of([&] { fill("/", "y"); })));
}

TEST(AtomicFolder, UsesAnEmptyFolderThatExists) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "f");
  fill(scratch / "f", "x");
  verify_folder(scratch / "f");
}

TEST(AtomicFolder, RefusesASecondWriterAndLinksInside) {
  const ScratchFolder scratch;
  AtomicFolder first(scratch / "f");
  EXPECT_TRUE(contains(error_of([&] { AtomicFolder second(scratch / "f"); }), "another process"));
  fs::create_symlink("/etc/passwd", first.staging() / "link");
  EXPECT_TRUE(contains(error_of([&] { first.commit(); }), "not a regular file"));
}

TEST(VerifyFolder, FindsEveryKindOfDamage) {
  const ScratchFolder scratch;
  const fs::path target = scratch / "f";
  const auto damage = [&](auto&& change) {
    fill(target, "content");
    change();
    const std::string message = error_of([&] { verify_folder(target); });
    EXPECT_TRUE(is_one_line(message)) << message;
    fs::remove_all(target);
    return message;
  };
  EXPECT_TRUE(contains(damage([&] { overwrite(target / "a.txt", "Content"); }), "does not match"));
  EXPECT_TRUE(
      contains(damage([&] { overwrite(target / "a.txt", "conten"); }), "6 bytes instead of 7"));
  EXPECT_TRUE(contains(damage([&] { fs::remove(target / "sub/b.txt"); }), "b.txt"));
  EXPECT_TRUE(contains(damage([&] { fs::remove(target / kManifestName); }), "MANIFEST.json"));
  EXPECT_TRUE(contains(damage([&] { overwrite(target / kManifestName, "{}"); }), "not a manifest"));
  for (const char* name : {"../x", "/etc/passwd", "a/../../x", ""}) {
    const Json manifest = {{"hash", "xxh64"}, {"files", {{name, {{"bytes", 1}, {"hash", "0"}}}}}};
    EXPECT_TRUE(contains(damage([&] { overwrite(target / kManifestName, dump_json(manifest)); }),
                         "outside the folder"));
  }
}

TEST(VerifyFolder, ReportsEveryTruncationOfTheManifest) {
  const ScratchFolder scratch;
  const fs::path target = scratch / "f";
  fill(target, "content");
  const std::string manifest = read_file(target / kManifestName);
  for (size_t length = 0; length < manifest.rfind('}'); ++length) {
    overwrite(target / kManifestName, manifest.substr(0, length));
    EXPECT_TRUE(is_one_line(error_of([&] { verify_folder(target); }))) << length;
  }
}

TEST(FolderLock, AdmitsOneHolder) {
  const ScratchFolder scratch;
  {
    const FolderLock lock(scratch / "run");
    const std::string message = error_of([&] { FolderLock second(scratch / "run"); });
    EXPECT_TRUE(contains(message, "another run (process " + std::to_string(::getpid()) + ")"))
        << message;
  }
  EXPECT_EQ(error_of([&] { FolderLock again(scratch / "run"); }), "");
}

TEST(StopSignal, SetsAFlagAndRestoresTheHandlers) {
  struct sigaction before, during, after;
  ::sigaction(SIGTERM, nullptr, &before);
  {
    const StopSignal outer;
    EXPECT_FALSE(StopSignal::requested());
    ::raise(SIGTERM);
    EXPECT_TRUE(StopSignal::requested());
    const StopSignal inner;
    EXPECT_TRUE(StopSignal::requested());
    StopSignal::clear();
    ::raise(SIGINT);
    EXPECT_TRUE(StopSignal::requested());
    ::sigaction(SIGTERM, nullptr, &during);
  }
  ::sigaction(SIGTERM, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  EXPECT_NE(before.sa_handler, during.sa_handler);
}

TEST(StopSignalDeathTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        const StopSignal stop;
        ::raise(SIGINT);
        ::raise(SIGTERM);
      },
      testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace malssi
