#include "io/pooling.h"

#include <array>
#include <utility>

#include "base/json.h"

namespace malssi {

std::string folder_pooling(const fs::path& folder) {
  constexpr std::array<std::pair<const char*, const char*>, 4> kFlags = {
      {{"pooling_mode_cls_token", "cls"},
       {"pooling_mode_mean_tokens", "mean"},
       {"pooling_mode_lasttoken", "last"},
       {"pooling_mode_max_tokens", "max"}}};
  const fs::path path = folder / "1_Pooling" / "config.json";
  if (!path_exists(path)) return "";
  const Json json = load_json(path);
  for (const auto& [flag, name] : kFlags)
    if (get_or<bool>(json, flag, false, path.string())) return name;
  return "other";
}

bool folder_normalizes(const fs::path& folder) {
  const fs::path path = folder / "modules.json";
  if (!path_exists(path)) return false;
  bool normalizes = false;
  for (const Json& module : load_json(path))
    normalizes = module.is_object() &&
                 get_or<std::string>(module, "type", "", path.string()).ends_with(".Normalize");
  return normalizes;
}

}  // namespace malssi
