// The short-time Fourier transform of a stream, and its inverse by weighted overlap-add, as samples come in.
//
// Analysis and synthesis both weight a frame with the square root of a periodic Hann window. Over all frames that hold
// a sample the products of the two sum to a constant, which the synthesis window divides out: spectra that are left as
// they are give the input back.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "dsp/fft.h"
#include "dsp/grid.h"

namespace pyvocsep {

// Each step takes up to room() new samples per channel, and gives as many sums, one frame late:
//
//   input(c)[0..n) = new samples          for every channel c
//   analyse(c, t, ...)                    for every frame t < frames(n) that the new samples complete
//   overlap_add(c, t, ...)                spectra of these frames, changed or not
//   delayed(c)[0..n), sum(c)[0..n)        input and overlap-add, both as they were one frame ago
//   advance(n)
//
// A stream starts one frame of silence before its first sample: frame 0 holds one hop of samples.
// Methods that take a channel may run at the same time for different channels.
class StreamingStft {
 public:
  // Throws std::invalid_argument if grid.frame is not an FFT size, or not a multiple of grid.hop with a factor of at
  // least 2. A step completes up to `max_frames` frames.
  StreamingStft(const Grid& grid, int channels, int max_frames);

  const Grid& grid() const { return grid_; }

  // Back to the start of a stream.
  void reset() noexcept;

  // New samples that the next step may take, at least 1.
  int room() const { return capacity_ - since_frame_; }
  // Frames that n <= room() new samples complete.
  int frames(int n) const { return (since_frame_ + n) / grid_.hop; }

  float* input(int channel) { return channels_[channel].input.data() + grid_.frame + since_frame_; }

  // Spectrum of a frame, bins 0 to frame / 2; up to kPad floats past the bins are overwritten.
  void analyse(int channel, int frame, float* re, float* im) noexcept;
  // Adds the signal of this spectrum to the sums.
  void overlap_add(int channel, int frame, const float* re, const float* im) noexcept;

  const float* delayed(int channel) const { return channels_[channel].input.data() + since_frame_; }
  const float* sum(int channel) const { return channels_[channel].sum.data() + since_frame_; }

  void advance(int n) noexcept;

 private:
  // Both buffers start `frame` samples before the end of the last complete frame. They move on when frames are
  // complete, not with every step: a step of one sample costs one sample's work.
  struct Channel {
    Channel(int frame, int capacity) : input(frame + capacity), sum(frame + capacity), workspace(frame) {}
    Buffer input, sum;
    RealFft::Workspace workspace;
  };

  ptrdiff_t start(int frame) const { return static_cast<ptrdiff_t>(frame + 1) * grid_.hop; }

  Grid grid_;
  RealFft fft_;
  int capacity_;  // samples after the last complete frame
  Buffer analysis_window_, synthesis_window_;
  std::vector<Channel> channels_;
  int since_frame_ = 0;  // samples since the last complete frame ended
};

}  // namespace pyvocsep
