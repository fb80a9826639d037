#include "engine/stem_mixer.h"

#include <algorithm>

#include "base/denormals.h"

namespace pyvocsep {

void StemMixer::Ramp::aim(float gain, int samples) {
  if (gain == target) return;
  target = gain;
  step = (gain - now) / static_cast<float>(samples);
  left = samples;
}

float StemMixer::Ramp::next() {
  if (left > 0) now = --left > 0 ? now + step : target;
  return now;
}

StemMixer::StemMixer(const Model& model, double sample_rate, int channels, int threads)
    : separator_(model, sample_rate, channels, threads),
      ramp_samples_(model.grid(sample_rate).hop),
      vocals_(static_cast<size_t>(channels) * kBlock),
      accompaniment_(static_cast<size_t>(channels) * kBlock),
      gains_(2 * kBlock) {}

void StemMixer::set_gains(float vocals, float accompaniment) noexcept {
  vocals_gain_.store(vocals, std::memory_order_relaxed);
  accompaniment_gain_.store(accompaniment, std::memory_order_relaxed);
}

void StemMixer::reset() noexcept {
  separator_.reset();
  const float vocals = vocals_gain_.load(std::memory_order_relaxed);
  const float accompaniment = accompaniment_gain_.load(std::memory_order_relaxed);
  vocals_ramp_ = {vocals, vocals};
  accompaniment_ramp_ = {accompaniment, accompaniment};
}

void StemMixer::process(const float* const* in, float* const* out, int n) noexcept {
  const FlushDenormals flush;
  vocals_ramp_.aim(vocals_gain_.load(std::memory_order_relaxed), ramp_samples_);
  accompaniment_ramp_.aim(accompaniment_gain_.load(std::memory_order_relaxed), ramp_samples_);
  float* vocals_gains = gains_.data();
  float* accompaniment_gains = gains_.data() + kBlock;
  for (int done = 0; done < n; done += kBlock) {
    const int count = std::min(kBlock, n - done);
    const float* mixture[2];
    float *vocals[2], *accompaniment[2];
    for (int c = 0; c < channels(); ++c) {
      mixture[c] = in[c] + done;
      vocals[c] = vocals_.data() + c * kBlock;
      accompaniment[c] = accompaniment_.data() + c * kBlock;
    }
    separator_.process(mixture, vocals, accompaniment, count);
    for (int i = 0; i < count; ++i) {
      vocals_gains[i] = vocals_ramp_.next();
      accompaniment_gains[i] = accompaniment_ramp_.next();
    }
    for (int c = 0; c < channels(); ++c)
      for (int i = 0; i < count; ++i)
        out[c][done + i] = vocals_gains[i] * vocals[c][i] + accompaniment_gains[i] * accompaniment[c][i];
  }
}

}  // namespace pyvocsep
