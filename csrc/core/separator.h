// The whole: a stream of audio in; its vocals and its accompaniment, `latency()` samples later, out.
//
// Any sequence of block sizes gives the same bits. process() allocates nothing, locks nothing and throws nothing
// (with one thread; more threads wait for each other).
#pragma once

#include <vector>

#include "core/buffer.h"
#include "core/fft.h"
#include "core/masker.h"
#include "core/model.h"
#include "core/parallel.h"

namespace pyvocsep {

class Separator {
 public:
  // Larger samples than this, and those that are not numbers, are taken as silence: their spectrum would overflow.
  static constexpr float kLargestSample = 1e15f;

  // Throws std::invalid_argument for rates outside 8 to 192 kHz, other than 1 or 2 channels, or other than 1 to 64
  // threads.
  Separator(const Model& model, double sample_rate, int channels, int threads);

  int channels() const { return channels_; }
  // Samples from a sound's way in to its way out: one frame.
  int latency() const { return grid_.frame; }

  // Forgets the past: the next sample is the first of a new stream.
  void reset() noexcept;

  // n samples of each channel in, n samples of each stem out; the first latency() of a stream are zero.
  // Outputs may be the inputs' memory (all of a channel, not a shifted part).
  void process(const float* const* in, float* const* vocals, float* const* accompaniment, int n) noexcept;

 private:
  // Frames that are run at once where a block brings that many: enough for the kernels, few enough for the cache.
  static constexpr int kMaxFrames = 8;

  void run_frames(int first, int count) noexcept;
  void emit(float* const* vocals, float* const* accompaniment, int offset, int n) noexcept;

  const Kernels& kernels_;
  Grid grid_;
  int channels_;
  RealFft fft_;
  Masker masker_;
  ThreadTeam team_;
  Buffer analysis_window_, synthesis_window_;
  std::vector<RealFft::Workspace> workspaces_;  // one for each channel
  // Both start `frame` samples before the next sample in: the input that is still needed, the vocals as far as they
  // are summed. A frame that ends at sample i of the input begins at i - frame of both.
  std::vector<Buffer> input_, vocals_;
  int since_frame_ = 0;   // samples since the last frame ended
  int before_start_ = 0;  // samples still to come out before the first of the stream
};

}  // namespace pyvocsep
