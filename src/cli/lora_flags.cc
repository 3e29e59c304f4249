#include "cli/lora_flags.h"

#include <charconv>
#include <cmath>

#include "base/error.h"

namespace malssi {

LoraChoice parse_adapter(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos || path_exists(text)) return {.path = text};
  LoraChoice choice{.path = text.substr(0, colon)};
  const char *const begin = text.data() + colon + 1, *const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(begin, end, choice.weight);
  if (error != std::errc() || at != end || !std::isfinite(static_cast<float>(choice.weight)))
    throw UsageError("adapter " + text + ": expected PATH or PATH:WEIGHT, WEIGHT a finite number");
  return choice;
}

void LoraFlags::add_to(CLI::App& command) {
  command
      .add_option("--lora,--adapter", texts_,
                  "adapter, a PEFT folder, a run or a GGUF file, with a weight (default 1); "
                  "may be given "
                  "several times")
      ->type_name("PATH[:WEIGHT]")
      ->allow_extra_args(false);
}

std::vector<LoraChoice> LoraFlags::choices() const {
  std::vector<LoraChoice> choices;
  for (const std::string& text : texts_) choices.push_back(parse_adapter(text));
  return choices;
}

AdapterMix LoraFlags::attach(Model& model) const {
  AdapterMix mix;
  for (const LoraChoice& choice : choices())
    mix.push_back({.adapter = attach_adapter(model, choice.path),
                   .weight = static_cast<float>(choice.weight)});
  return mix;
}

void LoraFlags::lend_chat(LoadedModel& loaded) const {
  for (const LoraChoice& choice : choices()) {
    const fs::path adapter = find_adapter(choice.path);
    if (!loaded.chat && is_folder(adapter)) loaded.chat = load_chat_template(adapter);
  }
}

}  // namespace malssi
