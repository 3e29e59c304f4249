#include "train/tune/teacher.h"

#include "base/error.h"
#include "models/value_head.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

void check_tokenizer(const Tokenizer& teacher, const Tokenizer& student, const std::string& name) {
  REQUIRE(teacher.vocab_size() == student.vocab_size(), name, ": its tokenizer has ",
          teacher.vocab_size(), " tokens and the student's ", student.vocab_size(),
          ": distillation by logits needs one tokenizer; for another, learn from its answers "
          "(malssi align best-of)");
  for (int32_t id = 0; id < student.vocab_size(); ++id)
    REQUIRE(teacher.token_bytes(id) == student.token_bytes(id), name, ": token ", id, " is \"",
            teacher.token_bytes(id), "\" and the student's \"", student.token_bytes(id),
            "\": distillation by logits needs one tokenizer; for another, learn from its answers "
            "(malssi align best-of)");
}

}  // namespace

Teacher::Teacher(const fs::path& model, DType compute, const Tokenizer& tokenizer, int64_t context)
    : loaded_(load_model(model, compute, ImportMode::hold)), known_(tokenizer.vocab_size()) {
  const std::string name = model.string();
  REQUIRE(!is_encoder(loaded_.model->config()) && !has_value_head(*loaded_.model) &&
              !labels_of(*loaded_.model),
          name, ": writes no text: name a language model as the teacher");
  check_tokenizer(*loaded_.tokenizer, tokenizer, name);
  const ModelConfig& config = loaded_.model->config();
  REQUIRE(config.vocab >= known_, name, ": its output layer has ", config.vocab,
          " rows, its tokenizer ", known_, " tokens");
  REQUIRE(config.context >= context, name, ": the teacher takes ", config.context,
          " tokens and the student is trained on ", context, ": give --context ", config.context,
          " (sft.context)");
}

Tensor Teacher::hidden(const Batch& batch) const {
  const NoTape untaped;
  CausalBatch context(batch.starts);
  return loaded_.model->hidden(batch.ids, context);
}

Tensor Teacher::logits(const Tensor& hidden) const {
  const NoTape untaped;
  return loaded_.model->logits(hidden);
}

}  // namespace malssi
