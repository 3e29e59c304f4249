#include "train/tune/student.h"

#include <algorithm>

#include "base/error.h"
#include "train/pretrain/grow.h"

namespace malssi {

Student load_student(const fs::path& folder, const StudentOptions& options) {
  LoadedModel loaded = load_model(folder, options.compute);
  Student student{.model = {}, .tokenizer = std::move(loaded.tokenizer), .chat = {}};
  if (!options.chat_template.empty()) {
    student.chat = ChatTemplate::named(options.chat_template);
  } else if (loaded.chat) {
    student.chat = *loaded.chat;
  }
  for (const std::string& token : student.chat.special_tokens())
    student.tokenizer->add_special(token);
  const int64_t vocab = std::max(loaded.model->config().vocab, student.tokenizer->vocab_size());
  student.model = grown(*loaded.model, {.vocab = vocab, .dropout = options.dropout});
  return student;
}

int64_t student_context(const Model& model, int64_t asked, std::string_view key) {
  const int64_t most = model.config().context;
  REQUIRE(asked <= most, key, " = ", asked, " is more than the model takes: at most ", most);
  return asked > 0 ? asked : most;
}

}  // namespace malssi
