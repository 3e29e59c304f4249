#include "base/error.h"
#include "base/format.h"
#include "cli/demo/demo.h"
#include "data/corpus.h"
#include "data/sft.h"
#include "text/bpe_trainer.h"
#include "train/pretrain/make_tokenizer.h"

namespace malssi::demo {
namespace {

// Qwen2's splitting pattern: as Llama 3's, but each digit is a token, so that sums can be worked digit by digit.
constexpr std::string_view kPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

std::optional<std::string> make_world(Demo& demo) {
  const world::WorldData data = world::make_world_data(demo.settings.world);
  world::write_world(demo.folder / "world", data);
  return concat(data.world.people.size(), " people in ", data.world.places.size(), " villages, ",
                world::facts(data.world).size(), " facts; ", data.documents.size(), " texts and ",
                data.chats.size(), " chats in English and Korean; ", data.questions.size(),
                " questions kept back");
}

std::optional<std::string> make_tokenizer(Demo& demo) {
  const fs::path world = demo.folder / "world";
  const std::vector<Conversation> chats = load_sft(world / "sft.jsonl").conversations;
  const TextSource source = [&](const std::function<void(std::string_view)>& use) {
    for_each_document({.paths = {(world / "pretrain.jsonl").string()}}, use);
    for (const Conversation& chat : chats)
      for (const Message& message : chat) use(message.content);
  };
  const auto tokenizer = train_bpe(source, {.vocab_size = demo.settings.vocabulary,
                                            .pattern = std::string(kPattern),
                                            .special = default_special_tokens()});
  save_tokenizer(demo.folder / "tokenizer", *tokenizer);
  int64_t bytes = 0, tokens = 0;
  for_each_document({.paths = {(world / "validation.jsonl").string()}}, [&](std::string_view text) {
    bytes += std::ssize(text);
    tokens += std::ssize(tokenizer->encode(text));
  });
  return concat("a vocabulary of ", tokenizer->vocab_size(), "; a token holds ",
                human_number(static_cast<double>(bytes) / static_cast<double>(tokens)),
                " bytes of new text");
}

}  // namespace malssi::demo
