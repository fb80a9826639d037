// Instruction sets of this processor that the operating system lets programs use: on x86 it must save their registers.
// An x86 is asked directly, since __builtin_cpu_supports needs a run-time library that Windows and Zig lack; of an ARM
// the operating system tells.
#pragma once

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#elif (defined(__arm__) || defined(__aarch64__)) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

#include <cstddef>
#endif

namespace pyvocsep {

#if defined(__x86_64__)

// Intel's manual, volume 2, "CPUID"; volume 1, "Detection of AVX-512 Foundation Instructions".
class Cpu {
 public:
  static const Cpu& self() {
    static const Cpu cpu;
    return cpu;
  }

  bool avx2() const { return saves(0x6) && has(one_.c, 28) && has(one_.c, 12) && has(seven_.b, 5); }  // with FMA
  bool avx512() const {                                                                               // F, DQ, BW, VL
    return avx2() && saves(0xe6) && has(seven_.b, 16) && has(seven_.b, 17) && has(seven_.b, 30) && has(seven_.b, 31);
  }
  bool avx512vnni() const { return avx512() && has(seven_.c, 11); }
  bool avx512bf16() const { return avx512() && has(seven_one_.a, 5); }
  bool avxvnni() const { return avx2() && has(seven_one_.a, 4); }

 private:
  struct Leaf {
    unsigned a = 0, b = 0, c = 0, d = 0;  // zero where the processor has no such leaf

    explicit Leaf(unsigned leaf, unsigned part = 0) { __get_cpuid_count(leaf, part, &a, &b, &c, &d); }
  };

  Cpu() {
    if (!has(one_.c, 27)) return;  // no XGETBV
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    saved_registers_ = low;
  }

  static bool has(unsigned word, int bit) { return (word >> bit & 1) != 0; }
  bool saves(unsigned registers) const { return (saved_registers_ & registers) == registers; }

  Leaf one_{1}, seven_{7}, seven_one_{7, 1};
  unsigned saved_registers_ = 0;
};

#elif defined(__aarch64__)

// FEAT_DotProd, as a Cortex-A55 and later have it, and FEAT_BF16, as a Neoverse V1 has it.
#if defined(__linux__)
inline bool cpu_has_dot_products() { return (getauxval(AT_HWCAP) & 1 << 20) != 0; }  // HWCAP_ASIMDDP of asm/hwcap.h
inline bool cpu_has_bfloat16() { return (getauxval(AT_HWCAP2) & 1 << 14) != 0; }     // HWCAP2_BF16
#elif defined(__APPLE__)
inline bool cpu_has(const char* feature) {
  int value = 0;
  size_t size = sizeof(value);
  return sysctlbyname(feature, &value, &size, nullptr, 0) == 0 && value != 0;
}
inline bool cpu_has_dot_products() { return cpu_has("hw.optional.arm.FEAT_DotProd"); }
inline bool cpu_has_bfloat16() { return cpu_has("hw.optional.arm.FEAT_BF16"); }
#else
inline bool cpu_has_dot_products() { return false; }
inline bool cpu_has_bfloat16() { return false; }
#endif

#elif defined(__arm__)

// 32-bit: NEON with fused multiply-adds (VFPv4), as a Cortex-A7 and later have it.
inline bool cpu_has_neon() {
#if defined(__linux__)
  constexpr unsigned long kNeon = 1 << 12, kVfp4 = 1 << 16;  // HWCAP_NEON, HWCAP_VFPv4 of asm/hwcap.h
  return (getauxval(AT_HWCAP) & kNeon) != 0 && (getauxval(AT_HWCAP) & kVfp4) != 0;
#else
  return false;
#endif
}

#endif

}  // namespace pyvocsep
