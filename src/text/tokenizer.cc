#include "text/tokenizer.h"

#include <array>

#include "base/hash.h"
#include "text/bpe_tokenizer.h"

namespace malssi {
namespace {

constexpr std::array<std::string_view, 6> kBeginNames = {
    "<|begin_of_text|>", "<s>", "<bos>", "<|startoftext|>", "<|endoftext|>", "[CLS]"};
constexpr std::array<std::string_view, 5> kEndNames = {"<|endoftext|>", "<|end_of_text|>", "</s>",
                                                       "<eos>", "[SEP]"};
constexpr std::array<std::string_view, 4> kPadNames = {"<|pad|>", "<pad>", "[PAD]",
                                                       "<|finetune_right_pad_id|>"};

int32_t first_known(const AddedTokens& added, std::span<const std::string_view> names) {
  for (const std::string_view name : names)
    if (const AddedToken* token = added.find(name)) return token->id;
  return -1;
}

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<int32_t> ids;
  encode(text, options, ids);
  return ids;
}

void Tokenizer::encode(std::string_view text, EncodeOptions options,
                       std::vector<int32_t>& out) const {
  if (options.add_special) out.insert(out.end(), before_.begin(), before_.end());
  if (added_.any(options.parse_special)) {
    for (int64_t at = 0;;) {
      const AddedTokens::Match match = added_.next(text, at, options.parse_special);
      encode_plain(text.substr(static_cast<size_t>(at), static_cast<size_t>(match.begin - at)),
                   at == 0 ? Place::start : Place::inside, out);
      if (match.id < 0) break;
      out.push_back(match.id);
      at = match.end;
    }
  } else {
    encode_plain(text, Place::start, out);
  }
  if (options.add_special) out.insert(out.end(), after_.begin(), after_.end());
}

std::string Tokenizer::decode(std::span<const int32_t> ids, DecodeOptions options) const {
  std::string text;
  DecodeStream stream(*this, options);
  for (const int32_t id : ids) text += stream.push(id);
  return text;
}

std::string_view DecodeStream::push(int32_t id) {
  std::string_view bytes = tokenizer_->token_bytes(id);
  if (tokenizer_->is_special(id)) {
    if (skip_special_) return {};
    if (tokenizer_->joins_.space_before_special && !empty_) bytes = held_ = concat(' ', bytes);
  }
  empty_ = empty_ && bytes.empty();
  return tokenizer_->stripped(bytes, strip_left_);
}

std::string_view Tokenizer::stripped(std::string_view bytes, int64_t& times_left) const {
  for (; times_left > 0 && !bytes.empty(); --times_left) {
    if (!bytes.starts_with(strip()))
      times_left = 1;
    else
      bytes.remove_prefix(strip().size());
  }
  return bytes;
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  REQUIRE(id >= 0 && id < vocab_size(), "tokenizer: token id ", id,
          " is outside the vocabulary, 0 .. ", vocab_size() - 1);
  return vocabulary_.bytes(id);
}

std::optional<int32_t> Tokenizer::token_id(std::string_view bytes) const {
  if (const AddedToken* token = added_.find(bytes)) return token->id;
  return find_plain(bytes);
}

int32_t Tokenizer::add_special(std::string_view text) {
  const std::optional<int32_t> known = token_id(text);
  const int32_t id = known ? *known : static_cast<int32_t>(vocab_size());
  if (!known) vocabulary_.add(id, text);
  AddedToken token{.id = id, .text = std::string(text)};
  if (const AddedToken* before = added_.find_id(id)) token = *before;
  token.special = true;
  added_.add(std::move(token));
  find_roles();
  return id;
}

uint64_t Tokenizer::fingerprint() const { return hash64(dump_json(to_json())); }

void Tokenizer::find_roles() {
  if (bos_id_ < 0) bos_id_ = first_known(added_, kBeginNames);
  if (eos_id_ < 0) eos_id_ = first_known(added_, kEndNames);
  if (pad_id_ < 0) pad_id_ = first_known(added_, kPadNames);
}

std::unique_ptr<Tokenizer> make_byte_tokenizer(const std::vector<std::string>& special) {
  BpeParts parts;
  for (int32_t byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    parts.vocabulary.add(byte, {&text, 1});
    parts.merges.set_byte_id(static_cast<uint8_t>(byte), byte);
  }
  auto tokenizer = std::make_unique<BpeTokenizer>(std::move(parts));
  for (const std::string& text : special) tokenizer->add_special(text);
  return tokenizer;
}

}  // namespace malssi
