// A delay of any number of samples, which may be none.
#pragma once

#include <algorithm>

#include "base/buffer.h"

namespace pyvocsep {

class DelayLine {
 public:
  explicit DelayLine(int samples) : ring_(samples) {}

  void reset() noexcept {
    ring_.clear();
    at_ = 0;
  }

  // Replaces n samples by those that came as many samples before them as the delay has; silence at first.
  void process(float* x, int n) noexcept {
    const int size = static_cast<int>(ring_.size());
    for (int done = 0; size > 0 && done < n;) {
      const int count = std::min(n - done, size - at_);
      std::swap_ranges(x + done, x + done + count, ring_.data() + at_);
      done += count;
      at_ = (at_ + count) % size;
    }
  }

 private:
  Buffer ring_;
  int at_ = 0;
};

}  // namespace pyvocsep
