// Tokenizers: text (any bytes) to token ids and back. decode(encode(text)) == text for every byte
// string, except where a loaded tokenizer itself asks for normalisation or a prefix space.
// Byte-level BPE: Sennrich, Haddow, Birch 2016; on bytes: Radford et al. 2019 (GPT-2), section 2.2.
// Files are Hugging Face's tokenizer.json. All const members may be called from several threads at
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "text/added_tokens.h"
#include "text/place.h"
#include "text/vocabulary.h"

namespace malssi {

struct EncodeOptions {
  // Read "<|endoftext|>" and its like in the text as the one special token.
  bool parse_special = false;
  // Add what the tokenizer's own file puts before and after a text (Llama 3: its bos).
  bool add_special = false;
};

struct DecodeOptions {
  bool skip_special = false;   // leave them out
  Place place = Place::start;  // inside: the ids go on where others ended
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Throws Error only where the vocabulary cannot express the text (a character tokenizer without
  // byte tokens).
  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const;
  // The same, appended.
  void encode(std::string_view text, EncodeOptions options, std::vector<int32_t>& out) const;
  // Throws Error on an id outside 0 .. vocab_size() - 1.
  std::string decode(std::span<const int32_t> ids, DecodeOptions options = {}) const;

  // The bytes that the id stands for inside a text; a special token's own text. Empty for an id that
  // the vocabulary leaves out. A text's first token may lose a space (see DecodeStream).
  std::string_view token_bytes(int32_t id) const;
  // What decoding drops where a text begins with it, and how many times at most.
  const std::string& strip() const { return joins_.strip; }
  int64_t strip_count() const { return joins_.strip_count; }
  // A token's bytes without what decoding drops of them, which may do so `times_left` more times.
  std::string_view stripped(std::string_view bytes, int64_t& times_left) const;
  // One past the largest id.
  int64_t vocab_size() const { return vocabulary_.size(); }
  // The id of a special token's text, or of an ordinary token's bytes.
  std::optional<int32_t> token_id(std::string_view bytes) const;
  bool is_special(int32_t id) const { return added_.is_special(id); }
  // The first special token that parse_special would read in the text at or after `from`; id -1:
  // none.
  AddedTokens::Match find_special(std::string_view text, int64_t from) const {
    return added_.next_special(text, from);
  }
  const std::vector<AddedToken>& added_tokens() const { return added_.tokens(); }
  // Gives the text an id of its own at the end of the vocabulary (or makes a known one special);
  // returns the id.
  int32_t add_special(std::string_view text);

  // Roles, or -1. They come from tokenizer_config.json, else from well-known names
  // ("<|endoftext|>", "</s>", ...).
  int32_t bos_id() const { return bos_id_; }
  int32_t eos_id() const { return eos_id_; }
  int32_t pad_id() const { return pad_id_; }
  // Ids that .add_special puts around a text.
  void set_surround(std::vector<int32_t> before, std::vector<int32_t> after) {
    before_ = std::move(before);
    after_ = std::move(after);
  }
  const std::vector<int32_t>& before() const { return before_; }
  const std::vector<int32_t>& after() const { return after_; }
  void set_bos_id(int32_t id) { bos_id_ = id; }
  void set_eos_id(int32_t id) { eos_id_ = id; }
  void set_pad_id(int32_t id) { pad_id_ = id; }

  virtual std::string kind() const = 0;  // "byte-level BPE", "bytes", "characters", "Unigram", ...
  virtual std::string pattern()
      const = 0;  // "gpt2", "llama3", a regular expression, or "" (no splitting)
  virtual int64_t merge_count() const { return 0; }
  virtual Json to_json() const = 0;  // Hugging Face tokenizer.json
  // Changes with anything that changes an encoding: the key for caches of encoded text.
  uint64_t fingerprint() const;

 protected:
  friend class DecodeStream;
  // What joins tokens to a text.
  struct Joins {
    std::string strip = " ";            // taken away where a text starts with it,
    int64_t strip_count = 0;            // so many times at most
    bool space_before_special = false;  // WordPiece writes "hello [SEP]"
  };

  // Appends the ids of a text without added tokens.
  virtual void encode_plain(std::string_view text, Place place,
                            std::vector<int32_t>& out) const = 0;
  virtual std::optional<int32_t> find_plain(std::string_view bytes) const {
    return vocabulary_.find(bytes);
  }
  void find_roles();  // those not known yet, by well-known names

  Joins joins_;
  Vocabulary vocabulary_;  // bytes by id
  AddedTokens added_;
  std::vector<int32_t> before_, after_;
  int32_t bos_id_ = -1, eos_id_ = -1, pad_id_ = -1;
};

// Decoding id by id: what push() returns, one after another, is decode() of all the ids. The bytes
// may end inside a character (Utf8Stream holds such back). SentencePiece puts a space before a text
// and drops it again from the first token: to continue a prompt, say Place::inside.
class DecodeStream {
 public:
  explicit DecodeStream(const Tokenizer& tokenizer, DecodeOptions options = {})
      : tokenizer_(&tokenizer),
        skip_special_(options.skip_special),
        strip_left_(options.place == Place::start ? tokenizer.joins_.strip_count : 0),
        empty_(options.place == Place::start) {}
  // Valid until the next call. Error: an id outside the vocabulary.
  std::string_view push(int32_t id);

