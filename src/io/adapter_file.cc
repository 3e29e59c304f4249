#include "io/adapter_file.h"

#include "base/error.h"
#include "io/adapter_formats.h"
#include "io/model_source.h"
#include "models/value_head.h"

namespace malssi {
namespace {

void fit_score(const AdapterFile& file, Model& model) {
  REQUIRE(has_value_head(model), file.where(),
          ": makes a reward model, which writes no answers: name it where a reward model is asked "
          "for (malssi align ppo --reward)");
  REQUIRE(file.score.shape() == model.head().shape(), file.where(), ": its value head is ",
          file.score.shape(), ", but the model's width asks for ", model.head().shape(),
          ": the adapter was made for another base model");
  model.head().copy_from(file.score);
}

}  // namespace

int64_t AdapterFile::parameter_count() const {
  int64_t count = 0;
  for (const AdapterPart& part : parts) count += part.a.size() + part.b.size();
  return count;
}

bool is_adapter(const fs::path& path) {
  if (!path_exists(path)) return false;
  return is_folder(path) ? path_exists(path / kPeftConfig) : is_gguf_adapter(path);
}

fs::path find_adapter(const fs::path& path) {
  for (const char* inside : {"adapter", "best"})
    if (is_folder(path) && !is_adapter(path) && is_adapter(path / inside)) return path / inside;
  return path;
}

AdapterFile open_adapter(const fs::path& adapter_or_run) {
  REQUIRE(path_exists(adapter_or_run), "no adapter at ", adapter_or_run.string(),
          ": no such file or folder: check the path");
  const fs::path path = find_adapter(adapter_or_run);
  if (is_folder(path)) {
    REQUIRE(path_exists(path / kPeftConfig), path.string(), ": no adapter: the folder has no ",
            kPeftConfig, "; name a PEFT folder or a GGUF adapter");
    return open_peft_adapter(path);
  }
  REQUIRE(is_gguf_adapter(path), path.string(),
          ": no adapter: expected a PEFT folder, or a GGUF file whose general.type is \"adapter\"");
  return open_gguf_adapter(path);
}

Adapter fit_adapter(const AdapterFile& file, Model& model) {
  if (file.score) fit_score(file, model);
  return {file.where(),
          file.format == AdapterFormat::gguf ? parts_from_gguf(file, model) : file.parts};
}

int64_t attach_adapter(Model& model, const fs::path& path) {
  return model.attach(fit_adapter(open_adapter(path), model));
}

}  // namespace malssi
