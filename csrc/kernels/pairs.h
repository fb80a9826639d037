// One step along the inputs of a product: what a word of packed weights meets, and how it is added up.
//
// In float32 a step is one input. In bfloat16 it is two: the processor multiplies pairs and adds both products to a
// float32 sum, in one instruction. The order of the additions is fixed in either case, so that a row's result depends
// neither on the other rows nor on the block that it came in.
#pragma once

#include "kernels.h"
#include "simd.h"

namespace pyvocsep::PYVOCSEP_ISA {

#if defined(__AVX512BF16__)

inline constexpr bool kPairs = true;
inline constexpr int kChunk = kMaxCell;  // inputs converted at a time: their pairs stay in the first-level cache

constexpr int steps_of(int inputs) { return (inputs + 1) / 2; }

// R rows of inputs as pairs of bfloat16, rounded to nearest even.
template <int R>
struct Inputs {
  alignas(64) int32_t pairs[R][kChunk / 2];

  void take(const float* x, ptrdiff_t stride, int count) {
    for (int r = 0; r < R; ++r, x += stride)
      for (int k = 0; k < count; k += 16) {
        const int left = count - k;
        const __mmask16 mask = left >= 16 ? 0xffff : static_cast<__mmask16>((1 << left) - 1);
        _mm256_store_si256(reinterpret_cast<__m256i*>(pairs[r] + k / 2),
                           reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + k))));
      }
  }
  Vec at(int row, int step) const { return reinterpret_cast<Vec>(_mm512_set1_epi32(pairs[row][step])); }
};

inline Vec multiply_add(Vec x, Vec w, Vec sum) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(x), reinterpret_cast<__m512bh>(w));
}

#else

inline constexpr bool kPairs = false;
inline constexpr int kChunk = 1 << 30;

constexpr int steps_of(int inputs) { return inputs; }

template <int R>
struct Inputs {
  const float* x;
  ptrdiff_t stride;

  void take(const float* rows, ptrdiff_t row_stride, int) { x = rows, stride = row_stride; }
  Vec at(int row, int step) const { return splat(x[row * stride + step]); }
};

inline Vec multiply_add(Vec x, Vec w, Vec sum) { return fma(x, w, sum); }

#endif

}  // namespace pyvocsep::PYVOCSEP_ISA
