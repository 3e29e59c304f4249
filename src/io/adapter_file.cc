#include "io/adapter_file.h"

#include "base/error.h"
#include "io/adapter_formats.h"
#include "io/model_source.h"

namespace malssi {
int64_t AdapterFile::parameter_count() const {
  int64_t count = 0;
  for (const AdapterPart& part : parts)
    count += part.a.size() + part.b.size() + part.magnitude.size();
  for (const ScalingPart& part : extras.scalings) count += part.factors.size();
  for (const NormPart& part : extras.norms) count += part.weight.size() + part.bias.size();
  for (const BottleneckPart& part : extras.bottlenecks)
    count += part.down.size() + part.down_bias.size() + part.up.size() + part.up_bias.size();
  for (const NamedTensor& part : head) count += part.value.size();
  return count + extras.prompt.size() + extras.prefix.size();
}

std::string_view peft_kind(AdapterKind kind) {
  switch (kind) {
    case AdapterKind::lora:
      return "LORA";
    case AdapterKind::ia3:
      return "IA3";
    case AdapterKind::prompt:
      return "PROMPT_TUNING";
    case AdapterKind::prefix:
      return "PREFIX_TUNING";
    case AdapterKind::norms:
      return "LN_TUNING";
    case AdapterKind::bottleneck:
      return "BOTTLENECK";
  }
  return {};
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
  if (!file.head.empty()) fit_head(file, model);
  return {file.where(),
          file.format == AdapterFormat::gguf ? parts_from_gguf(file, model) : file.parts,
          file.extras};
}

int64_t attach_adapter(Model& model, const fs::path& path) {
  const AdapterFile file = open_adapter(path);
  try {
    return model.attach(fit_adapter(file, model));
  } catch (const Error& error) {
    if (file.base.empty()) throw;
    throw Error(concat(error.what(), " (it says that its base is ", file.base, ")"));
  }
}

}  // namespace malssi
