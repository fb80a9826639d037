// The frame at a stream's sample rate: the network's frame scaled, so that the audio need not be resampled.
#pragma once

namespace pyvocsep {

inline constexpr double kMinSampleRate = 8000.0, kMaxSampleRate = 192000.0;

struct Grid {
  int frame;  // samples; also the latency
  int hop;
  int bins() const { return frame / 2 + 1; }
};

// The multiple of n_fft / hop that has no prime factor above 7 and is nearest to n_fft * rate / model_rate
// (the smaller on a tie). Throws std::invalid_argument if the FFT does not reach that far.
Grid scaled_grid(int n_fft, int hop, double model_rate, double rate);

}  // namespace pyvocsep
