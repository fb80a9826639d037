#include "core/grid.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "core/fft.h"

namespace pyvocsep {

Grid scaled_grid(int n_fft, int hop, double model_rate, double rate) {
  const int overlap = n_fft / hop;
  const double wanted = n_fft * rate / model_rate;
  int best = 0;
  for (int size = RealFft::kMinSize; size <= RealFft::kMaxSize; size += 2)
    if (size % overlap == 0 && RealFft::supports(size) &&
        (best == 0 || std::abs(size - wanted) < std::abs(best - wanted)))
      best = size;
  // Sizes without large factors are at most 7 % apart from 64 on: further off means out of range.
  if (std::abs(best - wanted) > 0.07 * wanted)
    throw std::invalid_argument("a frame of " + std::to_string(n_fft) + " samples at " +
                                std::to_string(static_cast<int>(model_rate)) + " Hz cannot be scaled to " +
                                std::to_string(static_cast<int>(rate)) +
                                " Hz: it would be outside 64 to 16384 samples");
  return {best, best / overlap};
}

}  // namespace pyvocsep