 private:
  const Tokenizer* tokenizer_;
  bool skip_special_;
  int64_t strip_left_;
  bool empty_;
  std::string held_;
};

// Reads a tokenizer.json, a SentencePiece tokenizer.model, llama2.c's tokenizer.bin or BERT's
// vocab.txt, or a folder with one of these (or with GPT-2's vocab.json + merges.txt, encoder.json +
// vocab.bpe); takes the roles from a tokenizer_config.json beside it. Error: what is wrong with the
// file, in one line.
std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& file_or_folder);
// The same from the text of a tokenizer.json, or from parsed JSON; `where` names it in errors.
std::unique_ptr<Tokenizer> tokenizer_from_text(std::string_view tokenizer_json,
                                               std::string_view where);
std::unique_ptr<Tokenizer> tokenizer_from_json(const Json& json, std::string_view where);
// GPT-2's published vocabulary: encoder.json (token to id) and vocab.bpe (merges).
std::unique_ptr<Tokenizer> load_gpt2_tokenizer(const fs::path& encoder_json,
                                               const fs::path& vocab_bpe);
// SentencePiece's protobuf (BPE and Unigram).
std::unique_ptr<Tokenizer> load_sentencepiece(const fs::path& model);
// llama2.c's tokenizer.bin: the pieces and scores of a SentencePiece BPE vocabulary.
std::unique_ptr<Tokenizer> load_llama2c_tokenizer(const fs::path& path);
// BERT's vocab.txt: one WordPiece token a line. It is taken as uncased where it has no token with a
// capital letter (but for those in brackets).
std::unique_ptr<Tokenizer> load_wordpiece_vocabulary(const fs::path& vocab_txt);
// Reads roles ("bos_token", ...) of a parsed tokenizer_config.json.
void apply_tokenizer_config(Tokenizer& tokenizer, const Json& config);
// What belongs into tokenizer_config.json beside a tokenizer.json, for transformers;
// `chat_template` may be empty.
Json tokenizer_config(const Tokenizer& tokenizer, std::string_view chat_template,
                      int64_t context = 0);

// Calls its argument once for each document.
using TextSource = std::function<void(const std::function<void(std::string_view)>&)>;

struct CharTokenizerOptions {
  // 256 more tokens, so that unseen characters survive; without them they are an Error.
  bool byte_fallback = false;
  std::vector<std::string> special = {};
};
// One token for each character of the text, ordered by code point; special tokens follow.
std::unique_ptr<Tokenizer> make_char_tokenizer(std::string_view text,
                                               const CharTokenizerOptions& options = {});
std::unique_ptr<Tokenizer> make_char_tokenizer(const TextSource& source,
                                               const CharTokenizerOptions& options = {});
// One token for each byte, id = byte; special tokens follow from 256 on.
std::unique_ptr<Tokenizer> make_byte_tokenizer(const std::vector<std::string>& special = {});

}  // namespace malssi
