#include "cli/demo/lessons.h"

#include "base/error.h"

namespace malssi::demo {
namespace {

fs::path replies_file(const Demo& demo, std::string_view name) {
  return demo.folder / "evaluation" / concat(name, ".json");
}

}  // namespace

fs::path world_file(const Demo& demo, std::string_view name) {
  return demo.folder / "world" / concat(name, ".jsonl");
}

fs::path model_of(const Demo& demo, std::string_view run) { return demo.folder / run / "model"; }

std::optional<std::vector<Reply>> ask_and_keep(const Demo& demo, const Asked& asked,
                                               std::string_view questions, std::string_view name) {
  const auto list = world::load_questions(world_file(demo, questions));
  auto replies = ask_all(asked, list, demo.settings.answer_tokens, demo.console);
  if (replies) save_replies(replies_file(demo, name), list, *replies);
  return replies;
}

std::vector<Reply> kept_replies(const Demo& demo, std::string_view name) {
  return load_replies(replies_file(demo, name));
}

}  // namespace malssi::demo
