#include "train/run/run_folder.h"

#include "base/error.h"
#include "base/json.h"

namespace malssi {
namespace {

fs::path run_json(const fs::path& run) { return run / "run.json"; }

}  // namespace

fs::path run_config(const fs::path& run) { return run / "config.toml"; }

void check_no_run(const fs::path& run) {
  REQUIRE(!fs::exists(run_json(run)), run.string(),
          " already holds a run: go on with it (malssi resume ", run.string(),
          ") or choose another folder (--out)");
}

void begin_run(const fs::path& run, std::string_view kind, const std::string& config_toml) {
  check_no_run(run);
  write_file(run_config(run), config_toml);
  Json json;
  json["kind"] = kind;
  write_file(run_json(run), dump_json(json, 2) + "\n");  // last: from here on it is a run
}

std::string run_kind(const fs::path& run) {
  REQUIRE(fs::exists(run), "no run at ", run.string(), ": no such folder: check the path");
  const fs::path file = run_json(run);
  REQUIRE(fs::exists(file), "no run at ", run.string(),
          ": the folder has no run.json: name the folder that --out named");
  return get<std::string>(load_json(file), "kind", file.string());
}

void reload_config(ConfigSchema& schema, const fs::path& run,
                   const std::vector<std::string>& settings) {
  schema.load_toml(run_config(run));
  for (const std::string& setting : settings) schema.set(setting);
}

void copy_model(const fs::path& from, const fs::path& to) {
  AtomicFolder whole(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (!entry.is_regular_file() || entry.path().filename() == kManifestName) continue;
    const MappedFile source = MappedFile::open(entry.path());
    AtomicFile copy(whole.staging() / entry.path().filename());
    copy.write(source.bytes().data(), source.size());
    copy.commit();
  }
  whole.commit();
}

}  // namespace malssi
