// Passes of a real FFT: Stockham's self-sorting mixed-radix transform of n = N/2 complex points (radix 2, 3,
// 4, 5, 7; split real and imaginary parts), and the step between the packed and the real spectrum.
//
// One pass of radix R turns s interleaved transforms of R*m points into R*s transforms of m points:
//
//   y[q + s (R p + k)] = w^(p k) * sum_j x[q + s (p + m j)] e^(-2 pi i j k / R),   w = e^(-2 pi i / (R m))
//
// for q < s, p < m, k < R. (Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992.)
#pragma once

#include "kernels/kernels.h"
#include "kernels/simd.h"

namespace pyvocsep::PYVOCSEP_ISA {

// cos and sin of 2 pi i / R.
template <int R>
inline constexpr float kCos[R] = {};
template <int R>
inline constexpr float kSin[R] = {};
template <>
inline constexpr float kCos<3>[3] = {1.0f, -0.5f, -0.5f};
template <>
inline constexpr float kSin<3>[3] = {0.0f, 0.866025403784438647f, -0.866025403784438647f};
template <>
inline constexpr float kCos<5>[5] = {1.0f, 0.309016994374947424f, -0.809016994374947424f, -0.809016994374947424f,
                                     0.309016994374947424f};
template <>
inline constexpr float kSin<5>[5] = {0.0f, 0.951056516295153572f, 0.587785252292473129f, -0.587785252292473129f,
                                     -0.951056516295153572f};
template <>
inline constexpr float kCos<7>[7] = {1.0f,
                                     0.623489801858733531f,
                                     -0.222520933956314404f,
                                     -0.900968867902419126f,
                                     -0.900968867902419126f,
                                     -0.222520933956314404f,
                                     0.623489801858733531f};
template <>
inline constexpr float kSin<7>[7] = {0.0f,
                                     0.781831482468029809f,
                                     0.974927912181823607f,
                                     0.433883739117558120f,
                                     -0.433883739117558120f,
                                     -0.974927912181823607f,
                                     -0.781831482468029809f};

// The R-point transform of (re, im), in place.
template <int R>
inline void butterfly(Vec* re, Vec* im) {
  if constexpr (R == 2) {
    const Vec r = re[0] - re[1], i = im[0] - im[1];
    re[0] = re[0] + re[1], im[0] = im[0] + im[1];
    re[1] = r, im[1] = i;
  } else if constexpr (R == 4) {
    const Vec s02r = re[0] + re[2], s02i = im[0] + im[2], d02r = re[0] - re[2], d02i = im[0] - im[2];
    const Vec s13r = re[1] + re[3], s13i = im[1] + im[3], d13r = re[1] - re[3], d13i = im[1] - im[3];
    re[0] = s02r + s13r, im[0] = s02i + s13i;
    re[1] = d02r + d13i, im[1] = d02i - d13r;  // d02 - i d13
    re[2] = s02r - s13r, im[2] = s02i - s13i;
    re[3] = d02r - d13i, im[3] = d02i + d13r;
  } else {
    // Odd R: x_j and x_(R-j) meet the same cosine and opposite sines.
    constexpr int H = (R - 1) / 2;
    Vec sum_r[H], sum_i[H], diff_r[H], diff_i[H];
    const Vec r0 = re[0], i0 = im[0];
    for (int j = 1; j <= H; ++j) {
      sum_r[j - 1] = re[j] + re[R - j], sum_i[j - 1] = im[j] + im[R - j];
      diff_r[j - 1] = re[j] - re[R - j], diff_i[j - 1] = im[j] - im[R - j];
      re[0] = re[0] + sum_r[j - 1], im[0] = im[0] + sum_i[j - 1];
    }
    for (int k = 1; k <= H; ++k) {
      Vec a_r = r0, a_i = i0, b_r = splat(0.0f), b_i = splat(0.0f);
      for (int j = 1; j <= H; ++j) {
        const Vec c = splat(kCos<R>[j * k % R]), s = splat(kSin<R>[j * k % R]);
        a_r = fma(c, sum_r[j - 1], a_r), a_i = fma(c, sum_i[j - 1], a_i);
        b_r = fma(s, diff_r[j - 1], b_r), b_i = fma(s, diff_i[j - 1], b_i);
      }
      re[k] = a_r + b_i, im[k] = a_i - b_r;  // a - i b
      re[R - k] = a_r - b_i, im[R - k] = a_i + b_r;
    }
  }
}

// (re + i im) * (c - i s), in place.
inline void rotate(Vec& re, Vec& im, Vec c, Vec s) {
  const Vec r = fma(im, s, re * c);
  im = fma(-re, s, im * c);
  re = r;
}

template <int R>
void load_points(const float* re, const float* im, ptrdiff_t span, Vec* r, Vec* i) {
  for (int j = 0; j < R; ++j) {
    r[j] = load(re + j * span);
    i[j] = load(im + j * span);
  }
}

// Runs of at least one vector: the twiddles are constant along a run. The last vector of a run overlaps the
// one before it rather than leaving a tail: it computes the same values again.
template <int R>
void wide_pass(const FftPass& pass, const float* re, const float* im, float* out_re, float* out_im) {
  const int s = pass.stride;
  const ptrdiff_t span = static_cast<ptrdiff_t>(pass.count) * s;
  for (int p = 0; p < pass.count; ++p) {
    Vec c[R], sn[R];
    for (int k = 1; k < R; ++k) {
      c[k] = splat(pass.cos_table[(k - 1) * pass.count + p]);
      sn[k] = splat(pass.sin_table[(k - 1) * pass.count + p]);
    }
    for (int step = 0; step < s; step += kLanes) {
      const int q = step + kLanes <= s ? step : s - kLanes;
      const ptrdiff_t from = q + static_cast<ptrdiff_t>(s) * p, to = q + static_cast<ptrdiff_t>(s) * R * p;
      Vec r[R], i[R];
      load_points<R>(re + from, im + from, span, r, i);
      butterfly<R>(r, i);
      for (int k = 0; k < R; ++k) {
        if (k > 0 && pass.count > 1) rotate(r[k], i[k], c[k], sn[k]);
        store(out_re + to + k * s, r[k]);
        store(out_im + to + k * s, i[k]);
      }
    }
  }
}

// Short runs: a vector spans several p, so twiddles are tabulated per element and results are scattered.
template <int R>
void narrow_pass(const FftPass& pass, const float* re, const float* im, float* out_re, float* out_im) {
  const int s = pass.stride, span = pass.count * s;
  for (int i0 = 0; i0 < span; i0 += kLanes) {
    Vec r[R], i[R];
    load_points<R>(re + i0, im + i0, span, r, i);
    butterfly<R>(r, i);
    for (int k = 1; k < R; ++k)
      rotate(r[k], i[k], load(pass.cos_table + (k - 1) * span + i0), load(pass.sin_table + (k - 1) * span + i0));
    const int lanes = span - i0 < kLanes ? span - i0 : kLanes;
    if (R == 4 && s == 1 && lanes == kLanes) {
      store_zipped(out_re + 4 * i0, r[0], r[1], r[2], r[3]);
      store_zipped(out_im + 4 * i0, i[0], i[1], i[2], i[3]);
    } else {
      for (int k = 0; k < R; ++k) {
        float lane_re[kLanes], lane_im[kLanes];
        store(lane_re, r[k]);
        store(lane_im, i[k]);
        for (int lane = 0; lane < lanes; ++lane) {
          const int32_t to = pass.target[i0 + lane] + k * s;
          out_re[to] = lane_re[lane];
          out_im[to] = lane_im[lane];
        }
      }
    }
  }
}

template <int R>
void radix_pass(const FftPass& pass, const float* re, const float* im, float* out_re, float* out_im) {
  if (pass.stride >= kPanel)
    wide_pass<R>(pass, re, im, out_re, out_im);
  else
    narrow_pass<R>(pass, re, im, out_re, out_im);
}

inline void fft_pass(const FftPass& pass, const float* re, const float* im, float* out_re, float* out_im) {
  switch (pass.radix) {
    case 2: return radix_pass<2>(pass, re, im, out_re, out_im);
    case 3: return radix_pass<3>(pass, re, im, out_re, out_im);
    case 4: return radix_pass<4>(pass, re, im, out_re, out_im);
    case 5: return radix_pass<5>(pass, re, im, out_re, out_im);
    default: return radix_pass<7>(pass, re, im, out_re, out_im);
  }
}

inline void fft_pack(const float* x, const float* window, int n, float* re, float* im) {
  for (int i = 0; i < n; i += kLanes) {
    const Vec a = load(x + 2 * i) * load(window + 2 * i);
    const Vec b = load(x + 2 * i + kLanes) * load(window + 2 * i + kLanes);
    store(re + i, even_lanes(a, b));
    store(im + i, odd_lanes(a, b));
  }
}

// X[k] = E[k] + W^k O[k],  E[k] = (Z[k] + conj Z[n-k]) / 2,  O[k] = -i (Z[k] - conj Z[n-k]) / 2,
// W = e^(-2 pi i / 2n): even and odd samples' spectra, of which Z is E + i O.
inline void fft_real_split(const float* z_re, const float* z_im, const float* cos_table, const float* sin_table, int n,
                           float* re, float* im) {
  const Vec half = splat(0.5f);
  for (int k = 0; k <= n; k += kLanes) {
    const Vec zr = load(z_re + k), zi = load(z_im + k);
    const Vec mr = reverse(load(z_re + n - k - kLanes + 1)), mi = reverse(load(z_im + n - k - kLanes + 1));
    Vec o_re = (zi + mi) * half, o_im = (mr - zr) * half;
    rotate(o_re, o_im, load(cos_table + k), load(sin_table + k));
    store(re + k, fma(zr + mr, half, o_re));
    store(im + k, fma(zi - mi, half, o_im));
  }
}

// Z[k] = (X[k] + conj X[n-k]) + i W^-k (X[k] - conj X[n-k])
inline void fft_real_merge(const float* re, const float* im, const float* cos_table, const float* sin_table, int n,
                           float* z_re, float* z_im) {
  for (int k = 0; k < n; k += kLanes) {
    const Vec xr = load(re + k), xi = load(im + k);
    const Vec mr = reverse(load(re + n - k - kLanes + 1)), mi = reverse(load(im + n - k - kLanes + 1));
    Vec o_re = xr - mr, o_im = xi + mi;
    rotate(o_re, o_im, load(cos_table + k), -load(sin_table + k));
    store(z_re + k, (xr + mr) - o_im);
    store(z_im + k, (xi - mi) + o_re);
  }
}

inline void fft_unpack_add(const float* re, const float* im, const float* window, int n, float* y) {
  for (int i = 0; i < n; ++i) {
    y[2 * i] += re[i] * window[2 * i];
    y[2 * i + 1] += im[i] * window[2 * i + 1];
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
