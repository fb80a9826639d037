// The kernels of training: a plain C library that pyvocsep/training/kernels.py loads with ctypes.
#pragma once

#include <cstdint>

// A GRU over tensors (outer, steps, inner, width): outer * inner rows, each a sequence of `steps`. A width may be
// larger than the GRU's own part of it (two directions side by side); the pointers then point at that part.
extern "C" struct pyvocsep_gru_shape {
  int64_t outer, steps, inner;
  int64_t hidden;        // units; a multiple of pyvocsep_gru_multiple()
  int64_t gates_width;   // floats from one row of gates to the next, at least 3 * hidden
  int64_t hidden_width;  // the same of the hidden states, at least hidden
  int64_t reverse;       // 1: from the last step to the first
  int64_t threads;
};

// Tensors (batch, frames, width), of which the first few columns count; the spectra are complex.
extern "C" struct pyvocsep_loss_shape {
  int64_t batch, frames;
  int64_t width;  // bins times channels
  int64_t threads;
  float exponent;  // from magnitude to loudness
};

namespace pyvocsep {

// The kernels of one instruction set. `packed` holds the recurrent weights in the order in which the kernel reads
// them (see interface.cpp), `zeros` a hidden state of zeros, `carry` rows() hidden states for each thread.
struct RecurrenceKernels {
  int lanes, rows;
  void (*gru_forward)(const pyvocsep_gru_shape&, const float* packed, const float* bias, const float* zeros,
                      float* gates, float* recurrent, float* out);
  void (*gru_backward)(const pyvocsep_gru_shape&, const float* packed, const float* zeros, const float* grad,
                       const float* out, float* gates, float* recurrent, float* carry);
  void (*norm_forward)(int64_t rows, int width, const float* x, const float* weight, float* y, float* inverse);
  void (*norm_backward)(int64_t rows, int width, const float* x, const float* weight, const float* inverse,
                        const float* grad, float* grad_x, float* grad_weight);
};

// See pyvocsep_separation_loss in interface.cpp.
using LossKernel = void (*)(const pyvocsep_loss_shape&, const int64_t* counted, const float* masks, const float* vocals,
                            const float* accompaniment, double* totals, float* error_slope, float* wrong_slope);

}  // namespace pyvocsep
