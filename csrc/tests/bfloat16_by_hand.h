// Included before all else when AVX512-BF16's kernels are compiled for tests: takes instructions of AVX-512, which more
// processors have, for the two of that set; the results are the same bit for bit, NaN aside.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace bfloat16_by_hand {

using Words = uint32_t __attribute__((vector_size(64)));
using Halves = uint16_t __attribute__((vector_size(32)));

// Intel's manual, volume 2, "VDPBF16PS": the odd products first; the product of two bfloat16 is exact in float32.
inline __m512 dot(__m512 sum, __m512i x, __m512i w) {
  const auto xs = reinterpret_cast<Words>(x), ws = reinterpret_cast<Words>(w);
  sum = _mm512_fmadd_ps(reinterpret_cast<__m512>(xs & 0xffff0000u), reinterpret_cast<__m512>(ws & 0xffff0000u), sum);
  return _mm512_fmadd_ps(reinterpret_cast<__m512>(xs << 16), reinterpret_cast<__m512>(ws << 16), sum);
}

// "VCVTNEPS2BF16": the upper half, rounded to nearest even.
inline __m256i round(__m512 values) {
  const auto bits = reinterpret_cast<Words>(values);
  return reinterpret_cast<__m256i>(__builtin_convertvector((bits + 0x7fff + (bits >> 16 & 1)) >> 16, Halves));
}

}  // namespace bfloat16_by_hand

#define __m512bh __m512i
#define _mm512_dpbf16_ps bfloat16_by_hand::dot
#define _mm512_cvtneps_pbh bfloat16_by_hand::round
