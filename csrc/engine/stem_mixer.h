// One output out of the two stems, each with a level of its own: what an effect in a chain of effects is.
#pragma once

#include <atomic>

#include "base/buffer.h"
#include "engine/separator.h"

namespace pyvocsep {

class StemMixer {
 public:
  // Throws what Separator throws.
  StemMixer(const Model& model, double sample_rate, int channels, int threads);

  int channels() const { return separator_.channels(); }
  int latency() const { return separator_.latency(); }

  // Linear gains, 1 is unchanged, 0 is silence. From any thread; the next block moves there within one hop.
  void set_gains(float vocals, float accompaniment) noexcept;

  // Forgets the past; the gains are at once what was set last.
  void reset() noexcept;

  // n samples of each channel in, n samples out, latency() late; the first latency() of a stream are zero. As
  // real-time safe as the separator. `out` may be the input's memory.
  void process(const float* const* in, float* const* out, int n) noexcept;

 private:
  // A gain on its way to where it should be, in equal steps: a jump would click.
  struct Ramp {
    float now = 1.0f, target = 1.0f, step = 0.0f;
    int left = 0;  // samples until the target

    void aim(float gain, int samples);
    float next();
  };

  static constexpr int kBlock = 8192;  // the most samples separated before they are mixed

  Separator separator_;
  int ramp_samples_;
  std::atomic<float> vocals_gain_{1.0f}, accompaniment_gain_{1.0f};
  Ramp vocals_ramp_, accompaniment_ramp_;
  Buffer vocals_, accompaniment_;  // [channels][kBlock]
  Buffer gains_;                   // [vocals, accompaniment][kBlock]
};

}  // namespace pyvocsep
