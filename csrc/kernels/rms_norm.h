// Root-mean-square normalisation (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019).
#pragma once

#include "kernels.h"
#include "math.h"

namespace pyvocsep::PYVOCSEP_ISA {

inline void rms_norm(const float* x, ptrdiff_t x_stride, int rows, int width, int count, const float* weight, float* y,
                     ptrdiff_t y_stride) {
  for (int r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    Vec squares = splat(0.0f);  // padding columns are zero and add nothing
    for (int i = 0; i < width; i += kLanes) squares = fma(load(x + i), load(x + i), squares);
    const float scale = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(count) + 1e-5f);
    for (int i = 0; i < width; i += kLanes) store(y + i, load(x + i) * splat(scale) * load(weight + i));
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
