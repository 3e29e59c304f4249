#include "io/checkpoint.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/error.h"
#include "io/safetensors.h"

namespace malssi {
namespace {

constexpr std::string_view kFolder = "checkpoints";
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kStateJson = "train_state.json";
constexpr std::string_view kStateTensors = "train_state.safetensors";

// The step in "step-00001000"; nothing for other names.
std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return {};
  int64_t step = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, problem] = std::from_chars(name.data() + kPrefix.size(), end, step);
  if (problem != std::errc() || stop != end || step < 0) return {};
  return step;
}

bool is_whole(const fs::path& folder) {
  try {
    verify_folder(folder);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Removes a checkpoint so that a half-removed one never carries a checkpoint's name. What fails is
// left for the next time.
void remove_checkpoint(const fs::path& folder) {
  fs::path aside = folder;
  aside += ".old";
  std::error_code ignored;
  fs::remove_all(aside, ignored);
  fs::rename(folder, aside, ignored);
  fs::remove_all(aside, ignored);
}

// Leftovers of killed writers and removers.
void remove_leftovers(const fs::path& checkpoints) {
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(checkpoints, ignored)) {
    const fs::path name = entry.path().filename();
    if (name.string().starts_with(kPrefix) &&
        (name.extension() == ".old" || name.extension() == ".tmp"))
      leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, ignored);
}

// Keeps the newest `keep` up to this step. Later ones can only be damaged: a run goes on from its
// newest whole checkpoint.
void remove_superseded(const fs::path& run, int64_t step, int64_t keep) {
  int64_t kept = 0;
  for (const int64_t other : checkpoint_steps(run)) {
    const fs::path folder = checkpoint_folder(run, other);
    if (other > step ? !is_whole(folder) : ++kept > keep) remove_checkpoint(folder);
  }
}

// <checkpoints>/latest -> step-N, replaced in one step. Only a convenience: a file system without
// links has none.
void point_latest(const fs::path& checkpoints, const fs::path& name) {
  const fs::path link = checkpoints / "latest", temporary = checkpoints / "latest.tmp";
  std::error_code ignored;
  fs::remove(temporary, ignored);
  if (::symlink(name.c_str(), temporary.c_str()) != 0) return;
  if (::rename(temporary.c_str(), link.c_str()) != 0) fs::remove(temporary, ignored);
}

}  // namespace

fs::path checkpoint_folder(const fs::path& run, int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return run / kFolder / (std::string(kPrefix) + digits);
}

std::vector<int64_t> checkpoint_steps(const fs::path& run) {
  std::vector<int64_t> steps;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run / kFolder, ignored)) {
    const auto step = step_of(entry.path().filename().string());
    if (step && checkpoint_folder(run, *step) == entry.path()) steps.push_back(*step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

void save_checkpoint(const fs::path& run, int64_t step,
                     const std::function<void(const fs::path& folder)>& write,
                     const TrainState& state, int64_t keep) {
  CHECK(step >= 0, "step ", step);
  const fs::path folder = checkpoint_folder(run, step), checkpoints = run / kFolder;
  remove_leftovers(checkpoints);
  if (path_exists(folder) && !is_whole(folder)) remove_checkpoint(folder);
  AtomicFolder whole(folder);
  write(whole.staging());
  write_safetensors(whole.staging() / kStateTensors, state.tensors, {}, Durability::later);
  write_file(whole.staging() / kStateJson, dump_json(state.json, 2) + "\n", Durability::later);
  whole.commit();
  settle_checkpoints(run, step, keep);
}

void settle_checkpoints(const fs::path& run, int64_t step, int64_t keep) {
  remove_leftovers(run / kFolder);
  point_latest(run / kFolder, checkpoint_folder(run, step).filename());
  remove_superseded(run, step, std::max<int64_t>(keep, 2));
}

void save_checkpoint(const fs::path& run, int64_t step, Model& model, const Tokenizer& tokenizer,
                     const TrainState& state, int64_t keep, const ChatTemplate* chat,
                     const SaveOptions& options) {
  const auto write = [&](const fs::path& folder) {
    save_model_files(folder, model, tokenizer, chat, options);
  };
  save_checkpoint(run, step, write, state, keep);
}

std::optional<fs::path> latest_checkpoint(const fs::path& run,
                                          const std::function<void(std::string_view)>& warn) {
  std::string first_problem;
  for (const int64_t step : checkpoint_steps(run)) {
    const fs::path folder = checkpoint_folder(run, step);
    try {
      verify_folder(folder);
      return folder;
    } catch (const Error& damage) {
      if (warn) warn(concat("skipping checkpoint ", folder.string(), ": ", damage.what()));
      if (first_problem.empty()) first_problem = damage.what();
    }
  }
  REQUIRE(first_problem.empty(), "no checkpoint in ", run.string(), " is whole (", first_problem,
          "): start the run again, in another folder");
  return {};
}

TrainState load_train_state(const fs::path& checkpoint) {
  TrainState state;
  state.json = load_json(checkpoint / kStateJson);
  REQUIRE(state.json.is_object(), (checkpoint / kStateJson).string(),
          ": expected an object, found ", json_kind(state.json));
  const Safetensors file(checkpoint / kStateTensors);
  for (const Entry& entry : file.entries())
    state.tensors.push_back(lazily(entry.name, file.borrow(entry)));
  return state;
}

}  // namespace malssi
