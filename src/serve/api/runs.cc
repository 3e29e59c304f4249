#include "serve/api/runs.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "serve/api/call.h"
#include "serve/api_error.h"
#include "train/run/run_folder.h"

namespace malssi {
namespace {

constexpr int64_t kLongestMetrics = int64_t{64} << 20;
constexpr size_t kMostRuns = 1000;

int64_t changed_at(const fs::path& path) {
  struct stat about = {};
  return ::stat(path.c_str(), &about) == 0 ? static_cast<int64_t>(about.st_mtime) : 0;
}

// Whole lines of JSON; a run may be writing the last one.
std::vector<Json> lines_after(const fs::path& file, int64_t after) {
  std::vector<Json> lines;
  if (!path_exists(file)) return lines;
  const std::string text = read_file(file, kLongestMetrics);
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    try {
      Json line = parse_json(std::string_view(text).substr(begin, end - begin), file.string());
      if (get_or<int64_t>(line, "step", -1, file.string()) > after)
        lines.push_back(std::move(line));
    } catch (const Error&) {
      continue;  // a damaged line hides no others
    }
  }
  return lines;
}

int64_t last_step(const fs::path& file) {
  const std::vector<Json> lines = lines_after(file, -1);
  return lines.empty() ? 0 : get_or<int64_t>(lines.back(), "step", 0, file.string());
}

// "steps = N" of config.toml, which the run wrote itself.
std::optional<int64_t> planned_steps(const fs::path& config) {
  if (!path_exists(config)) return std::nullopt;
  const std::string text = read_file(config, 1 << 20);
  for (size_t at = text.find("\nsteps"); at != text.npos; at = text.find("\nsteps", at + 1)) {
    const size_t equals = text.find_first_not_of(" =", at + 6);
    int64_t steps = 0;
    if (equals != text.npos &&
        std::from_chars(text.data() + equals, text.data() + text.size(), steps).ec == std::errc())
      return steps;
  }
  return std::nullopt;
}

Json run_json(const fs::path& run) {
  Json json;
  json["name"] = run.filename().string();
  json["kind"] = run_kind(run);
  json["step"] = last_step(run / "metrics.jsonl");
  const auto steps = planned_steps(run / "config.toml");
  json["steps"] = steps ? Json(*steps) : Json();
  json["updated"] = changed_at(run / "metrics.jsonl");
  return json;
}

}  // namespace

HttpReply list_runs(const fs::path& folder) {
  std::vector<Json> runs;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (runs.size() == kMostRuns || !path_exists(entry.path() / "run.json")) continue;
    try {
      runs.push_back(run_json(entry.path()));
    } catch (const Error&) {
      continue;  // a folder that is no whole run yet
    }
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Json& a, const Json& b) {
    return a["updated"].get<int64_t>() > b["updated"].get<int64_t>();
  });
  Json body;
  body["runs"] = runs;
  return json_reply(body);
}

HttpReply tell_run(const fs::path& folder, const HttpRequest& request) {
  const std::string name = request.path.substr(request.path.rfind('/') + 1);
  const bool is_plain = !name.empty() && name != "." && name != ".." &&
                        name.find('\0') == name.npos && name.find('\\') == name.npos;
  if (!is_plain || folder.empty() || !path_exists(folder / name / "run.json"))
    throw ApiError(404, concat("there is no run '", message_line(name), "'"), {}, "run_not_found");
  int64_t after = -1;
  if (const auto given = request.query.find("after"); given != request.query.end()) {
    const std::string& text = given->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
    if (error != std::errc() || end != text.data() + text.size())
      throw ApiError(400, "after is no step, expected a whole number", "after", "invalid_value");
  }
  Json body;
  body["name"] = name;
  body["metrics"] = lines_after(folder / name / "metrics.jsonl", after);
  return json_reply(body);
}

}  // namespace malssi
