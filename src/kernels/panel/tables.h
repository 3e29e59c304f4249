// Which panel kernels there are besides the reference.
#pragma once

#include "kernels/panel/panel.h"

namespace malssi::panel {

const Kernels& avx2_kernels();
const Kernels& avx512_kernels();  // with the dot products of bytes (VNNI) and of bf16

}  // namespace malssi::panel
