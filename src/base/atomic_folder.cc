// AtomicFolder and verify_folder of base/file.h.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace malssi {
namespace {

constexpr int64_t kMaxManifest = int64_t{64} << 20;
constexpr std::string_view kLockName = ".lock";

// Absolute, without a trailing slash.
fs::path clean_path(const fs::path& path) {
  REQUIRE(!path.empty(), "cannot write a folder without a name: name a folder");
  fs::path clean = fs::absolute(path).lexically_normal();
  if (!clean.has_filename()) clean = clean.parent_path();
  REQUIRE(clean.has_filename(), "cannot write ", path.string(), ": name another folder");
  return clean;
}

// Files below a folder, as sorted relative paths. Anything but files and folders is refused.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink()) continue;
    REQUIRE(entry.is_regular_file() && !entry.is_symlink(), "cannot save ", folder.string(), ": ",
            entry.path().string(), " is not a regular file");
    files.push_back(entry.path().lexically_relative(folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Json load_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifestName;
  const std::string where = path.string();
  Json manifest = parse_json(read_file(path, kMaxManifest), where);
  REQUIRE(manifest.is_object() && get_or<std::string>(manifest, "hash", "", where) == "xxh64" &&
              manifest.contains("files") && manifest["files"].is_object(),
          where, ": not a manifest of this program: the folder is damaged or of another kind");
  return manifest;
}

// Refuses to replace a folder that holds files of someone else.
void check_replaceable(const fs::path& target) {
  if (!fs::exists(fs::symlink_status(target))) return;
  REQUIRE(fs::is_directory(target), "cannot write the folder ", target.string(),
          ": a file of this name exists: choose another name");
  if (fs::is_empty(target)) return;
  const auto refuse = [&](const std::string& reason) {
    throw Error(concat("cannot write the folder ", target.string(), ": it exists and ", reason,
                       ": choose another name or remove it"));
  };
  if (!fs::exists(target / kManifestName)) refuse("was not made by this program");
  const Json files = load_manifest(target).at("files");
  for (const fs::path& file : files_below(target))
    if (file != kManifestName && file != kLockName && !files.contains(file.generic_string()))
      refuse("holds " + file.string() + ", which would be lost");
}

Descriptor open_staging(const fs::path& staging, const fs::path& target) {
  while (true) {
    if (::mkdir(staging.c_str(), 0777) != 0 && errno != EEXIST)
      throw_system("create", staging, errno);
    Descriptor folder = open_descriptor(staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, "create");
    if (retry([&] { return ::flock(folder.get(), LOCK_EX | LOCK_NB); }) != 0) {
      REQUIRE(errno != EWOULDBLOCK, "cannot write the folder ", target.string(),
              ": another process is writing it: wait for it to end");
    }
    struct stat opened, named;
    if (::fstat(folder.get(), &opened) != 0) throw_system("create", staging, errno);
    if (::stat(staging.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
        named.st_dev != opened.st_dev)
      continue;
    for (const auto& entry : fs::directory_iterator(staging)) fs::remove_all(entry.path());
    return folder;
  }
}

void write_manifest(const fs::path& folder) {
  Json files = Json::object();
  for (const fs::path& file : files_below(folder)) {
    if (file == kManifestName) continue;
    const fs::path full = folder / file;
    const Descriptor descriptor = open_descriptor(full, O_RDONLY, "save");
    sync_descriptor(descriptor.get(), full);
    const MappedFile content = MappedFile::open(full);
    files[file.generic_string()] = {{"bytes", content.size()},
                                    {"hash", hash_text(hash64_mapped(content.bytes()))}};
  }
  const Json manifest = {{"format", "malssi folder"}, {"hash", "xxh64"}, {"files", files}};
  write_file(folder / kManifestName, dump_json(manifest, 2) + "\n");
}

// Moves staging to target in one step; an older target ends up in staging or is removed.
void swap_in(const fs::path& staging, const fs::path& target) {
  if (retry([&] { return ::rename(staging.c_str(), target.c_str()); }) == 0) return;
  if (errno != ENOTEMPTY && errno != EEXIST) throw_system("save", target, errno);
  const auto exchange = [&] {
    return ::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE);
  };
  if (retry(exchange) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) throw_system("save", target, errno);
  // A file system that cannot exchange names: the old folder stands aside for a moment.
  fs::path aside = target;
  aside += ".old";
  fs::remove_all(aside);
  if (retry([&] { return ::rename(target.c_str(), aside.c_str()); }) != 0)
    throw_system("save", target, errno);
  if (retry([&] { return ::rename(staging.c_str(), target.c_str()); }) != 0) {
    const int code = errno;
    ::rename(aside.c_str(), target.c_str());
    throw_system("save", target, code);
  }
  std::error_code ignored;
  fs::remove_all(aside, ignored);
}

void verify_file(const fs::path& folder, const std::string& name, const Json& entry) {
  const std::string where = (folder / kManifestName).string();
  const fs::path relative(name);
  REQUIRE(!name.empty() && relative.is_relative() &&
              std::none_of(relative.begin(), relative.end(),
                           [](const fs::path& part) { return part == ".."; }),
          where, ": names a file outside the folder: the manifest is damaged");
  const fs::path path = folder / relative;
  const int64_t bytes = get<int64_t>(entry, "bytes", where);
  const MappedFile content = MappedFile::open(path);
  REQUIRE(content.size() == bytes, path.string(), ": damaged: ", content.size(),
          " bytes instead of ", bytes);
  REQUIRE(hash_text(hash64_mapped(content.bytes())) == get<std::string>(entry, "hash", where),
          path.string(), ": damaged: its content does not match ", kManifestName);
}

}  // namespace

AtomicFolder::AtomicFolder(const fs::path& target)
    : target_(clean_path(target)), staging_(target_.string() + ".tmp") {
  try {
    check_replaceable(target_);
    fs::create_directories(target_.parent_path());
    lock_ = open_staging(staging_, target_);
  } catch (const fs::filesystem_error& error) {
    throw_system("write the folder", target_, error.code().value());
  }
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void AtomicFolder::commit() {
  CHECK(!committed_, "committed twice");
  try {
    write_manifest(staging_);
    for (const auto& entry : fs::recursive_directory_iterator(staging_))
      if (entry.is_directory()) sync_folder(entry.path());
    sync_folder(staging_);
    check_replaceable(target_);
    swap_in(staging_, target_);
    committed_ = true;
    sync_folder(target_.parent_path());
    std::error_code ignored;  // the older folder; the next writer removes what stays
    fs::remove_all(staging_, ignored);
  } catch (const fs::filesystem_error& error) {
    throw_system("write the folder", target_, error.code().value());
  }
}

void verify_folder(const fs::path& folder) {
  const Json manifest = load_manifest(folder);
  for (const auto& [name, entry] : manifest.at("files").items()) verify_file(folder, name, entry);
}

}  // namespace malssi
