#include "dsp/grid.h"

#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

#include "dsp/fft.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

namespace {

std::string hertz(double rate) {
  std::ostringstream text;
  text << rate << " Hz";
  return text.str();
}

void check_rate(const char* name, double rate) {
  if (!(rate > 0.0 && std::isfinite(rate)))
    throw std::invalid_argument(std::string(name) + " is " + hertz(rate) + ", not a sample rate above zero");
}

}  // namespace

Grid scaled_grid(int n_fft, int hop, double model_rate, double rate) {
  if (n_fft < 1 || hop < 1 || n_fft % hop != 0)
    throw std::invalid_argument("a frame of " + std::to_string(n_fft) + " samples is not a multiple of a hop of " +
                                std::to_string(hop));
  check_rate("model_rate", model_rate);
  check_rate("rate", rate);
  const int overlap = n_fft / hop;
  const double wanted = n_fft * rate / model_rate;
  int best = 0;
  for (int size = PYVOCSEP_MIN_FRAME; size <= PYVOCSEP_MAX_FRAME; size += 2)
    if (size % overlap == 0 && RealFft::supports(size) &&
        (best == 0 || std::abs(size - wanted) < std::abs(best - wanted)))
      best = size;
  // Sizes without large factors are at most 7 % apart from 64 on: further off means out of range.
  if (std::abs(best - wanted) > 0.07 * wanted)
    throw std::invalid_argument("a frame of " + std::to_string(n_fft) + " samples at " + hertz(model_rate) +
                                " cannot be scaled to " + hertz(rate) + ": it would be outside " +
                                std::to_string(PYVOCSEP_MIN_FRAME) + " to " + std::to_string(PYVOCSEP_MAX_FRAME) +
                                " samples");
  return {best, best / overlap};
}

}  // namespace pyvocsep
