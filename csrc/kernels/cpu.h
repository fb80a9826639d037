// Instruction sets of this processor that the operating system lets programs use: on x86 it must save their registers.
// The processor is asked directly, since __builtin_cpu_supports needs a run-time library that Windows and Zig lack.
#pragma once

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#elif defined(__arm__) && defined(__linux__)
#include <sys/auxv.h>
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
