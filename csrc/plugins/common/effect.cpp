#include "plugins/common/effect.h"

#include <algorithm>
#include <cmath>

#include "base/denormals.h"
#include "pyvocsep/limits.h"

namespace pyvocsep::plugins {

namespace {

bool can_separate(double rate) { return rate >= PYVOCSEP_MIN_SAMPLE_RATE && rate <= PYVOCSEP_MAX_SAMPLE_RATE; }
bool can_delay(double rate) { return rate >= 1000.0 && rate <= 10e6; }

}  // namespace

Effect::Effect(const Model& model, double sample_rate, int channels) : channels_(channels) {
  if (can_separate(sample_rate) || !can_delay(sample_rate)) {
    mixer_.emplace(model, sample_rate, channels, 1);
    latency_ = mixer_->latency();
    fade_samples_ = mixer_->ramp();
  } else {
    latency_ = static_cast<int>(std::lround(model.n_fft() * sample_rate / model.sample_rate()));
  }
  for (int c = 0; c < channels; ++c) {
    delayed_[c] = Buffer(latency());
    dry_[c] = Buffer(kBlock);
  }
}

void Effect::set(float vocals_gain, float accompaniment_gain, bool bypassed) noexcept {
  if (mixer_) mixer_->set_gains(vocals_gain, accompaniment_gain);
  bypassed_ = bypassed;
}

void Effect::reset() noexcept {
  if (mixer_) mixer_->reset();
  for (int c = 0; c < channels(); ++c) delayed_[c].clear();
}

void Effect::process(const float* const* in, float* const* out, int n) noexcept {
  const FlushDenormals flush;
  for (int done = 0; done < n; done += kBlock) {
    const int count = std::min(kBlock, n - done);
    const float* from[2];
    float* to[2];
    for (int c = 0; c < channels(); ++c) {
      from[c] = in[c] + done;
      to[c] = out[c] + done;
    }
    delay(from, count);
    if (!mixer_) {
      for (int c = 0; c < channels(); ++c) std::copy_n(dry_[c].data(), count, to[c]);
      continue;
    }
    mixer_->process(from, to, count);  // also while bypassed, so that its state is current when the bypass ends
    fade(to, count);
  }
}

void Effect::delay(const float* const* in, int n) noexcept {
  for (int done = 0; done < n;) {
    const int count = std::min(n - done, latency() - delay_at_);  // up to the end of the ring buffer
    for (int c = 0; c < channels(); ++c) {
      float* ring = delayed_[c].data() + delay_at_;
      std::copy_n(ring, count, dry_[c].data() + done);
      std::copy_n(in[c] + done, count, ring);
    }
    done += count;
    delay_at_ = (delay_at_ + count) % latency();
  }
}

void Effect::fade(float* const* out, int n) noexcept {
  const int target = bypassed_ ? fade_samples_ : 0;
  for (int i = 0; i < n; ++i) {
    if (faded_ == target) {  // the crossfade is complete
      if (bypassed_)
        for (int c = 0; c < channels(); ++c) std::copy_n(dry_[c].data() + i, n - i, out[c] + i);
      return;
    }
    faded_ += bypassed_ ? 1 : -1;
    const float amount = static_cast<float>(faded_) / static_cast<float>(fade_samples_);
    for (int c = 0; c < channels(); ++c) out[c][i] += amount * (dry_[c][i] - out[c][i]);
  }
}

}  // namespace pyvocsep::plugins
