// The audio processing of a plugin: a StemMixer, and a bypass with the same latency. At sample rates that cannot be
// separated, such as 352.8 and 384 kHz, it is always bypassed; the latency is the model's frame at that rate.
#pragma once

#include <array>
#include <optional>

#include "base/buffer.h"
#include "pyvocsep/model.h"
#include "pyvocsep/stem_mixer.h"

namespace pyvocsep::plugins {

class Effect {
 public:
  // Throws what StemMixer throws, and std::invalid_argument for rates outside 1 kHz to 10 MHz.
  Effect(const Model& model, double sample_rate, int channels);

  int channels() const { return channels_; }
  // Latency in samples, the same when bypassed.
  int latency() const { return latency_; }
  // False at a rate that cannot be separated.
  bool separates() const { return mixer_.has_value(); }

  // Target gains and bypass, which are reached within one hop. (At the start of a stream this is inaudible: the output
  // is still silent.)
  void set(float vocals_gain, float accompaniment_gain, bool bypassed) noexcept;

  // Forgets the stream: the next sample is the first of a new one.
  void reset() noexcept;

  // n samples of each channel in, n out, latency() late; as real-time safe as the mixer. `out` may be the input's
  // memory. Fully bypassed, the output is the input's bits.
  void process(const float* const* in, float* const* out, int n) noexcept;

 private:
  static constexpr int kBlock = 4096;  // samples that are delayed, mixed and faded at once, at most

  void delay(const float* const* in, int n) noexcept;
  void fade(float* const* out, int n) noexcept;

  std::optional<StemMixer> mixer_;
  int channels_, latency_ = 0;
  bool bypassed_ = false;
  int fade_samples_ = 0;
  int faded_ = 0;                  // 0: the mixer's output; fade_samples_: the delayed input; crossfade between
  int delay_at_ = 0;               // index of the oldest sample in delayed_
  std::array<Buffer, 2> delayed_;  // ring buffers of the last latency() input samples
  std::array<Buffer, 2> dry_;      // the delayed input of this block
};

}  // namespace pyvocsep::plugins
