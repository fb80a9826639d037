// A zeroed, cache-line-aligned array of floats with room on both sides for whole-vector access.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

#include "base/padding.h"

namespace pyvocsep {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) : size_(size), data_(allocate(size + 2 * kPad)) { clear(); }

  float* data() { return data_.get() + kPad; }
  const float* data() const { return data_.get() + kPad; }
  float& operator[](size_t i) { return data()[i]; }
  size_t size() const { return size_; }
  void clear() { std::fill_n(data_.get(), size_ + 2 * kPad, 0.0f); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* p) const { ::operator delete[](p, kAlignment); }
  };
  static float* allocate(size_t count) {
    return static_cast<float*>(::operator new[](count * sizeof(float), kAlignment));
  }

  size_t size_ = 0;
  std::unique_ptr<float[], Free> data_;
};

}  // namespace pyvocsep
