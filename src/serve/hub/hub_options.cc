#include "serve/hub/hub_options.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace malssi {
namespace {

constexpr size_t kLongestName = 128;

void check_name(const std::string& name, const std::string& text) {
  const bool prints = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != ':';
  });
  REQUIRE(!name.empty() && name.size() <= kLongestName && prints, "'", name, "' (of ", text,
          ") cannot be a model's name: give NAME=PATH, a name of 1 to ", kLongestName,
          " characters without spaces and colons");
}

std::string name_of(const fs::path& path) {
  fs::path clean = path.lexically_normal();
  if (!clean.has_filename()) clean = clean.parent_path();
  const std::string last = clean.filename().string();
  const bool inside_run = last == "model" || last == "best" || last == "adapter";
  if (inside_run && clean.parent_path().has_filename())
    return clean.parent_path().filename().string();
  return clean.extension() == ".gguf" ? clean.stem().string() : last;
}

}  // namespace

ModelSpec parse_model_spec(const std::string& text) {
  const size_t equals = path_exists(text) ? text.npos : text.find('=');
  ModelSpec spec;
  spec.path = equals == text.npos ? text : text.substr(equals + 1);
  spec.name = equals == text.npos ? name_of(spec.path) : text.substr(0, equals);
  check_name(spec.name, text);
  return spec;
}

AdapterSpec parse_adapter_spec(const std::string& text) {
  AdapterSpec spec;
  const size_t equals = path_exists(text) ? text.npos : text.find('=');
  if (equals == text.npos) {
    spec.path = text;
    spec.name = name_of(spec.path);
  } else {
    spec.path = text.substr(equals + 1);
    spec.name = text.substr(0, equals);
    if (const size_t colon = spec.name.find(':'); colon != spec.name.npos) {
      spec.base = spec.name.substr(0, colon);
      spec.name.erase(0, colon + 1);
    }
  }
  check_name(spec.name, text);
  return spec;
}

void check_hub_options(const HubOptions& options) {
  REQUIRE(!options.models.empty(), "there is nothing to serve: name a model with --model");
  REQUIRE(options.slots >= 1 && options.slots <= 1024, "slots: ", options.slots,
          ", expected 1 to 1024");
  REQUIRE(options.queue >= 0, "queue: ", options.queue, ", expected 0 or more");
  REQUIRE(options.context >= 0, "context: ", options.context, ", expected 0 or more");
  REQUIRE(options.memory_limit >= 0, "memory limit: ", options.memory_limit,
          " bytes, expected 0 (none) or more");
  REQUIRE(options.time_limit > 0, "time limit: ", options.time_limit,
          " seconds, expected more than 0");
  std::set<std::string> names;
  for (const ModelSpec& model : options.models) {
    REQUIRE(names.insert(model.name).second, "two models are called '", model.name,
            "': give one another name with NAME=PATH");
    REQUIRE(path_exists(model.path), "no model at ", model.path.string(), ": check the path");
  }
  for (const AdapterSpec& adapter : options.adapters) {
    const std::string base = adapter.base.empty() ? options.models.front().name : adapter.base;
    REQUIRE(names.count(base), "the adapter '", adapter.name, "' is for the model '", base,
            "', which is not served");
    REQUIRE(names.insert(base + ":" + adapter.name).second, "two adapters of '", base,
            "' are called '", adapter.name, "': give one another name with NAME=PATH");
    REQUIRE(path_exists(adapter.path), "no adapter at ", adapter.path.string(), ": check the path");
  }
}

}  // namespace malssi
