// The frame at a stream's sample rate: the network's frame scaled, so that the audio need not be resampled.
#pragma once

namespace pyvocsep {

struct Grid {
  int frame;  // samples
  int hop;    // samples; frame is a multiple of it
  int bins() const { return frame / 2 + 1; }
};

// The multiple of n_fft / hop that has no prime factor above 7 and is nearest to n_fft * rate / model_rate
// (the smaller on a tie). Throws std::invalid_argument if hop is not a divisor of n_fft, if a rate is not a positive
// number, or if the frame would be outside PYVOCSEP_MIN_FRAME to PYVOCSEP_MAX_FRAME.
Grid scaled_grid(int n_fft, int hop, double model_rate, double rate);

}  // namespace pyvocsep
