// The steps of a spatial filter, see nn/spatial_filter.h: running moments of both stems, and the filter made of them.
#pragma once

#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace pyvocsep::PYVOCSEP_ISA {

// Mid and side of a bin, times a factor that the caller chooses.
struct MidSide {
  Vec m_re, m_im, s_re, s_im;
};

inline MidSide load_mid_side(const StereoFrame& x, int k, float factor) {
  const Vec f = splat(factor);
  const Vec lr = load(x.l_re + k), li = load(x.l_im + k), rr = load(x.r_re + k), ri = load(x.r_im + k);
  return {(lr + rr) * f, (li + ri) * f, (lr - rr) * f, (li - ri) * f};
}

// A stem's covariance matrix of mid and side in a bin: Hermitian, so three numbers, one of them complex.
struct Covariance {
  Vec mid, side, re, im;
};

inline Covariance load_covariance(const float* moments, ptrdiff_t stride, int k) {
  return {load(moments + k), load(moments + stride + k), load(moments + 2 * stride + k),
          load(moments + 3 * stride + k)};
}

// after = decay * before + Z Z^H, where Z is the stem: mid and side times its shares of them.
inline void update_covariance(const MomentsArgs& a, int row, int k, const MidSide& x, Vec mid_share, Vec side_share) {
  const ptrdiff_t begin = row * a.stride;
  float* const after = a.after + begin + k;
  const Covariance old = load_covariance(a.before + begin, a.stride, k);
  const Vec decay = splat(a.decay);
  const Vec m_re = x.m_re * mid_share, m_im = x.m_im * mid_share;
  const Vec s_re = x.s_re * side_share, s_im = x.s_im * side_share;
  store(after, fma(decay, old.mid, fma(m_re, m_re, m_im * m_im)));
  store(after + a.stride, fma(decay, old.side, fma(s_re, s_re, s_im * s_im)));
  store(after + 2 * a.stride, fma(decay, old.re, fma(m_re, s_re, m_im * s_im)));
  store(after + 3 * a.stride, fma(decay, old.im, m_im * s_re - m_re * s_im));
}

inline void spatial_moments(const StereoFrame& x, const MomentsArgs& a, int first, int last) {
  const Vec one = splat(1.0f);
  for (int k = first; k < last; k += kLanes) {
    const MidSide ms = load_mid_side(x, k, 0.5f * a.scale);
    const Vec mid = load(x.mid + k), side = load(x.side + k);
    update_covariance(a, 0, k, ms, mid, side);
    update_covariance(a, 4, k, ms, one - mid, one - side);
  }
}

// The covariance that a stem is given in this frame, relative to the energy of both channels: its shares of the
// frame's mid and side, moved towards the place where it has been.
inline Covariance local_covariance(const float* moments, ptrdiff_t stride, int k, Vec mid_share, Vec side_share) {
  constexpr float kPlace = 0.6f;       // how far the shares move
  constexpr float kCoherence = 0.95f;  // what is kept of the measured one: below 1, sums of matrices stay invertible
  const auto smooth = [&](int row) {   // over neighbouring bins, which have the same place as a rule
    const float* m = moments + row * stride + k;
    return fma(load(m - 1) + load(m + 1), splat(0.5f), load(m));
  };
  const Vec mid = smooth(0), side = smooth(1);
  const Vec scale = splat(1.0f) / (mid + side + splat(1e-30f));
  const Vec mid_place = mid * scale, side_place = side * scale;
  const Vec total = splat(kPlace) * (mid_share + side_share);
  const Vec local_mid = fma(total, mid_place, splat(1.0f - kPlace) * mid_share);
  const Vec local_side = fma(total, side_place, splat(1.0f - kPlace) * side_share);
  const Vec cross = sqrt(local_mid * local_side / fma(mid_place, side_place, splat(1e-12f))) * scale;
  return {local_mid, local_side, smooth(2) * cross * splat(kCoherence), smooth(3) * cross * splat(kCoherence)};
}

// The scale is applied before the square, which would be infinite for the loudest samples.
inline Vec power(Vec re, Vec im, float scale) {
  re = re * splat(scale), im = im * splat(scale);
  return fma(re, re, im * im);
}

inline void spatial_filter(const StereoFrame& x, const float* moments, ptrdiff_t stride, float scale, int bins) {
  const Vec one = splat(1.0f), small = splat(1e-6f), tiny = splat(1e-30f);
  for (int k = 0; k < bins; k += kLanes) {
    const auto [m_re, m_im, s_re, s_im] = load_mid_side(x, k, 0.5f);
    const Vec mid_energy = power(m_re, m_im, scale), side_energy = power(s_re, s_im, scale);
    const Vec to_share = one / (mid_energy + side_energy + tiny);
    const Vec mid_part = mid_energy * to_share, side_part = side_energy * to_share;
    const Vec mid = load(x.mid + k), side = load(x.side + k);
    const Covariance v = local_covariance(moments, stride, k, mid * mid_part, side * side_part);
    const Covariance other =
        local_covariance(moments + 4 * stride, stride, k, (one - mid) * mid_part, (one - side) * side_part);
    // With C = V + A + small I, the vocals are V C^-1 X.
    const Vec c_mid = v.mid + other.mid + small, c_side = v.side + other.side + small;
    const Vec c_re = v.re + other.re, c_im = v.im + other.im;
    const Vec inverse = one / (c_mid * c_side - fma(c_re, c_re, c_im * c_im));
    // Y = C^-1 X
    const Vec ym_re = (c_side * m_re - (c_re * s_re - c_im * s_im)) * inverse;
    const Vec ym_im = (c_side * m_im - (c_re * s_im + c_im * s_re)) * inverse;
    const Vec ys_re = (c_mid * s_re - (c_re * m_re + c_im * m_im)) * inverse;
    const Vec ys_im = (c_mid * s_im - (c_re * m_im - c_im * m_re)) * inverse;
    const Vec vm_re = v.mid * ym_re + (v.re * ys_re - v.im * ys_im);
    const Vec vm_im = v.mid * ym_im + (v.re * ys_im + v.im * ys_re);
    const Vec vs_re = v.side * ys_re + (v.re * ym_re + v.im * ym_im);
    const Vec vs_im = v.side * ys_im + (v.re * ym_im - v.im * ym_re);
    store(x.l_re + k, vm_re + vs_re);
    store(x.l_im + k, vm_im + vs_im);
    store(x.r_re + k, vm_re - vs_re);
    store(x.r_im + k, vm_im - vs_im);
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
