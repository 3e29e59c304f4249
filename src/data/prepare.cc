#include "data/prepare.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"
#include "data/encode_text.h"
#include "data/shard_writer.h"
#include "data/text_check.h"

namespace malssi {
namespace {

// Up to this size a file's content tells whether it is the same, above it its path, size and time.
constexpr int64_t kHashedBytes = int64_t{64} << 20;

Json describe(const CorpusOptions& corpus) {
  Json files = Json::array();
  if (corpus.paths.empty()) return files;
  for (const CorpusFile& file : list_corpus(corpus)) {
    std::error_code code;
    Json entry = {{"bytes", file.bytes}, {"json", file.format == CorpusFormat::json}};
    if (file.bytes <= kHashedBytes) {
      entry["hash"] = hash_text(hash64(MappedFile::open(file.path).bytes()));
    } else {
      entry["path"] = fs::weakly_canonical(file.path, code).string();
      entry["changed"] = fs::last_write_time(file.path, code).time_since_epoch().count();
    }
    files.push_back(entry);
  }
  return files;
}

// Everything the shards depend on.
std::string cache_key(const PrepareOptions& options, const ShardIndex& start,
                      const Tokenizer& tokenizer) {
  const Json key = {{"version", 1},
                    {"train", describe(options.train)},
                    {"train_field", options.train.field},
                    {"validation", describe(options.validation)},
                    {"validation_field", options.validation.field},
                    {"val_fraction", options.val_fraction},
                    {"tokenizer", hash_text(tokenizer.fingerprint())},
                    {"begin_token", start.begin_token},
                    {"end_token", start.end_token},
                    {"shard_tokens", options.shard_tokens},
                    {"batch_bytes", options.batch_bytes}};
  return hash_text(hash64(dump_json(key)));
}

// Where the training text ends.
struct Split {
  int64_t train_characters = 0;
  int64_t held_characters = 0;
};

Split find_split(const PrepareOptions& options, const CorpusStats& stats) {
  if (!options.validation.paths.empty() || options.val_fraction == 0)
    return {.train_characters = stats.characters};
  const double kept = (1 - options.val_fraction) * static_cast<double>(stats.characters);
  Split split{.train_characters = static_cast<int64_t>(kept)};
  split.held_characters = stats.characters - split.train_characters;
  REQUIRE(split.train_characters > 0 && split.held_characters > 0, options.train.paths.front(),
          ": ", stats.characters, " characters are too few to hold out a fraction of ",
          options.val_fraction, ": add text or set the fraction to 0");
  return split;
}

// Feeds documents to the encoder, training part first, and finds the place of the cut.
class Feeder {
 public:
  Feeder(TextEncoder& encoder, const Split& split) : encoder_(encoder), split_(split) {}

  void train(std::string_view document) {
    if (split_.held_characters == 0) return encoder_.document(document);
    const int64_t begin = at_;
    const int64_t count = count_characters(document);
    at_ += count;
    const bool cut_here = begin < split_.train_characters && at_ > split_.train_characters;
    if (!cut_here || count * 10 <= split_.held_characters) return whole(document, begin);
    cut_ = true;
    encoder_.divided_document(document,
                              character_offset(document, split_.train_characters - begin));
  }

 private:
  void whole(std::string_view document, int64_t begin) {
    if (!cut_ && begin >= split_.train_characters) {
      cut_ = true;
      encoder_.begin_validation();
    }
    encoder_.document(document);
  }

  TextEncoder& encoder_;
  Split split_;
  int64_t at_ = 0;  // characters so far
  bool cut_ = false;
};

void add(CorpusStats& sum, const CorpusStats& more) {
  sum.files += more.files;
  sum.documents += more.documents;
  sum.bytes += more.bytes;
  sum.characters += more.characters;
  sum.invalid_bytes += more.invalid_bytes;
}

void build(const PrepareOptions& options, const Tokenizer& tokenizer, const fs::path& folder,
           ShardIndex start) {
  start.stats = scan_corpus(options.train);
  const Split split = find_split(options, start.stats);
  const bool separate = !options.validation.paths.empty();
  if (separate) add(start.stats, scan_corpus(options.validation));
  ShardWriter writer(folder, start, options.shard_tokens);
  TextEncoder encoder(tokenizer, writer, options.batch_bytes, [&](int64_t bytes) {
    if (options.progress) options.progress(bytes, start.stats.bytes);
  });
  Feeder feeder(encoder, split);
  for (const CorpusFile& file : list_corpus(options.train))
    each_document(file, options.train.field, [&](std::string_view text) { feeder.train(text); });
  if (separate) {
    encoder.begin_validation();
    for (const CorpusFile& file : list_corpus(options.validation))
      each_document(file, options.validation.field,
                    [&](std::string_view text) { encoder.document(text); });
  }
  encoder.finish();
  writer.finish();
}

bool is_whole(const fs::path& folder, const std::string& key) {
  if (!fs::exists(folder / kShardIndexName)) return false;
  try {
    const fs::path path = folder / kShardIndexName;
    if (ShardIndex::from_json(load_json(path), path.string()).key != key) return false;
    TokenShards::open(folder);
    return true;
  } catch (const Error&) {  // damaged: made again
    return false;
  }
}

ShardIndex start_index(const PrepareOptions& options, const Tokenizer& tokenizer) {
  constexpr int32_t kAsk = PrepareOptions::kFromTokenizer;
  ShardIndex start;
  start.vocab = tokenizer.vocab_size();
  start.end_token = options.end_token == kAsk ? tokenizer.eos_id() : options.end_token;
  start.begin_token = options.begin_token;
  if (options.begin_token == kAsk) {
    const int32_t bos = tokenizer.bos_id();
    start.begin_token = bos == start.end_token ? -1 : bos;
  }
  const int32_t most = std::max(start.begin_token, start.end_token);
  REQUIRE(most < start.vocab, "token ", most, " cannot mark documents: the vocabulary has ",
          start.vocab);
  return start;
}

}  // namespace

fs::path default_token_cache() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value ? value : "");
  };
  if (const fs::path own = variable("MALSSI_CACHE"); !own.empty()) return own / "tokens";
  if (const fs::path cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return cache / "malssi" / "tokens";
  const fs::path home = variable("HOME");
  return (home.empty() ? fs::temp_directory_path() : home / ".cache") / "malssi" / "tokens";
}

PreparedTokens prepare_tokens(const PrepareOptions& options, const Tokenizer& tokenizer) {
  REQUIRE(options.val_fraction >= 0 && options.val_fraction < 1, "val_fraction is ",
          options.val_fraction, ", expected 0 or more and less than 1");
  ShardIndex start = start_index(options, tokenizer);
  start.key = cache_key(options, start, tokenizer);
  const fs::path cache = options.cache.empty() ? default_token_cache() : options.cache;
  PreparedTokens out;
  out.folder = cache / start.key;
  out.cached = is_whole(out.folder, start.key);
  if (!out.cached) build(options, tokenizer, out.folder, start);
  const fs::path index = out.folder / kShardIndexName;
  out.stats = ShardIndex::from_json(load_json(index), index.string()).stats;
  out.train = TokenShards::open(out.folder, Part::train);
  out.validation = TokenShards::open(out.folder, Part::validation);
  return out;
}

}  // namespace malssi
