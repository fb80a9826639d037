// Included before all else when AVX-VNNI's kernels are compiled for tests: takes their one instruction of that set in
// the encoding of AVX-512, which more processors have. Everything else of these kernels is AVX2.
#pragma once

#include <immintrin.h>

inline __m256i vnni_evex(__m256i sum, __m256i x, __m256i w) {
  asm("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w));
  return sum;
}
#define _mm256_dpbusd_avx_epi32 vnni_evex
