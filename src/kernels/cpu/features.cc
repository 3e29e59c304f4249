#include "kernels/cpu/features.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/error.h"

namespace malssi {
namespace {

// Linux hands out the tile registers on request only (arch_prctl ARCH_REQ_XCOMP_PERM, feature 18).
bool tiles_granted() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

CpuFeatures detect() {
  CpuFeatures cpu;
  __builtin_cpu_init();
  cpu.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  cpu.avx512 = cpu.avx2 && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (cpu.avx2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
    cpu.avx_vnni = (a & (1u << 4)) != 0;
    cpu.avx512_bf16 = cpu.avx512 && (a & (1u << 5)) != 0;
  }
  if (cpu.avx512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0)
    cpu.avx512_vnni = (c & (1u << 11)) != 0;
  if (cpu.avx512_bf16 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    const bool has_tiles = (d & (1u << 24)) != 0 && (d & (1u << 22)) != 0;
    cpu.amx_bf16 = has_tiles && tiles_granted();
  }
  return cpu;
}

CpuFeatures capped(CpuFeatures cpu) {
  const char* setting = std::getenv("MALSSI_SIMD");
  const std::string_view cap = setting == nullptr ? "" : setting;
  if (cap.empty() || cap == "amx") return cpu;
  cpu.amx_bf16 = false;
  if (cap == "avx512bf16") return cpu;
  cpu.avx512_bf16 = cpu.avx512_vnni = false;
  if (cap == "avx512") return cpu;
  cpu.avx512 = false;
  if (cap == "avxvnni") return cpu;
  cpu.avx_vnni = false;
  if (cap == "avx2") return cpu;
  cpu.avx2 = false;
  if (cap == "sse2") return cpu;
  REQUIRE(cap == "scalar", "MALSSI_SIMD: found \"", cap,
          "\"; expected scalar, sse2, avx2, avxvnni, avx512, avx512bf16 or amx");
  cpu.scalar = true;
  return cpu;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = capped(detect());
  return features;
}

}  // namespace malssi
