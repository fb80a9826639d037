// The peak rate of the processor: multiply-adds on registers alone, enough of them in flight to hide their latency.
// Benchmarks compare kernels with it.
#pragma once

#include "kernels/kernels.h"
#include "kernels/products.h"

namespace pyvocsep::PYVOCSEP_ISA {

// Returns the number of floating-point operations done. `operand` is one vector of inputs, which the result overwrites.
inline double peak(int64_t rounds, float* operand) {
  constexpr int kChains = kLanes == 16 ? 24 : 12;
  const Vec x = load(operand);
  Sum sum[kChains];
  // Chains that began alike would be one to the compiler; a loop over them that is not unrolled keeps them in memory.
#pragma GCC unroll 32
  for (int i = 0; i < kChains; ++i) sum[i] = __builtin_convertvector(VecInt{} + i, Sum);
  for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 32
    for (Sum& chain : sum) chain = multiply_add(x, x, chain);
  Sum all = sum[0];
  for (int i = 1; i < kChains; ++i) all = all + sum[i];
  store(operand, reinterpret_cast<Vec>(all));
  return 2.0 * kPerWord * kLanes * kChains * static_cast<double>(rounds);
}

}  // namespace pyvocsep::PYVOCSEP_ISA
