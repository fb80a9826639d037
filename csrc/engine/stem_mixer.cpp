#include "pyvocsep/stem_mixer.h"

#include <algorithm>
#include <atomic>

#include "base/buffer.h"
#include "base/denormals.h"
#include "nn/model_impl.h"
#include "pyvocsep/limits.h"
#include "pyvocsep/separator.h"

namespace pyvocsep {

namespace {

// A gain that moves to its target in equal steps.
struct Ramp {
  float now = 1.0f, target = 1.0f, step = 0.0f;
  int left = 0;  // samples until the target

  void aim(float gain, int samples) {
    if (gain == target) return;
    target = gain;
    step = (gain - now) / static_cast<float>(samples);
    left = samples;
  }

  float next() {
    if (left > 0) now = --left > 0 ? now + step : target;
    return now;
  }
};

}  // namespace

class StemMixer::Impl {
 public:
  Impl(const Model& model, double sample_rate, int channels, int threads)
      : separator_(model, sample_rate, channels, threads),
        ramp_samples_(model.impl().grid(sample_rate).hop),
        vocals_(static_cast<size_t>(channels) * kBlock),
        accompaniment_(static_cast<size_t>(channels) * kBlock),
        gains_(2 * kBlock) {}

  int channels() const { return separator_.channels(); }
  int latency() const { return separator_.latency(); }
  int ramp() const { return ramp_samples_; }

  void set_gains(float vocals, float accompaniment) noexcept {
    vocals_gain_.store(vocals, std::memory_order_relaxed);
    accompaniment_gain_.store(accompaniment, std::memory_order_relaxed);
  }

  void reset() noexcept {
    separator_.reset();
    const float vocals = vocals_gain_.load(std::memory_order_relaxed);
    const float accompaniment = accompaniment_gain_.load(std::memory_order_relaxed);
    vocals_ramp_ = {vocals, vocals};
    accompaniment_ramp_ = {accompaniment, accompaniment};
  }

  void process(const float* const* in, float* const* out, int n) noexcept;

 private:
  static constexpr int kBlock = 8192;  // samples that are separated and mixed at once, at most

  Separator separator_;
  int ramp_samples_;
  std::atomic<float> vocals_gain_{1.0f}, accompaniment_gain_{1.0f};
  Ramp vocals_ramp_, accompaniment_ramp_;
  Buffer vocals_, accompaniment_;  // [channels][kBlock]
  Buffer gains_;                   // [vocals, accompaniment][kBlock]
};

void StemMixer::Impl::process(const float* const* in, float* const* out, int n) noexcept {
  const FlushDenormals flush;
  vocals_ramp_.aim(vocals_gain_.load(std::memory_order_relaxed), ramp_samples_);
  accompaniment_ramp_.aim(accompaniment_gain_.load(std::memory_order_relaxed), ramp_samples_);
  float* vocals_gains = gains_.data();
  float* accompaniment_gains = gains_.data() + kBlock;
  for (int done = 0; done < n; done += kBlock) {
    const int count = std::min(kBlock, n - done);
    const float* mixture[PYVOCSEP_MAX_CHANNELS];
    float *vocals[PYVOCSEP_MAX_CHANNELS], *accompaniment[PYVOCSEP_MAX_CHANNELS];
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

StemMixer::StemMixer(const Model& model, double sample_rate, int channels, int threads)
    : impl_(std::make_unique<Impl>(model, sample_rate, channels, threads)) {}
StemMixer::~StemMixer() = default;
StemMixer::StemMixer(StemMixer&&) noexcept = default;
StemMixer& StemMixer::operator=(StemMixer&&) noexcept = default;

int StemMixer::channels() const noexcept { return impl_->channels(); }
int StemMixer::latency() const noexcept { return impl_->latency(); }
int StemMixer::ramp() const noexcept { return impl_->ramp(); }
void StemMixer::set_gains(float vocals, float accompaniment) noexcept { impl_->set_gains(vocals, accompaniment); }
void StemMixer::reset() noexcept { impl_->reset(); }
void StemMixer::process(const float* const* in, float* const* out, int n) noexcept { impl_->process(in, out, n); }

}  // namespace pyvocsep
