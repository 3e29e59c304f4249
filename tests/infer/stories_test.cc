// The whole inference path against a published model: stories260K, a Llama that llama2.c's run.c reads, and what that
// program prints for it at temperature 0.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "infer/generate.h"
#include "infer/logprobs.h"
#include "infer/model_predictor.h"
#include "io/model_source.h"

namespace malssi {
namespace {

const fs::path kFolder = fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data" / "weights";

// Reads 32-bit numbers one after another.
class Reader {
 public:
  explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
  template <class T>
  T next() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view take(size_t size) {
    CHECK(at_ + size <= bytes_.size(), "the file is too short");
    at_ += size;
    return std::string_view(bytes_).substr(at_ - size, size);
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

std::unique_ptr<Model> load_stories(DType compute) {
  const ModelSource source = open_model(kFolder / "stories260K.bin");
  auto model = make_model(source.config, compute, std::nullopt);
  import_weights(*model, source.find);
  return model;
}

struct Piece {
  float score = 0;
  std::string text = {};
};

std::vector<Piece> load_pieces() {
  Reader file(read_file(kFolder / "tok512.bin"));
  file.next<int32_t>();  // longest piece
  std::vector<Piece> pieces;
  while (!file.at_end()) {
    Piece piece{.score = file.next<float>()};
    piece.text = file.take(static_cast<size_t>(file.next<int32_t>()));
    pieces.push_back(piece);
  }
  return pieces;
}

// Merges the best-scored neighbours, as SentencePiece's BPE does; ASCII text only.
std::vector<int32_t> encode(const std::vector<Piece>& pieces, const std::string& text) {
  std::map<std::string, int32_t> ids;
  for (size_t i = 3; i < pieces.size(); ++i) ids[pieces[i].text] = static_cast<int32_t>(i);
  std::vector<std::string> parts;
  for (const char c : text.empty() ? "" : " " + text) parts.emplace_back(1, c);
  while (true) {
    float best = -1e30f;
    size_t at = parts.size();
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ids.find(parts[i] + parts[i + 1]);
      if (found == ids.end()) continue;
      const float score = pieces[static_cast<size_t>(found->second)].score;
      if (score > best) best = score, at = i;
    }
    if (at == parts.size()) break;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  std::vector<int32_t> encoded = {1};  // begin of text
  for (const auto& part : parts) encoded.push_back(ids.at(part));
  return encoded;
}

std::string decode(const std::vector<Piece>& pieces, const std::vector<int32_t>& ids) {
  std::string text = {};
  for (size_t i = 1; i < ids.size(); ++i) {
    std::string piece = pieces[static_cast<size_t>(ids[i])].text;
    if (ids[i - 1] == 1 && piece.starts_with(' ')) piece.erase(0, 1);
    unsigned byte = 0;
    if (std::sscanf(piece.c_str(), "<0x%02X>", &byte) == 1) piece = static_cast<char>(byte);
    text += piece;
  }
  return text;
}

// Greedy, `steps` tokens with the prompt but without the begin of text.
std::string tell(Model& model, const std::string& prompt, int64_t steps) {
  const std::vector<Piece> pieces = load_pieces();
  std::vector<int32_t> ids = encode(pieces, prompt);
  ModelPredictor predictor(model, 1);
  std::span<const float> logits = prefill(predictor, 0, ids);
  while (static_cast<int64_t>(ids.size()) <= steps) {
    ids.push_back(argmax(logits));
    if (ids.back() == 1) break;
    const Predictor::Piece piece{.slot = 0, .ids = {&ids.back(), 1}};
    logits = predictor.feed({&piece, 1});
  }
  return decode(pieces, ids) + "\n";
}

class Stories : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kFolder / "stories260K.bin"))
      GTEST_SKIP() << "skipped: ../shared/data/weights/stories260K.bin is not here";
  }
};

TEST_F(Stories, AreToldAsRunCTellsThem) {
  const auto model = load_stories(DType::f32);
  EXPECT_EQ(tell(*model, "", 200), read_file(kFolder / "stories260K.greedy200.txt"));
}

