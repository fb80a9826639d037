// Instruction sets of this processor. libgcc's answers include whether the operating system saves the wide registers.
#pragma once

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace pyvocsep {

#if defined(__x86_64__)
inline bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
inline bool cpu_has_avx512() {
  return cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
inline bool cpu_has_avx512bf16() { return cpu_has_avx512() && __builtin_cpu_supports("avx512bf16"); }
inline bool cpu_has_avx512vnni() { return cpu_has_avx512() && __builtin_cpu_supports("avx512vnni"); }
// Older compilers have no name for this one: leaf 7, subleaf 1, EAX bit 4 (Intel's manual, CPUID).
inline bool cpu_has_avxvnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return cpu_has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0;
}
#endif

}  // namespace pyvocsep
