#include "base/error.h"
#include "cli/demo/demo.h"
#include "cli/demo/evaluation.h"

namespace malssi::demo {
namespace {

std::optional<std::string> evaluate(Demo& demo, std::string_view name) {
  const auto questions = world::load_questions(demo.folder / "world" / "eval.jsonl");
  const auto replies = ask_all({.model = demo.folder / name / "model"}, questions,
                               demo.settings.answer_tokens, demo.console);
  if (!replies) return std::nullopt;
  save_replies(demo.folder / "evaluation" / concat(name, ".json"), questions, *replies);
  const std::vector<Score> table = scores(questions, *replies);
  return concat("right of the facts in wordings never seen: ",
                percent(share_of(table, "facts", world::Language::english)), " in English, ",
                percent(share_of(table, "facts", world::Language::korean)),
                " in Korean; of additions never seen: ", percent(share_of(table, "additions")),
                " at once, ", percent(share_of(table, "additions in steps")), " in steps");
}

}  // namespace

std::optional<std::string> evaluate_base(Demo& demo) { return evaluate(demo, "base"); }
std::optional<std::string> evaluate_tuned(Demo& demo) { return evaluate(demo, "tuned"); }

}  // namespace malssi::demo
