#include "train/run/settings.h"

#include "base/error.h"

namespace malssi {

void OptimSettings::check() const {
  REQUIRE(min_lr <= lr, "optim.min_lr = ", min_lr, " is above optim.lr = ", lr,
          ": the schedule falls from lr to min_lr");
}

OptimizerOptions optimizer_options(const OptimSettings& optim) {
  return {.name = optim.name,
          .beta1 = optim.beta1,
          .beta2 = optim.beta2,
          .eps = optim.eps,
          .weight_decay = optim.weight_decay,
          .muon_ratio = optim.muon_ratio,
          .muon_momentum = optim.muon_momentum,
          .bf16_moments = optim.moments == "bf16"};
}

ScheduleOptions schedule_options(const OptimSettings& optim, int64_t steps) {
  return {.kind = optim.schedule,
          .peak = optim.lr,
          .floor = optim.min_lr,
          .warmup = optim.warmup_steps,
          .steps = steps,
          .decay_fraction = optim.decay_fraction};
}

}  // namespace malssi
