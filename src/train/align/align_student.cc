#include "train/align/align_student.h"

#include "base/error.h"
#include "models/value_head.h"
#include "train/run/session.h"
#include "train/tune/lora_student.h"

namespace malssi {

Student load_aligned(const AlignConfig& config, const std::optional<fs::path>& checkpoint) {
  const AlignSettings& align = config.align;
  const DType compute = compute_type(config.train);
  Student student = align.lora
                        ? load_frozen(align.model, {.chat_template = align.chat_template,
                                                    .compute = compute,
                                                    .packed = config.lora.packed()})
                        : load_student(checkpoint ? *checkpoint : fs::path(align.model),
                                       {.chat_template = align.chat_template, .compute = compute});
  const bool scores = has_value_head(*student.model);
  REQUIRE(!scores || align.method.scores(), align.model,
          ": is a reward model, which writes no answers: name a language model");
  if (align.method.scores() && !scores) student.model = with_value_head(std::move(student.model));
  return student;
}

Trained begin_trained(const AlignConfig& config, Student& student) {
  if (!config.align.lora) return whole_model(*student.model, *student.tokenizer, &student.chat);
  return begin_lora(student, config.lora, static_cast<uint64_t>(config.train.seed),
                    config.align.model);
}

}  // namespace malssi
