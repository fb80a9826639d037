// An effect: separates a stream and mixes the two stems again, each with a level of its own.
#pragma once

#include <memory>

#include "pyvocsep/model.h"

namespace pyvocsep {

// As real-time safe as Separator, with the same rules for threads; only set_gains() may be called from any thread at
// any time.
class StemMixer {
 public:
  // Arguments and errors as Separator's. Both gains are 1.
  StemMixer(const Model& model, double sample_rate, int channels, int threads = 1);
  ~StemMixer();
  StemMixer(StemMixer&&) noexcept;
  StemMixer& operator=(StemMixer&&) noexcept;

  int channels() const noexcept;

  // Samples by which the output is later than the input: the separator's latency.
  int latency() const noexcept;

  // Linear gains: 1 leaves a stem as it is, 0 silences it. From the next block on, each moves to its new value in equal
  // steps over ramp() samples, since a jump would click.
  void set_gains(float vocals, float accompaniment) noexcept;
  int ramp() const noexcept;

  // Forgets the stream; the gains take their last set values at once.
  void reset() noexcept;

  // Takes n samples of each channel and gives n: in[c] and out[c] point to n floats, c < channels(). The first
  // latency() samples of a stream are zero. out[c] may be in[c].
  void process(const float* const* in, float* const* out, int n) noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pyvocsep
