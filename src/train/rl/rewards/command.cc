#include "train/rl/rewards/command.h"

#include <stdlib.h>

#include <charconv>
#include <cmath>
#include <future>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"

namespace malssi {
namespace {

// A folder that disappears with all that was put there.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "malssi-reward-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw_system("create", name, errno);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::optional<double> last_line_number(std::string_view output) {
  const size_t end = output.find_last_not_of(" \t\r\n");
  if (end == output.npos) return {};
  output = output.substr(0, end + 1);
  output.remove_prefix(output.find_last_of('\n') + 1);  // npos + 1 is 0
  output.remove_prefix(output.find_first_not_of(" \t"));
  double value = 0;
  const auto [stop, error] = std::from_chars(output.data(), output.data() + output.size(), value);
  const bool whole = error == std::errc() && stop == output.data() + output.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

struct Judged {
  double score = 0;
  std::string problem;  // empty: none
};

class CommandReward : public Reward {
 public:
  explicit CommandReward(CommandOptions options) : options_(std::move(options)) {}

  std::vector<double> scores(std::span<const JudgedAnswer> answers) override {
    std::vector<Judged> judged(answers.size());
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t i = next++; i < answers.size(); i = next++) judged[i] = judge(answers[i]);
    };
    std::vector<std::future<void>> workers;
    for (int i = 0; i < thread_count(); ++i)
      workers.push_back(std::async(std::launch::async, work));
    for (auto& each : workers) each.get();
    return told(judged);
  }

 private:
  Judged judge(const JudgedAnswer& answer) const {
    const TemporaryFolder folder;
    const fs::path input = folder.path() / "answer.txt";
    write_plain(input, answer.text);
    write_plain(folder.path() / "code.txt", code_of(answer.text));
    write_plain(folder.path() / "prompt.txt", answer.prompt.messages.back().content);
    write_plain(folder.path() / "record.json", dump_json(answer.prompt.record));
    const SandboxResult result =
        run_sandboxed(options_.command, folder.path(), input, options_.limits);
    using End = SandboxResult::End;
    if (options_.says == CommandSays::verdict && result.end == End::exited)
      return {.score = result.code == 0 ? 1.0 : 0.0, .problem = {}};
    if (result.end != End::exited || result.code != 0)
      return {.score = options_.failed, .problem = describe(result, options_.limits)};
    const auto number = last_line_number(result.output);
    if (!number) return {.score = options_.failed, .problem = "printed no number on its last line"};
    return {.score = *number, .problem = {}};
  }

  static void write_plain(const fs::path& file, std::string_view content) {
    AppendFile(file).write(content);
  }

  std::vector<double> told(const std::vector<Judged>& judged) const {
    std::vector<double> scores;
    int64_t problems = 0;
    std::string first;
    for (const Judged& each : judged) {
      scores.push_back(each.score);
      if (!each.problem.empty() && problems++ == 0) first = each.problem;
    }
    if (problems > 0 && options_.warn)
      options_.warn(concat("reward \"", options_.name, "\": the command failed for ", problems,
                           " of ", judged.size(), " answers, which earn ", options_.failed,
                           "; the first ", first, ": ", options_.command));
    return scores;
  }

  CommandOptions options_;
};

}  // namespace

std::string code_of(std::string_view text) {
  constexpr std::string_view kFence = "```";
  const size_t close = text.rfind(kFence);
  if (close == text.npos || close == 0) return std::string(text);
  const size_t open = text.rfind(kFence, close - 1);
  if (open == text.npos) return std::string(text);
  const size_t line = text.find('\n', open);  // after the language's name
  return line < close ? std::string(text.substr(line + 1, close - line - 1)) : std::string();
}

std::unique_ptr<Reward> command_reward(const CommandOptions& options) {
  return std::make_unique<CommandReward>(options);
}

}  // namespace malssi
