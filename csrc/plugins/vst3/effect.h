// What the plugin does to audio: the mixer, and around it a bypass that keeps the time.
#pragma once

#include <array>

#include "base/buffer.h"
#include "pyvocsep/model.h"
#include "pyvocsep/stem_mixer.h"

namespace pyvocsep::vst3 {

class Effect {
 public:
  // Throws what StemMixer throws.
  Effect(const Model& model, double sample_rate, int channels);

  int channels() const { return mixer_.channels(); }
  // Bypassed or not.
  int latency() const { return mixer_.latency(); }

  // Where gains and bypass go within one hop. (At the start of a stream that is not heard: the output is still silent.)
  void set(float vocals_gain, float accompaniment_gain, bool bypassed) noexcept;

  // Forgets the past: the next sample is the first of a new stream.
  void reset() noexcept;

  // n samples of each channel in, n out, latency() late; as real-time safe as the mixer. `out` may be the input's
  // memory. Fully bypassed, the output is the input's bits.
  void process(const float* const* in, float* const* out, int n) noexcept;

 private:
  static constexpr int kBlock = 4096;  // the most samples that are delayed, mixed and faded at once

  void delay(const float* const* in, int n) noexcept;
  void fade(float* const* out, int n) noexcept;

  StemMixer mixer_;
  bool bypassed_ = false;
  int fade_samples_;
  int faded_ = 0;                  // of fade_samples_: 0 is the mixer's output, all is the input's
  int delay_at_ = 0;               // where in delayed_ the oldest sample is
  std::array<Buffer, 2> delayed_;  // for each channel the last latency() samples, in a ring
  std::array<Buffer, 2> dry_;      // and its delayed input of this block
};

}  // namespace pyvocsep::vst3
