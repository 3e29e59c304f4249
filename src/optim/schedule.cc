#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace malssi {

const std::vector<std::string>& schedule_kinds() {
  static const std::vector<std::string> kinds = {"cosine", "linear", "wsd", "constant"};
  return kinds;
}

Schedule::Schedule(ScheduleOptions options) : options_(std::move(options)) {
  const auto& kinds = schedule_kinds();
  REQUIRE(std::find(kinds.begin(), kinds.end(), options_.kind) != kinds.end(), "schedule \"",
          options_.kind, "\" is not known: use cosine, linear, wsd or constant");
  REQUIRE(std::isfinite(options_.peak) && options_.peak >= 0, "schedule: a peak learning rate of ",
          options_.peak, " makes no sense: use a small positive number such as 1e-3");
  REQUIRE(options_.floor >= 0 && options_.floor <= options_.peak,
          "schedule: the final learning rate ", options_.floor, " must lie between 0 and the peak ",
          options_.peak);
  REQUIRE(options_.steps >= 1, "schedule: ", options_.steps, " steps: at least 1 is needed");
  REQUIRE(options_.warmup >= 0, "schedule: ", options_.warmup, " warm-up steps: use 0 or more");
  REQUIRE(options_.decay_fraction >= 0 && options_.decay_fraction <= 1,
          "schedule: the decaying part ", options_.decay_fraction, " must lie between 0 and 1");
}

double Schedule::at(int64_t step) const {
  const auto& o = options_;
  if (step < o.warmup) {
    return o.peak * static_cast<double>(step + 1) / static_cast<double>(o.warmup + 1);
  }
  return o.floor + (o.peak - o.floor) * curve(std::min(step, o.steps));
}

double Schedule::curve(int64_t step) const {
  const auto& o = options_;
  if (o.kind == "constant") return 1.0;
  double begin = static_cast<double>(o.warmup);
  const double end = static_cast<double>(o.steps);
  if (o.kind == "wsd") begin = std::max(begin, end * (1.0 - o.decay_fraction));
  const double now = static_cast<double>(step);
  if (now <= begin) return 1.0;
  const double done =
      std::min(1.0, (now - begin) / (end - begin));  // end > begin: begin < now <= end
  if (o.kind == "cosine") return 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  return 1.0 - done;
}

}  // namespace malssi
