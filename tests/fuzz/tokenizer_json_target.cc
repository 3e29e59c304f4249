#include "fuzz/seeds.h"
#include "fuzz/uses.h"
#include "text/bpe_trainer.h"

namespace malssi::fuzz {
namespace {

// A tokenizer.json around a model.
std::string around(std::string_view model, std::string_view more = "") {
  return concat(R"({"version":"1.0","added_tokens":[],)", more, R"("model":)", model, "}");
}

}  // namespace

void run_tokenizer_json(std::string_view input) {
  const std::string_view file = take_part(input);
  const auto tokenizer = tokenizer_from_text(file, "input");
  dump_json(tokenizer->to_json());
  use(*tokenizer, input.empty() ? "abc 가나 the cat's  12345\n<s>" : input.substr(0, 4096));
}

Seeds tokenizer_json_seeds() {
  Seeds seeds{
      {"merge_of_unknown", around(R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})")},
      {"id_below_zero", around(R"({"type":"BPE","vocab":{"a":-1,"b":4294967295},"merges":[]})")},
      {"id_huge", around(R"({"type":"BPE","vocab":{"a":2147483647},"merges":[]})")},
      {"unknown_outside", around(R"({"type":"Unigram","unk_id":9,"vocab":[["a",-1.0]]})")},
      {"score_is_text", around(R"({"type":"Unigram","unk_id":0,"vocab":[["a","b"]]})")},
      {"empty_piece", around(R"({"type":"Unigram","unk_id":0,"vocab":[["",0],["",1e308]]})")},
      {"slow_pattern",
       joined(
           {around(
                R"({"type":"BPE","vocab":{"a":0},"merges":[]})",
                R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated","invert":false},)"),
            repeated("a", 60) + "!"})},
      {"pattern_of_nothing",
       joined(
           {around(
                R"({"type":"BPE","vocab":{"a":0},"merges":[]})",
                R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(?=a)|b*"},"behavior":"Isolated","invert":true},)"),
            "aab"})},
      {"growing_normalizer",
       joined(
           {around(
                R"({"type":"BPE","vocab":{"a":0},"merges":[]})",
                R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaa"},)"
                R"({"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaa"}]},)"),
            repeated("a", 1000)})},
      {"deep", repeated("[", 100000)},
      {"good_bytes", dump_json(make_byte_tokenizer({"<s>"})->to_json())},
      {"good_characters",
       dump_json(make_char_tokenizer("abc 가", {.byte_fallback = true})->to_json())},
  };
  const std::string_view text = "the cat sat on the mat, 고양이와 개";
  seeds.emplace_back(
      "good_bpe",
      dump_json(train_bpe({&text, 1}, {.vocab_size = 264, .special = {"<s>"}})->to_json()));
  const Json pipelines = fixture_json("text/fixtures/pipelines.json");
  for (const Json& entry : pipelines["tokenizers"]) {
    const std::string file = dump_json(entry["file"]);
    if (file.size() < 20000) seeds.emplace_back("good_" + entry["name"].get<std::string>(), file);
  }
  return seeds;
}

}  // namespace malssi::fuzz
