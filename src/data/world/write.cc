#include "data/world/write.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "data/world/documents.h"

namespace malssi::world {
namespace {

void add_line(std::string& text, const Json& json) {
  text += dump_json(json);
  text += '\n';
}

std::string text_lines(const std::vector<std::string>& documents) {
  std::string text;
  for (const std::string& document : documents) add_line(text, {{"text", document}});
  return text;
}

std::string chat_lines(const std::vector<Conversation>& chats) {
  std::string text;
  for (const Conversation& chat : chats) {
    Json messages = Json::array();
    for (const Message& message : chat)
      messages.push_back({{"role", message.role}, {"content", message.content}});
    add_line(text, {{"messages", std::move(messages)}});
  }
  return text;
}

std::string question_lines(const std::vector<Question>& questions) {
  std::string text;
  for (const Question& question : questions) add_line(text, to_json(question));
  return text;
}

// Both lists, in random order.
template <class T>
std::vector<T> shuffled(std::vector<T> first, std::vector<T> second, Rng& rng) {
  std::ranges::move(second, std::back_inserter(first));
  rng.shuffle(std::span<T>(first));
  return first;
}

Lessons make_lessons(const WorldData& data, const WriteOptions& options) {
  const uint64_t seed = options.world.seed;
  const LessonCounts& counts = options.lessons;
  const World& world = data.world;
  const Split& split = data.split;
  Rng manners(seed, 14), thoughts(seed, 15), tales(seed, 16);
  Lessons lessons;
  lessons.manners = mannered_chats(world, split, counts.manners, manners);
  lessons.choices = make_choices(world, split, counts.choices, manners);
  lessons.courtesy = courtesy_questions(world, split, counts.questions, manners);
  const PuzzleSplit puzzles = split_puzzles(world, split);
  lessons.thoughts =
      shuffled(sum_chats(split, counts.thoughts / 2, thoughts),
               puzzle_chats(world, puzzles.train, counts.thoughts / 2, thoughts), thoughts);
  lessons.problems =
      shuffled(sum_problems(split, counts.problems / 2, thoughts),
               puzzle_problems(world, puzzles.train, counts.problems / 2, thoughts), thoughts);
  lessons.thinking = thought_questions(split, counts.questions, thoughts);
  std::ranges::move(puzzle_questions(world, puzzles.held_out, counts.questions, thoughts),
                    std::back_inserter(lessons.thinking));
  lessons.tales = tale_chats(world, split, counts.tales, tales);
  lessons.telling = tale_questions(world, split, counts.questions, tales);
  return lessons;
}

void write_lessons(const fs::path& folder, const Lessons& lessons) {
  write_file(folder / "manners.jsonl", chat_lines(lessons.manners));
  write_file(folder / "thoughts.jsonl", chat_lines(lessons.thoughts));
  write_file(folder / "tales.jsonl", chat_lines(lessons.tales));
  write_file(folder / "courtesy.jsonl", question_lines(lessons.courtesy));
  write_file(folder / "thinking.jsonl", question_lines(lessons.thinking));
  write_file(folder / "telling.jsonl", question_lines(lessons.telling));
  std::string choices, prompts, problems;
  for (const Choice& choice : lessons.choices) {
    add_line(choices,
             {{"prompt", choice.prompt}, {"chosen", choice.chosen}, {"rejected", choice.rejected}});
    add_line(prompts, {{"prompt", choice.prompt}});
  }
  for (const Problem& problem : lessons.problems)
    add_line(problems, {{"prompt", problem.prompt}, {"answer", problem.answers}});
  write_file(folder / "choices.jsonl", choices);
  write_file(folder / "prompts.jsonl", prompts);
  write_file(folder / "problems.jsonl", problems);
}

Json description_of(const World& world) {
  Json all = Json::array();
  for (const Fact& fact : facts(world))
    all.push_back({{"relation", relation_name(fact.relation)},
                   {"en", answer_of(world, fact, Language::english)},
                   {"ko", answer_of(world, fact, Language::korean)}});
  return {{"seed", world.options.seed},
          {"people", world.options.people},
          {"places", world.options.places},
          {"facts", std::move(all)}};
}

}  // namespace

WorldData make_world_data(const WriteOptions& options) {
  WorldData data{.world = make_world(options.world)};
  data.split = split_world(data.world, options.held_out_sums);
  const uint64_t seed = options.world.seed;
  Rng documents(seed, 10), validation(seed, 11), chats(seed, 12), questions(seed, 13);
  data.documents = make_documents(data.world, data.split, options.documents, documents);
  data.validation =
      make_documents(data.world, data.split, options.validation_documents, validation);
  data.chats = make_chats(data.world, data.split, options.chats, chats);
  data.questions = make_questions(data.world, data.split, options.questions, questions);
  data.lessons = make_lessons(data, options);
  return data;
}

void write_world(const fs::path& folder, const WorldData& data) {
  AtomicFolder target(folder);
  const fs::path& staging = target.staging();
  write_file(staging / "pretrain.jsonl", text_lines(data.documents));
  write_file(staging / "validation.jsonl", text_lines(data.validation));
  write_file(staging / "sft.jsonl", chat_lines(data.chats));
  write_file(staging / "eval.jsonl", question_lines(data.questions));
  write_lessons(staging, data.lessons);
  write_file(staging / "world.json", dump_json(description_of(data.world), 1) + "\n");
  target.commit();
}

std::vector<Question> load_questions(const fs::path& eval_jsonl) {
  const std::string text = read_file(eval_jsonl);
  std::vector<Question> questions;
  int64_t line = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string where = concat(eval_jsonl.string(), ":", ++line);
    questions.push_back(question_from_json(parse_json(rest.substr(0, end), where), where));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  REQUIRE(!questions.empty(), eval_jsonl.string(), ": no questions");
  return questions;
}

}  // namespace malssi::world
