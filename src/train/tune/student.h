// The model that a tuning run changes, with its tokenizer and chat template.
#pragma once

#include <memory>
#include <string>

#include "io/model_folder.h"

namespace malssi {

struct Student {
  std::unique_ptr<Model> model;
  std::unique_ptr<Tokenizer> tokenizer;
  ChatTemplate chat;
};

struct StudentOptions {
  std::string chat_template = "";  // a style; empty = the model's own, else the default
  double dropout = 0;
  DType compute = DType::f32;
};

// The model of a folder or run, with a token for each mark of the chat template. Throws Error.
Student load_student(const fs::path& folder, const StudentOptions& options);

// The tokens of a sequence: those asked for (`key` names the setting), else as many as the model takes.
int64_t student_context(const Model& model, int64_t asked, std::string_view key);

}  // namespace malssi
