// Features for the network from spectra, and masks applied to spectra.
#pragma once

#include "kernels/kernels.h"
#include "kernels/math.h"

namespace pyvocsep::PYVOCSEP_ISA {

// (|re + j im| * scale)^exponent, through the power: |X|^e = (|X|^2)^(e/2).
inline Vec magnitude(Vec re, Vec im, float scale, float exponent) {
  const Vec power = fma(re, re, im * im) * splat(scale * scale);
  return pow(power, 0.5f * exponent);
}

inline void magnitudes_mono(const float* re, const float* im, int bins, float scale, float exponent, float* y) {
  for (int k = 0; k < bins; k += kLanes) store(y + k, magnitude(load(re + k), load(im + k), scale, exponent));
}

inline void magnitudes_mean(const float* l_re, const float* l_im, const float* r_re, const float* r_im, int bins,
                            float scale, float exponent, float* y) {
  const Vec half = splat(0.5f);
  for (int k = 0; k < bins; k += kLanes) {
    const Vec mean = half * (magnitude(load(l_re + k), load(l_im + k), scale, 1.0f) +
                             magnitude(load(r_re + k), load(r_im + k), scale, 1.0f));
    store(y + k, pow(mean, exponent));
  }
}

inline void magnitudes_stereo(const float* l_re, const float* l_im, const float* r_re, const float* r_im, int bins,
                              float scale, float exponent, float* y) {
  for (int k = 0; k < bins; k += kLanes, y += 4 * kLanes) {
    const Vec half = splat(0.5f);
    const Vec lr = load(l_re + k), li = load(l_im + k), rr = load(r_re + k), ri = load(r_im + k);
    store_zipped(y, magnitude((lr + rr) * half, (li + ri) * half, scale, exponent),
                 magnitude((lr - rr) * half, (li - ri) * half, scale, exponent), magnitude(lr, li, scale, exponent),
                 magnitude(rr, ri, scale, exponent));
  }
}

// What lies past the last bin is not zero, so the last few bins are added one by one.
inline float energy(const float* re, const float* im, int bins, float scale) {
  Vec total = splat(0.0f);
  int k = 0;
  for (; k + kLanes <= bins; k += kLanes) {
    const Vec r = load(re + k) * splat(scale), i = load(im + k) * splat(scale);
    total = fma(r, r, fma(i, i, total));
  }
  float rest = 0.0f;
  for (; k < bins; ++k) rest += re[k] * scale * (re[k] * scale) + im[k] * scale * (im[k] * scale);
  return sum(total) + rest;
}

inline void ratio_mask(const float* v, const float* a, int bins, float e, float* mask) {
  const Vec e1 = splat(e), e2 = splat(2.0f * e);
  for (int k = 0; k < bins; k += kLanes) store(mask + k, (load(v + k) + e1) / (load(v + k) + load(a + k) + e2));
}

inline void apply_mask(const float* mask, int bins, float* re, float* im) {
  for (int k = 0; k < bins; k += kLanes) {
    const Vec m = load(mask + k);
    store(re + k, load(re + k) * m);
    store(im + k, load(im + k) * m);
  }
}

// With p = (mid + side) / 2 and q = (mid - side) / 2:  L' = p L + q R,  R' = q L + p R.
inline void apply_masks(const StereoFrame& x, int bins) {
  const Vec half = splat(0.5f);
  for (int k = 0; k < bins; k += kLanes) {
    const Vec m = load(x.mid + k), s = load(x.side + k);
    const Vec p = half * (m + s), q = half * (m - s);
    const Vec lr = load(x.l_re + k), li = load(x.l_im + k), rr = load(x.r_re + k), ri = load(x.r_im + k);
    store(x.l_re + k, fma(p, lr, q * rr));
    store(x.l_im + k, fma(p, li, q * ri));
    store(x.r_re + k, fma(p, rr, q * lr));
    store(x.r_im + k, fma(p, ri, q * li));
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
