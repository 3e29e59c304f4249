#include "text/pipeline_tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "text/symbol_bpe.h"
#include "text/tokenizer_json.h"
#include "text/unigram.h"
#include "text/unknown.h"
#include "text/wordpiece.h"

namespace malssi {
namespace {

constexpr std::string_view kSpace = "\u2581";  // how SentencePiece spells a space

PipelineTokenizer::Model model_named(const std::string& type, const std::string& where) {
  if (type == "BPE") return PipelineTokenizer::Model::bpe;
  if (type == "Unigram") return PipelineTokenizer::Model::unigram;
  REQUIRE(type == "WordPiece", where, ": model type '", type,
          "' is not supported (supported: BPE, Unigram, WordPiece)");
  return PipelineTokenizer::Model::wordpiece;
}

const Json& part_of(const Json& frame, const char* key) {
  static const Json kNull;
  const Json* part = json_detail::member(frame, key, "tokenizer");
  return part ? *part : kNull;
}

// The end of the word that starts at `at`: where the next run of visible spaces begins.
size_t word_end(std::string_view text, size_t at) {
  while (text.substr(at).starts_with(kSpace)) at += kSpace.size();
  return std::min(text.find(kSpace, at), text.size());
}

bool words_stay_apart(const std::vector<std::string>& pieces, const Vocabulary& spellings) {
  if (!spellings.find(kSpace)) return false;
  return std::all_of(pieces.begin(), pieces.end(), [](const std::string& piece) {
    return piece.empty() || word_end(piece, 0) == piece.size();
  });
}

int32_t unknown_id(const Json& model, const Vocabulary& spellings, const std::string& where) {
  if (model.contains("unk_id")) {
    const auto id = get_or<int32_t>(model, "unk_id", -1, where);
    REQUIRE(id >= -1 && id < spellings.size(), where, ".unk_id: ", id,
            " is outside the vocabulary");
    return id;
  }
  const auto text = get_or<std::string>(model, "unk_token", "", where);
  return spellings.find(text).value_or(-1);
}

}  // namespace

PipelineTokenizer::PipelineTokenizer(PipelineParts parts, const std::string& where)
    : frame_(std::move(parts.frame)),
      scores_(std::move(parts.scores)),
      normalizers_(NormalizerList::read(part_of(frame_, "normalizer"), where)),
      pre_tokenizers_(PreTokenizerList::read(part_of(frame_, "pre_tokenizer"), where)),
      model_(model_named(get<std::string>(part_of(frame_, "model"), "type", where), where)) {
  added_ = std::move(parts.added);
  spellings_.extend(std::ssize(parts.spellings));
  for (size_t id = 0; id < parts.spellings.size(); ++id)
    if (!parts.spellings[id].empty()) spellings_.add(static_cast<int32_t>(id), parts.spellings[id]);
  make_bytes(Decoder::read(part_of(frame_, "decoder"), where));
  make_model(std::move(parts.merges), where + ": model");
  find_roles();
}

void PipelineTokenizer::make_bytes(const Decoder& decoder) {
  joins_ = {.strip = decoder.strip(),
            .strip_count = decoder.strip_count(),
            .space_before_special = decoder.separates_words()};
  vocabulary_.extend(spellings_.size());
  for (int32_t id = 0; id < spellings_.size(); ++id) {
    const std::string_view spelling = spellings_.bytes(id);
    const std::string bytes = added_.find_id(id) ? std::string(spelling) : decoder.bytes(spelling);
    if (!spelling.empty() && !bytes.empty()) vocabulary_.add(id, bytes);
  }
  for (const AddedToken& token : added_.tokens())
    if (token.id >= spellings_.size() || spellings_.bytes(token.id).empty())
      vocabulary_.add(token.id, token.text);
}

// The tokens that text may become: not the added ones, nor byte tokens where they are bytes.
std::vector<std::string> PipelineTokenizer::plain_pieces() const {
  const bool bytes = get_or<bool>(frame_.at("model"), "byte_fallback", false, "model");
  std::vector<std::string> pieces;
  for (int32_t id = 0; id < spellings_.size(); ++id) {
    const std::string_view spelling = spellings_.bytes(id);
    const bool plain = !added_.find_id(id) && !(bytes && byte_of_token_name(spelling));
    pieces.emplace_back(plain ? spelling : std::string_view());
  }
  return pieces;
}

void PipelineTokenizer::make_model(Merges merges, const std::string& where) {
  const Json& model = frame_.at("model");
  std::vector<std::string> pieces = plain_pieces();
  const int32_t unknown = unknown_id(model, spellings_, where);
  if (unknown >= 0) pieces[static_cast<size_t>(unknown)].clear();
  const Unknown::Options options{
      .unknown_id = unknown,
      .byte_fallback = get_or<bool>(model, "byte_fallback", false, where),
      .fuse = model_ == Model::unigram || get_or<bool>(model, "fuse_unk", false, where)};
  const bool ignore_merges = get_or<bool>(model, "ignore_merges", false, where);
  cut_at_spaces_ =
      model_ != Model::wordpiece && !ignore_merges && words_stay_apart(pieces, spellings_);
  if (model_ == Model::wordpiece) {
    subwords_ = std::make_unique<WordPiece>(
        pieces,
        WordPiece::Options{
            .unknown_id = unknown,
            .prefix = get_or<std::string>(model, "continuing_subword_prefix", "##", where),
            .max_characters = get_or<int64_t>(model, "max_input_chars_per_word", 100, where)});
    return;
  }
  if (model_ == Model::unigram) {
    CHECK(scores_.size() == pieces.size(), "a Unigram token without a score");
    subwords_ = std::make_unique<Unigram>(pieces, scores_, spellings_,
                                          Unigram::Options{.unknown = options});
    return;
  }
  if (!scores_.empty())
    merges = merges_of_scores(pieces, std::vector<float>(scores_.begin(), scores_.end()));
  rules_ = merges.rules();
  Vocabulary plain;
  for (size_t id = 0; id < pieces.size(); ++id)
    if (!pieces[id].empty()) plain.add(static_cast<int32_t>(id), pieces[id]);
  subwords_ = std::make_unique<SymbolBpe>(
      std::move(plain), spellings_, std::move(merges),
      SymbolBpe::Options{.unknown = options, .ignore_merges = ignore_merges});
}

std::string PipelineTokenizer::kind() const {
  return model_ == Model::bpe ? "BPE" : model_ == Model::unigram ? "Unigram" : "WordPiece";
}

std::optional<int32_t> PipelineTokenizer::find_plain(std::string_view bytes) const {
  if (const auto id = spellings_.find(bytes)) return id;
  return vocabulary_.find(bytes);
}

void PipelineTokenizer::encode_plain(std::string_view text, Place place,
                                     std::vector<int32_t>& out) const {
  if (text.empty()) return;
  std::string changed;
  if (!normalizers_.empty()) text = changed = normalizers_.apply(text);
  const auto worker = workers_.lease();
  if (pre_tokenizers_.empty()) return encode_piece(text, *worker, out);
  for (const std::string& piece : pre_tokenizers_.split(text, place))
    encode_piece(piece, *worker, out);
}

void PipelineTokenizer::encode_piece(std::string_view piece, Worker& worker,
                                     std::vector<int32_t>& out) const {
  const char* limit = piece.data() + piece.size();
  for (size_t at = 0; at < piece.size();) {
    const size_t end = cut_at_spaces_ ? word_end(piece, at) : piece.size();
    encode_word(piece.substr(at, end - at), limit, worker, out);
    at = end;
  }
}

void PipelineTokenizer::encode_word(std::string_view word, const char* limit, Worker& worker,
                                    std::vector<int32_t>& out) const {
  const auto size = static_cast<int64_t>(word.size());
  if (size > WordCache::kMaxBytes) return subwords_->encode(word, worker.scratch, out);
  const WordCache::Key key = WordCache::key_of(word.data(), size, limit);
  if (const WordCache::Entry* known = worker.cache.find(key)) {
    out.insert(out.end(), known->ids.begin(), known->ids.begin() + known->count);
    return;
  }
  const size_t before = out.size();
  subwords_->encode(word, worker.scratch, out);
  worker.cache.insert(key, std::span(out).subspan(before));
}

Json PipelineTokenizer::vocabulary_json() const {
  Json vocabulary = model_ == Model::unigram ? Json::array() : Json::object();
  for (int32_t id = 0; id < spellings_.size(); ++id) {
    std::string spelling(spellings_.bytes(id));
    if (model_ != Model::unigram) {
      if (!spelling.empty()) vocabulary[std::move(spelling)] = id;
      continue;
    }
    Json entry = Json::array();
    entry.push_back(std::move(spelling));
    entry.push_back(scores_[static_cast<size_t>(id)]);
    vocabulary.push_back(std::move(entry));
  }
  return vocabulary;
}

Json PipelineTokenizer::merges_json() const {
  Json merges = Json::array();
  for (const Merges::Rule& rule : rules_) {
    const std::string left(spellings_.bytes(rule.left)), right(spellings_.bytes(rule.right));
    if (left.find(' ') == left.npos && right.find(' ') == right.npos) {
      merges.push_back(left + " " + right);
      continue;
    }
    Json pair = Json::array();
    pair.push_back(left);
    pair.push_back(right);
    merges.push_back(std::move(pair));
  }
  return merges;
}

Json PipelineTokenizer::to_json() const {
  Json json = frame_;
  json["added_tokens"] = added_tokens_json(added_);
  json["model"]["vocab"] = vocabulary_json();
  if (model_ == Model::bpe) json["model"]["merges"] = merges_json();
  return json;
}

}  // namespace malssi
