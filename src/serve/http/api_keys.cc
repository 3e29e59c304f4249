#include "serve/http/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/error.h"

namespace malssi {
namespace {

constexpr size_t kShortest = 16, kLongest = 512;
constexpr int64_t kLargestFile = 1 << 20;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

// Calls take(part, number) for each part between separators, numbered from 1.
template <class Take>
void each_part(std::string_view text, char separator, const Take& take) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find(separator), text.size());
    take(trimmed(text.substr(0, end)), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

void ApiKeys::add_file(const fs::path& file) {
  const std::string text = read_file(file, kLargestFile);
  const size_t before = entries_.size();
  each_part(text, '\n', [&](std::string_view line, int64_t number) {
    if (!line.empty() && line.front() != '#') add(line, concat(file.string(), ":", number));
  });
  REQUIRE(entries_.size() > before, file.string(),
          ": no key in it; write one a line, as made by: openssl rand -hex 24");
}

void ApiKeys::add_list(std::string_view list, std::string_view where) {
  each_part(list, ',', [&](std::string_view item, int64_t number) {
    if (!item.empty()) add(item, concat(where, ", key ", number));
  });
}

void ApiKeys::add(std::string_view line, const std::string& where) {
  const size_t space = line.find_first_of(" \t");
  const bool named = space != std::string_view::npos;
  const std::string_view key = named ? trimmed(line.substr(space)) : line;
  REQUIRE(key.size() >= kShortest && key.size() <= kLongest, where, ": a key of ", key.size(),
          " characters; it must have ", kShortest, " to ", kLongest,
          " (make one with: openssl rand -hex 24)");
  REQUIRE(std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; }), where,
          ": a line is KEY or NAME KEY, and a key has printable ASCII characters without spaces");
  const Digest digest = digest_of(key);
  for (const Entry& entry : entries_)
    REQUIRE(entry.digest != digest, where, ": this key was given before");
  const std::string owner =
      named ? std::string(line.substr(0, space)) : concat("key-", entries_.size() + 1);
  entries_.push_back({owner, digest});
}

std::string ApiKeys::owner_of(std::string_view key) const {
  const Digest shown = digest_of(key);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_)
    if (CRYPTO_memcmp(shown.data(), entry.digest.data(), shown.size()) == 0) found = &entry;
  return found ? found->owner : "";
}

ApiKeys::Digest ApiKeys::digest_of(std::string_view key) {
  Digest digest;
  unsigned size = 0;
  const int good = EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr);
  CHECK(good == 1 && size == digest.size(), "SHA-256 failed");
  return digest;
}

}  // namespace malssi
