// Which panel kernels there are besides the reference.
#pragma once

#include "kernels/panel/panel.h"

namespace malssi::panel {

const Kernels& avx2_kernels();
const Kernels& avx_vnni_kernels();     // AVX2 with the dot products of bytes
const Kernels& avx512_kernels();       // with the dot products of bytes
const Kernels& avx512_bf16_kernels();  // and those of bf16

}  // namespace malssi::panel
