// The clipped loss of a critic (Schulman et al. 2016; as Ouyang et al. 2022 use it) for one token, with its derivative.
#pragma once

namespace malssi {

struct ValueLoss {
  double value = 0;
  double derivative = 0;  // by the value
};

// 1/2 max((v - R)^2, (clip(v, before - clip, before + clip) - R)^2) with R = target.
ValueLoss clipped_value_loss(double v, double before, double target, double clip);

}  // namespace malssi
