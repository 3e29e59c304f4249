// Every block format, each defined in the file of its name.
#pragma once

#include "quant/formats.h"

namespace malssi {

extern const QuantFormat kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ2K, kQ3K, kQ4K, kQ5K, kQ6K, kIq4Nl,
    kMxfp4, kNf4;

}  // namespace malssi
