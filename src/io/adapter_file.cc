#include "io/adapter_file.h"

#include "base/error.h"
#include "io/adapter_formats.h"
#include "io/model_source.h"

namespace malssi {

int64_t AdapterFile::parameter_count() const {
  int64_t count = 0;
  for (const AdapterPart& part : parts) count += part.a.size() + part.b.size();
  return count;
}

bool is_adapter(const fs::path& path) {
  if (!path_exists(path)) return false;
  return is_folder(path) ? path_exists(path / kPeftConfig) : is_gguf_adapter(path);
}

AdapterFile open_adapter(const fs::path& path) {
  REQUIRE(path_exists(path), "no adapter at ", path.string(),
          ": no such file or folder: check the path");
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
  return {file.where(),
          file.format == AdapterFormat::gguf ? parts_from_gguf(file, model) : file.parts};
}

int64_t attach_adapter(Model& model, const fs::path& path) {
  return model.attach(fit_adapter(open_adapter(path), model));
}

}  // namespace malssi
