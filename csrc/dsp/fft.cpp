#include "dsp/fft.h"

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace pyvocsep {

namespace {

// Factors of n in the order of the passes, 4 first: the first runs then reach a vector's length soonest.
std::vector<int> radices(int n) {
  std::vector<int> found;
  for (int radix : {4, 2, 3, 5, 7})
    for (; n % radix == 0; n /= radix) found.push_back(radix);
  return found;
}

// Whether there are no factors besides those. Without a list of them: whole ranges of sizes are tried.
bool has_radices(int n) {
  for (int prime : {2, 3, 5, 7})
    while (n % prime == 0) n /= prime;
  return n == 1;
}

}  // namespace

bool RealFft::supports(int size) {
  return size >= kMinSize && size <= kMaxSize && size % 2 == 0 && has_radices(size / 2);
}

RealFft::RealFft(int size) : kernels_(kernels()), size_(size) {
  if (!supports(size))
    throw std::invalid_argument("FFT size " + std::to_string(size) + " is not an even number from " +
                                std::to_string(kMinSize) + " to " + std::to_string(kMaxSize) +
                                " without prime factors above 7");
  const int n = size / 2;
  int left = n, stride = 1;
  for (int radix : radices(n)) {
    const int count = left / radix;
    const bool narrow = stride < kPanel;
    const int columns = narrow ? count * stride : count;
    Pass pass{radix, count, stride, {}, {}, {}};
    pass.cos_table.resize(static_cast<size_t>(radix - 1) * columns + kPad);
    pass.sin_table.resize(pass.cos_table.size());
    for (int k = 1; k < radix; ++k)
      for (int i = 0; i < columns; ++i) {
        const int p = narrow ? i / stride : i;
        const double angle = 2.0 * std::numbers::pi * p * k / left;
        pass.cos_table[(k - 1) * columns + i] = static_cast<float>(std::cos(angle));
        pass.sin_table[(k - 1) * columns + i] = static_cast<float>(std::sin(angle));
      }
    if (narrow)
      for (int i = 0; i < columns; ++i) pass.target.push_back(i % stride + stride * radix * (i / stride));
    passes_.push_back(std::move(pass));
    left = count;
    stride *= radix;
  }
  cos_table_ = Buffer(n + 1);
  sin_table_ = Buffer(n + 1);
  for (int k = 0; k <= n; ++k) {
    cos_table_[k] = static_cast<float>(std::cos(2.0 * std::numbers::pi * k / size));
    sin_table_[k] = static_cast<float>(std::sin(2.0 * std::numbers::pi * k / size));
  }
}

int RealFft::transform(Workspace& w, bool swapped) const noexcept {
  Buffer* re = swapped ? w.im : w.re;
  Buffer* im = swapped ? w.re : w.im;
  int side = 0;
  for (const Pass& p : passes_) {
    kernels_.fft_pass({p.radix, p.count, p.stride, p.cos_table.data(), p.sin_table.data(), p.target.data()},
                      re[side].data(), im[side].data(), re[1 - side].data(), im[1 - side].data());
    side = 1 - side;
  }
  return side;
}

void RealFft::forward(const float* x, const float* window, float* re, float* im, Workspace& w) const noexcept {
  const int n = size_ / 2;
  kernels_.fft_pack(x, window, n, w.re[0].data(), w.im[0].data());
  const int side = transform(w, false);
  float* z_re = w.re[side].data();
  float* z_im = w.im[side].data();
  z_re[n] = z_re[0];
  z_im[n] = z_im[0];
  kernels_.fft_real_split(z_re, z_im, cos_table_.data(), sin_table_.data(), n, re, im);
}

void RealFft::inverse_add(const float* re, const float* im, const float* window, float* y,
                          Workspace& w) const noexcept {
  const int n = size_ / 2;
  kernels_.fft_real_merge(re, im, cos_table_.data(), sin_table_.data(), n, w.re[0].data(), w.im[0].data());
  const int side = transform(w, true);
  kernels_.fft_unpack_add(w.re[side].data(), w.im[side].data(), window, n, y);
}

}  // namespace pyvocsep
