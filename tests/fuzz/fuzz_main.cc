// One fuzzer: libFuzzer calls this with inputs of its making. MALSSI_FUZZ_TARGET names the target.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const malssi::fuzz::Target& target = malssi::fuzz::target_named(MALSSI_FUZZ_TARGET);
  malssi::fuzz::run(target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
