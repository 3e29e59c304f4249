// How a run begins, and how it goes on, whatever it trains.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/console.h"
#include "base/lock.h"
#include "io/checkpoint.h"
#include "train/run/run_folder.h"
#include "train/run/session.h"

namespace malssi {

// train(config, schema, checkpoint, begin, console) -> RunResult does the work. checkpoint: what to go on from, if anything;
// begin: to be called when everything fits together.

// Begins a run of this kind in config.train.out, which must hold none yet. settle_paths() makes the paths of the settings whole.
template <class Config, class Settle, class Train>
RunResult start_run(Config& config, std::string_view kind, const Settle& settle_paths,
                    const Train& train, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  settle_paths();
  const std::function<void()> begin = [&] { begin_run(run, kind, schema.to_toml()); };
  return train(config, schema, std::optional<fs::path>(), begin, console);
}

// Goes on with a run. config: its defaults, over which the run's own settings come, and then `settings` ("key=value").
template <class Config, class Train>
RunResult go_on_with_run(Config& config, const fs::path& run,
                         const std::vector<std::string>& settings, const Train& train,
                         Console& console) {
  ConfigSchema schema(config);
  reload_run(schema, config.train, run, settings);
  const std::optional<fs::path> checkpoint = latest_checkpoint(run);
  const std::function<void()> begin = begin_again(schema, run, settings);
  return train(config, schema, checkpoint, begin, console);
}

}  // namespace malssi
