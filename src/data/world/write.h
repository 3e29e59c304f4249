// A world as files, ready for pretraining, tuning and evaluation:
//   pretrain.jsonl, validation.jsonl   {"text"}: documents
//   sft.jsonl                          {"messages"}: chats
//   eval.jsonl                         questions (questions.h)
//   world.json                         the options and every fact
#pragma once

#include "base/file.h"
#include "data/world/chats.h"
#include "data/world/questions.h"
#include "data/world/world.h"

namespace malssi::world {

struct WriteOptions {
  WorldOptions world;
  int64_t documents = 12000, validation_documents = 300;
  int64_t held_out_sums = 1600;  // of 8,100
  ChatCounts chats;
  QuestionCounts questions;
};

// What the files hold, made in memory. The same options give the same content everywhere.
struct WorldData {
  World world;
  Split split = {};
  std::vector<std::string> documents = {}, validation = {};
  std::vector<Conversation> chats = {};
  std::vector<Question> questions = {};
};
WorldData make_world_data(const WriteOptions& options);

// Writes the folder whole or not at all.
void write_world(const fs::path& folder, const WorldData& data);
std::vector<Question> load_questions(const fs::path& eval_jsonl);

}  // namespace malssi::world
