#include "data/shard_index.h"

#include "base/error.h"
#include "base/hash.h"

namespace malssi {
namespace {

constexpr std::string_view kFormat = "malssi token shards";
constexpr int64_t kVersion = 1;

Json stats_json(const CorpusStats& stats) {
  return {{"files", stats.files},
          {"documents", stats.documents},
          {"bytes", stats.bytes},
          {"characters", stats.characters},
          {"invalid_bytes", stats.invalid_bytes}};
}

CorpusStats read_stats(const Json& json, const std::string& where) {
  return {.files = get<int64_t>(json, "files", where),
          .documents = get<int64_t>(json, "documents", where),
          .bytes = get<int64_t>(json, "bytes", where),
          .characters = get<int64_t>(json, "characters", where),
          .invalid_bytes = get<int64_t>(json, "invalid_bytes", where)};
}

}  // namespace

int64_t ShardIndex::tokens() const {
  int64_t sum = 0;
  for (const File& file : files) sum += file.tokens;
  return sum;
}

Json ShardIndex::to_json() const {
  Json list = Json::array();
  for (const File& file : files)
    list.push_back({{"name", file.name}, {"tokens", file.tokens}, {"hash", file.hash}});
  Json json = {{"format", std::string(kFormat)},
               {"version", kVersion},
               {"vocab", vocab},
               {"token_bytes", token_bytes()},
               {"begin_token", begin_token},
               {"end_token", end_token},
               {"tokens", tokens()},
               {"documents", documents},
               {"train_tokens", train_tokens},
               {"train_documents", train_documents},
               {"files", list},
               {"documents_hash", documents_hash},
               {"corpus", stats_json(stats)},
               {"key", key},
               {"pieces", pieces}};
  json["hash"] = hash_text(hash64(dump_json(json)));
  return json;
}

ShardIndex ShardIndex::from_json(const Json& json, const std::string& where) {
  REQUIRE(get<std::string>(json, "format", where) == kFormat, where, ": not \"", kFormat,
          "\": name a folder of token shards");
  const int64_t version = get<int64_t>(json, "version", where);
  REQUIRE(version == kVersion, where, ": version ", version, ", expected ", kVersion,
          ": remove the folder so that it is made again");
  ShardIndex index;
  index.vocab = get<int64_t>(json, "vocab", where);
  index.begin_token = get<int32_t>(json, "begin_token", where);
  index.end_token = get<int32_t>(json, "end_token", where);
  index.documents = get<int64_t>(json, "documents", where);
  index.train_tokens = get<int64_t>(json, "train_tokens", where);
  index.train_documents = get<int64_t>(json, "train_documents", where);
  for (const Json& file : get<std::vector<Json>>(json, "files", where)) {
    index.files.push_back({.name = get<std::string>(file, "name", where),
                           .tokens = get<int64_t>(file, "tokens", where),
                           .hash = get<std::string>(file, "hash", where)});
  }
  index.documents_hash = get<std::string>(json, "documents_hash", where);
  index.stats = read_stats(get<Json>(json, "corpus", where), where);
  index.key = get<std::string>(json, "key", where);
  index.pieces = get<int64_t>(json, "pieces", where);
  REQUIRE(dump_json(index.to_json()) == dump_json(json), where,
          ": damaged (its hash does not fit): remove the folder so that it is made again");
  return index;
}

}  // namespace malssi
