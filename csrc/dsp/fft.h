// Real FFT of every even 7-smooth size from PYVOCSEP_MIN_FRAME to PYVOCSEP_MAX_FRAME.
#pragma once

#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

class RealFft {
 public:
  static constexpr int kMinSize = PYVOCSEP_MIN_FRAME, kMaxSize = PYVOCSEP_MAX_FRAME;
  static bool supports(int size);

  // Throws std::invalid_argument for a size that it does not support.
  explicit RealFft(int size);

  int size() const { return size_; }
  int bins() const { return size_ / 2 + 1; }

  // What one transform at a time needs; one for each thread.
  struct Workspace {
    explicit Workspace(int size) : re{Buffer(size), Buffer(size)}, im{Buffer(size), Buffer(size)} {}
    Buffer re[2], im[2];
  };

  // X[k] = sum_n x[n] window[n] e^(-2 pi i k n / N), k = 0..N/2. Up to kPad floats past the bins are overwritten.
  void forward(const float* x, const float* window, float* re, float* im, Workspace&) const noexcept;

  // y[n] += window[n] * sum over all N bins of X[k] e^(2 pi i k n / N): unnormalised, so put 1/N into the window.
  void inverse_add(const float* re, const float* im, const float* window, float* y, Workspace&) const noexcept;

 private:
  struct Pass {
    int radix, count, stride;
    std::vector<float> cos_table, sin_table;
    std::vector<int32_t> target;
  };
  // Transforms workspace side 0; returns the side that holds the result. `swapped` exchanges the parts,
  // which turns the forward transform into the inverse.
  int transform(Workspace&, bool swapped) const noexcept;

  const Kernels& kernels_;
  int size_;
  std::vector<Pass> passes_;
  Buffer cos_table_, sin_table_;  // of 2 pi k / N, k = 0..N/2
};

}  // namespace pyvocsep
