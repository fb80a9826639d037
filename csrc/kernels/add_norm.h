// A residual step, then root-mean-square normalisation (Zhang and Sennrich, "Root Mean Square Layer Normalization",
// 2019), in one pass over memory.
#pragma once

#include "kernels/kernels.h"
#include "kernels/math.h"

namespace pyvocsep::PYVOCSEP_ISA {

inline void add_norm(const AddNormArgs& a) {
  float* x = a.x;
  float* y = a.y;
  const float* h = a.h;
  for (int r = 0; r < a.rows; ++r, x += a.width, y += a.width) {
    Vec squares = splat(0.0f);
    for (int i = 0; i < a.width; i += kLanes) {
      Vec v = load(x + i);
      if (h != nullptr) {
        v = fma(load(h + i), load(a.scale + i), v);
        store(x + i, v);
      }
      squares = fma(v, v, squares);
    }
    if (h != nullptr) h += a.width;
    const Vec inverse = splat(1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(a.width) + 1e-5f));
    for (int i = 0; i < a.width; i += kLanes) store(y + i, load(x + i) * inverse * load(a.weight + i));
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
