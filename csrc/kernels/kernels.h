// The hot loops, as a table of functions: one table per instruction set, chosen once at start-up.
//
// Conventions. Matrices are row-major with a row stride in floats. A "panel" is 16 output columns: widths
// are padded to whole panels with zero weights, whatever the instruction set.
// Arrays that a kernel walks by vectors must be readable and writable up to kPad floats past their end.
// Packed weights are words of 32 bits, of which each holds the weights of one input in float32, of two in bfloat16 or
// of four in int8, the first in the lowest bits; see nn/packing.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/padding.h"
#include "pyvocsep/precision.h"

namespace pyvocsep {

inline constexpr int kChunk = 256;  // inputs converted at a time, so that they stay in the first-level cache

// Words that the weights of `inputs` inputs take for each output. In int8 every chunk ends with two more.
constexpr int words_of(Precision precision, int inputs) {
  if (precision == Precision::kFloat32) return inputs;
  if (precision == Precision::kBfloat16) return (inputs + 1) / 2;
  const int rest = inputs % kChunk;
  return inputs / kChunk * (kChunk / 4 + 2) + (rest > 0 ? (rest + 3) / 4 + 2 : 0);
}

enum class Epilogue {
  kStore,    // y  = a
  kRelu,     // y  = max(a, 0)
  kSigmoid,  // y  = 1 / (1 + e^-a)
};

// a = x W + bias, then the epilogue; every row may have a bias of its own.
struct LinearArgs {
  const float* x;  // rows x inputs
  ptrdiff_t x_stride;
  int rows, inputs, outputs;
  const float* weights;  // [outputs / 16][words of the inputs][16]
  const float* bias;     // padded(outputs), or as many for each row
  ptrdiff_t bias_stride;
  float* y;  // rows x outputs; nothing past `outputs` is written
  ptrdiff_t y_stride;
  Epilogue epilogue;
};

// One time step of a GRU for `rows` independent sequences. Each kernel uses the operands that its comment names.
struct GruArgs {
  int rows, inputs, hidden;
  const float* weights;      // [padded(hidden) / lanes][words of the inputs, then of hidden][r, z, n][lanes]
  const float* bias;         // 4 x padded(hidden): b_ir + b_hr, b_iz + b_hz, b_in, b_hn
  const float* x = nullptr;  // rows x inputs
  ptrdiff_t x_stride = 0;
  float* gates = nullptr;  // rows x 3 * padded(hidden): the input's part of r, z and n, with all biases except b_hn
  ptrdiff_t gates_stride = 0;
  const float* h = nullptr;  // rows x padded(hidden), the state before
  ptrdiff_t h_stride = 0;
  float* y = nullptr;  // rows x padded(hidden), the state after; must not overlap h
  ptrdiff_t y_stride = 0;
};

// x += h * scale, unless h is null; then y = x / sqrt(mean(x^2) + 1e-5) * weight.
struct AddNormArgs {
  int rows, width;     // rows follow one another; width is a whole number of panels
  float* x;            // rows x width
  const float* h;      // rows x width, or null
  const float* scale;  // width
  const float* weight;
  float* y;  // rows x width
};

// One pass of a Stockham FFT on split complex data; see fft.h.
struct FftPass {
  int radix;
  int count;               // m: transforms left after this pass
  int stride;              // s: length of the runs that this pass moves as a whole
  const float* cos_table;  // narrow (s < 16): [radix - 1][m * s]; wide: [radix - 1][m]
  const float* sin_table;
  const int32_t* target;  // narrow: where element i = q + s p of output 0 goes, q + s radix p
};

// A frame of a stereo stream: the masks of mid and side, and the spectra of left and right.
struct StereoFrame {
  const float *mid, *side;
  float *l_re, *l_im, *r_re, *r_im;
};

// Moments of a spatial filter, rows of `stride` floats: the energies of mid and side, and the real and the imaginary
// part of their product, for the vocals and then for the accompaniment. Spectra are scaled by `scale` before they are
// squared, to amplitudes relative to full scale.
struct MomentsArgs {
  const float* before;
  float* after;
  ptrdiff_t stride;
  float scale, decay;
};

struct Kernels {
  const char* name;
  Precision precision;  // of both factors of products: weights are packed in it, inputs rounded to it
  int lanes;            // floats of a vector: so many units of a GRU have their weights side by side