TEST_F(Stories, GoOnFromAPromptAsInRunC) {
  const auto model = load_stories(DType::f32);
  EXPECT_EQ(tell(*model, "Once upon a time, there was a dog", 200),
            read_file(kFolder / "stories260K.greedy200.dog.txt"));
}

TEST_F(Stories, BeginAlikeInHalfThePrecision) {
  const auto model = load_stories(DType::bf16);
  EXPECT_EQ(tell(*model, "", 200).substr(0, 40),
            read_file(kFolder / "stories260K.greedy200.txt").substr(0, 40));
}

// The same through the tokenizer and the Generator, as text.
Generation told(Model& model, const Tokenizer& tokenizer, const std::string& prompt,
                std::shared_ptr<Drafter> drafter = nullptr) {
  const std::vector<int32_t> ids = encode_prompt(tokenizer, prompt);
  ModelPredictor predictor(model, 1);
  std::string streamed;
  Generation answer = Generator(predictor, tokenizer, std::move(drafter))
                          .run(ids,
                               {.sampling = {.temperature = 0},
                                .max_tokens = 201 - static_cast<int64_t>(ids.size()),
                                .stop_tokens = {1},
                                .place = Place::inside},
                               {.on_text = [&](std::string_view text) { streamed += text; }});
  EXPECT_EQ(streamed, answer.text);
  return answer;
}

TEST_F(Stories, AreStreamedWithoutASpaceBeforeTheText) {
  const auto model = load_stories(DType::f32);
  const auto tokenizer = load_llama2c_tokenizer(kFolder / "tok512.bin");
  EXPECT_EQ(told(*model, *tokenizer, "").text + "\n",
            read_file(kFolder / "stories260K.greedy200.txt"));
}

TEST_F(Stories, GoOnFromAPromptWithTheSpaceBetween) {
  const auto model = load_stories(DType::f32);
  const auto tokenizer = load_llama2c_tokenizer(kFolder / "tok512.bin");
  const std::string prompt = "Once upon a time, there was a dog";
  const std::string text = told(*model, *tokenizer, prompt).text;
  EXPECT_TRUE(text.starts_with(" named ")) << text;
  EXPECT_EQ(prompt + text + "\n", read_file(kFolder / "stories260K.greedy200.dog.txt"));
}

TEST_F(Stories, AreTheSameWithDrafts) {
  const auto model = load_stories(DType::f32);
  const auto smaller = load_stories(DType::bf16);
  const auto tokenizer = load_llama2c_tokenizer(kFolder / "tok512.bin");
  const std::string plain = told(*model, *tokenizer, "").text;
  EXPECT_EQ(told(*model, *tokenizer, "", lookup_drafter()).text, plain);
  ModelPredictor predictor(*smaller, 1);
  EXPECT_EQ(told(*model, *tokenizer, "", model_drafter(predictor, tokenizer->vocab_size())).text,
            plain);
}

TEST_F(Stories, OfBeamsReadAsThoseOfTheGenerator) {
  const auto model = load_stories(DType::f32);
  const auto tokenizer = load_llama2c_tokenizer(kFolder / "tok512.bin");
  ModelPredictor predictor(*model, 1);
  const GenerateOptions options{
      .max_tokens = 10, .stop_strings = {"there"}, .place = Place::inside};
  const auto begins =
      generate_beams(predictor, *tokenizer, encode_prompt(*tokenizer, ""), options, {.beams = 1});
  EXPECT_EQ(begins.at(0).generation.text, "Once upon a time, ");
  const auto goes_on = generate_beams(predictor, *tokenizer, encode_prompt(*tokenizer, "Once upon"),
                                      options, {.beams = 1});
  EXPECT_EQ(goes_on.at(0).generation.text, " a time, ");
  EXPECT_EQ(goes_on.at(0).generation.reason, FinishReason::stop_string);
}

}  // namespace
}  // namespace malssi
