// The whole: a stream of audio in; its vocals and its accompaniment, `latency()` samples later, out.
//
// Any sequence of block sizes gives the same bits. process() allocates nothing, locks nothing and throws nothing
// (with one thread; more threads wait for each other). In a child process made by fork a stream goes on, on the calling
// thread alone.
#pragma once

#include "base/thread_team.h"
#include "dsp/stft.h"
#include "nn/masker.h"
#include "nn/model.h"

namespace pyvocsep {

class Separator {
 public:
  // Throws std::invalid_argument for rates outside 8 to 192 kHz, other than 1 or 2 channels, or other than 1 to 64
  // threads, and std::runtime_error if a thread cannot start. There are never more threads than processors that this
  // process may use.
  Separator(const Model& model, double sample_rate, int channels, int threads);

  int channels() const { return channels_; }
  // Latency in samples: one frame.
  int latency() const { return stft_.grid().frame; }

  // Forgets the past: the next sample is the first of a new stream.
  void reset() noexcept;

  // n samples of each channel in, n samples of each stem out; the first latency() of a stream are zero.
  // Outputs may be the inputs' memory (all of a channel, not a shifted part).
  void process(const float* const* in, float* const* vocals, float* const* accompaniment, int n) noexcept;

 private:
  // Frames that one run of the network takes: enough for the kernels, few enough for the cache.
  static constexpr int kMaxFrames = 8;

  void run_frames(int count) noexcept;

  const Kernels& kernels_;
  int channels_;
  StreamingStft stft_;
  Masker masker_;
  ThreadTeam team_;
  int before_start_ = 0;  // samples of output that precede the first sample of the stream
};

}  // namespace pyvocsep