  void (*linear)(const LinearArgs&);
  void (*gru_gates)(const GruArgs&);  // gates from x
  void (*gru_step)(const GruArgs&);   // y from gates and h
  void (*gru_cell)(const GruArgs&);   // y from x and h, in one pass; at most kChunk inputs and units

  void (*add_norm)(const AddNormArgs&);

  void (*fft_pass)(const FftPass&, const float* re, const float* im, float* out_re, float* out_im);
  // Z[i] = x[2i] w[2i] + j x[2i+1] w[2i+1], i < n
  void (*fft_pack)(const float* x, const float* window, int n, float* re, float* im);
  // Spectrum of a real signal from the half-size transform of its packed form, bins 0..n.
  // z_re and z_im need kPad readable floats before them and hold Z[n] = Z[0].
  void (*fft_real_split)(const float* z_re, const float* z_im, const float* cos_table, const float* sin_table, int n,
                         float* re, float* im);
  // The inverse of fft_real_split, times 2; re and im need kPad readable floats before them.
  void (*fft_real_merge)(const float* re, const float* im, const float* cos_table, const float* sin_table, int n,
                         float* z_re, float* z_im);
  // y[2i] += re[i] w[2i], y[2i+1] += im[i] w[2i+1], i < n
  void (*fft_unpack_add)(const float* re, const float* im, const float* window, int n, float* y);

  // y[k] = (|X[k]| * scale)^exponent
  void (*magnitudes_mono)(const float* re, const float* im, int bins, float scale, float exponent, float* y);
  // y[k] = ((|L[k]| + |R[k]|) / 2 * scale)^exponent
  void (*magnitudes_mean)(const float* l_re, const float* l_im, const float* r_re, const float* r_im, int bins,
                          float scale, float exponent, float* y);
  // y[4k...] = |M|, |S|, |L|, |R| of bin k, each times scale, to the power exponent
  void (*magnitudes_stereo)(const float* l_re, const float* l_im, const float* r_re, const float* r_im, int bins,
                            float scale, float exponent, float* y);
  // Sum over bins of (|X[k]| * scale)^2
  float (*energy)(const float* re, const float* im, int bins, float scale);
  // mask[k] = (v[k] + e) / (v[k] + a[k] + 2 e)
  void (*ratio_mask)(const float* v, const float* a, int bins, float e, float* mask);
  // re[k] *= mask[k], im[k] *= mask[k]
  void (*apply_mask)(const float* mask, int bins, float* re, float* im);
  // The same for mid (L + R) / 2 and side (L - R) / 2 of a stereo spectrum, each with a mask of its own.
  void (*apply_masks)(const StereoFrame&, int bins);

  // The moments (8 rows) of bins first to last - 1, with this frame.
  void (*spatial_moments)(const StereoFrame&, const MomentsArgs&, int first, int last);
  // The vocals of a frame in place of its spectra, with the moments as they are after it. A bin reads those of its
  // neighbours: those before the first bin and after the last must be zero.
  void (*spatial_filter)(const StereoFrame&, const float* moments, ptrdiff_t stride, float scale, int bins);

  // Multiply-adds on registers, for benchmarks; see peak.h.
  double (*peak)(int64_t rounds, float* operand);
};

// The table in use: the best that runs on this machine, or the one that PYVOCSEP_ISA names.
// Throws std::runtime_error if PYVOCSEP_ISA names an unknown instruction set or one that the machine lacks.
const Kernels& kernels();

// The table for a network: vectors as in kernels(), products in `precision`.
// Throws std::invalid_argument if the machine lacks these products, or PYVOCSEP_ISA rules them out.
const Kernels& kernels(Precision precision);

// Tables that run on this machine, the best last.
struct KernelList {
  const Kernels* table[3];
  int count;
};
KernelList available_kernels();

}  // namespace pyvocsep
