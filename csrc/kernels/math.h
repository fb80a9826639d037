// Elementary functions on vectors. Polynomials are minimax fits made for this file (Lawson's iteratively
// reweighted least squares on Chebyshev nodes); the C++ tests measure the error bounds stated here.
#pragma once

#include "kernels/simd.h"

namespace pyvocsep::PYVOCSEP_ISA {

// 2^(scale x), for finite x; relative error below 3e-7. Where the instruction set cannot scale by a power of two,
// scale x is clamped to [-126, 126].
inline Vec exp2(Vec x, float scale = 1.0f) {
#if defined(__AVX512F__)
  x = x * splat(scale);
  const Vec whole = _mm512_maskz_roundscale_ps(0xffff, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const Vec r = x - whole;  // in [-1/2, 1/2]
#else
  const float most = 126.0f / (scale < 0 ? -scale : scale);
  x = min(max(x, splat(-most)), splat(most));
  // Adding 1.5 * 2^23 leaves no bits for a fraction: the sum's low bits are round(scale x).
  const Vec magic = splat(12582912.0f);
  const Vec shifted = fma(x, splat(scale), magic);
  const Vec r = fma(x, splat(scale), magic - shifted);
#endif
  Vec p = splat(0.001326472731307149f);
  p = fma(p, r, splat(0.009671512991189957f));
  p = fma(p, r, splat(0.05550733581185341f));
  p = fma(p, r, splat(0.24022242426872253f));
  p = fma(p, r, splat(0.6931470036506653f));
  p = fma(p, r, splat(1.0f));
#if defined(__AVX512F__)
  return _mm512_maskz_scalef_ps(0xffff, p, whole);
#else
  return floats_of(bits_of(p) + (bits_of(shifted) << 23));  // round(scale x) added to the exponent
#endif
}

// log2(x) for normal x > 0; absolute error below 3e-7 * max(1, |log2 x|).
inline Vec log2(Vec x) {
  // x = 2^e * m with m in [sqrt(1/2), sqrt(2)): the offset moves the cut of the exponent there.
  const VecInt bits = bits_of(x) - 0x3f3504f3;
  const VecInt e = bits >> 23;
  const VecInt m_bits = (bits & 0x007fffff) + 0x3f3504f3;
  const Vec t = floats_of(m_bits) - splat(1.0f);
  Vec p = splat(0.12583698332309723f);
  p = fma(p, t, splat(-0.20726972818374634f));
  p = fma(p, t, splat(0.21571561694145203f));
  p = fma(p, t, splat(-0.23894482851028442f));
  p = fma(p, t, splat(0.28791624307632446f));
  p = fma(p, t, splat(-0.3607036769390106f));
  p = fma(p, t, splat(0.48091062903404236f));
  p = fma(p, t, splat(-0.7213473320007324f));
  p = fma(p, t, splat(1.4426950216293335f));
  return fma(p, t, __builtin_convertvector(e, Vec));
}

// x^a for x >= 0, a > 0; zero and denormal x give 0. Relative error below 1e-6 for a <= 1/2.
inline Vec pow(Vec x, float a) {
  const Vec smallest = splat(1.17549435e-38f);
  const Vec y = exp2(log2(max(x, smallest)) * splat(a));
  return x < smallest ? splat(0.0f) : y;
}

// 1 / (1 + e^-x); absolute error below 2e-7.
inline Vec sigmoid(Vec x) {
  const Vec one = splat(1.0f);
  return one / (one + exp2(x, -1.4426950408889634f));
}

// 1 - 2 / (1 + e^2x); absolute error below 3e-7.
inline Vec tanh(Vec x) {
  const Vec one = splat(1.0f);
  return one - splat(2.0f) / (one + exp2(x, 2.8853900817779268f));
}

}  // namespace pyvocsep::PYVOCSEP_ISA
