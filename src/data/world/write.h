// A world as files, ready for pretraining, tuning and evaluation:
//   pretrain.jsonl, validation.jsonl   {"text"}: documents
//   sft.jsonl                          {"messages"}: chats
//   eval.jsonl                         questions (questions.h)
//   manners.jsonl                      {"messages"}: answers in several manners (manners.h)
//   choices.jsonl                      {"prompt", "chosen", "rejected"}
//   prompts.jsonl                      {"prompt"}: the same questions without answers
//   courtesy.jsonl                     questions
//   thoughts.jsonl                     {"messages"}: additions and puzzles after a thought (thoughts.h, puzzles.h)
//   problems.jsonl                     {"prompt", "answer"}: all that is right
//   thinking.jsonl                     questions
//   tales.jsonl                        {"messages"}: another voice (tales.h)
//   telling.jsonl                      questions
//   world.json                         the options and every fact
#pragma once

#include "base/file.h"
#include "data/world/chats.h"
#include "data/world/manners.h"
#include "data/world/puzzles.h"
#include "data/world/questions.h"
#include "data/world/tales.h"
#include "data/world/thoughts.h"
#include "data/world/world.h"

namespace malssi::world {

// How many of each.
struct LessonCounts {
  int64_t manners = 2400, choices = 4000;
  int64_t thoughts = 2400, problems = 2000;  // half of them additions, half puzzles
  int64_t tales = 2400;
  int64_t questions = 200;  // of each of the four kinds
};

struct WriteOptions {
  WorldOptions world;
  int64_t documents = 12000, validation_documents = 300;
  int64_t held_out_sums = 1600;  // of 8,100
  ChatCounts chats;
  QuestionCounts questions;
  LessonCounts lessons;
};

// What is learned after the chats: courtesy from choices, thinking from answers, another voice.
struct Lessons {
  std::vector<Conversation> manners = {}, thoughts = {}, tales = {};
  std::vector<Choice> choices = {};
  std::vector<Problem> problems = {};
  std::vector<Question> courtesy = {}, thinking = {}, telling = {};
};

// What the files hold, made in memory. The same options give the same content everywhere.
struct WorldData {
  World world;
  Split split = {};
  std::vector<std::string> documents = {}, validation = {};
  std::vector<Conversation> chats = {};
  std::vector<Question> questions = {};
  Lessons lessons = {};
};
WorldData make_world_data(const WriteOptions& options);

// Writes the folder whole or not at all.
void write_world(const fs::path& folder, const WorldData& data);
std::vector<Question> load_questions(const fs::path& eval_jsonl);

}  // namespace malssi::world
