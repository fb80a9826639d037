// The recurrent kernel of training: a plain C library that pyvocsep/training/recurrence.py loads with ctypes.
#pragma once

#include <cstdint>

// A GRU over tensors (outer, steps, inner, width): outer * inner rows, each a sequence of `steps`. A width may be
// larger than the GRU's own part of it (two directions side by side); the pointers then point at that part.
struct pyvocsep_gru_shape {
  std::int64_t outer, steps, inner;
  std::int64_t hidden;        // units; a multiple of pyvocsep_gru_multiple()
  std::int64_t gates_width;   // floats from one row of gates to the next, at least 3 * hidden
  std::int64_t hidden_width;  // the same of the hidden states, at least hidden
  std::int64_t reverse;       // 1: from the last step to the first
  std::int64_t threads;
};

// One compiled variant per instruction set, all of recurrence.inl.
#define PYVOCSEP_DECLARE(variant)                                                                                 \
  namespace variant {                                                                                             \
  void forward(const pyvocsep_gru_shape& shape, const float* weight, const float* bias, float* gates,             \
               float* recurrent, float* out);                                                                     \
  void backward(const pyvocsep_gru_shape& shape, const float* weight, const float* grad, const float* out,        \
                float* gates, float* recurrent);                                                                  \
  void norm_forward(std::int64_t rows, int width, const float* x, const float* weight, float* y, float* inverse); \
  void norm_backward(std::int64_t rows, int width, const float* x, const float* weight, const float* inverse,     \
                     const float* grad, float* grad_x, float* grad_weight);                                       \
  }
PYVOCSEP_DECLARE(recurrence_baseline)
PYVOCSEP_DECLARE(recurrence_avx2)
PYVOCSEP_DECLARE(recurrence_avx512)
#undef PYVOCSEP_DECLARE
