#include "pyvocsep/separator.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/denormals.h"
#include "base/processors.h"
#include "base/profile.h"
#include "base/thread_team.h"
#include "dsp/delay_line.h"
#include "dsp/stft.h"
#include "nn/masker.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

namespace {

constexpr float kLargest = PYVOCSEP_LARGEST_SAMPLE;

Grid checked_grid(const Model::Impl& model, double sample_rate, int channels, int threads) {
  if (!(sample_rate >= PYVOCSEP_MIN_SAMPLE_RATE && sample_rate <= PYVOCSEP_MAX_SAMPLE_RATE))
    throw std::invalid_argument("sample rate " + std::to_string(sample_rate) + " is outside " +
                                std::to_string(PYVOCSEP_MIN_SAMPLE_RATE) + " to " +
                                std::to_string(PYVOCSEP_MAX_SAMPLE_RATE) + " Hz");
  if (channels < 1 || channels > PYVOCSEP_MAX_CHANNELS)
    throw std::invalid_argument(std::to_string(channels) + " channels: only mono and stereo can be separated");
  if (threads < 1 || threads > PYVOCSEP_MAX_THREADS)
    throw std::invalid_argument(std::to_string(threads) + " threads: 1 to " + std::to_string(PYVOCSEP_MAX_THREADS) +
                                " are possible");
  return model.grid(sample_rate);
}

}  // namespace

class Separator::Impl {
 public:
  Impl(const Model::Impl& model, double sample_rate, int channels, int threads);

  int channels() const { return channels_; }
  int latency() const { return stft_.grid().frame + look_ahead(); }
  void reset() noexcept;
  void process(const float* const* in, float* const* vocals, float* const* accompaniment, int n) noexcept;
  void flush(float* const* vocals, float* const* accompaniment) noexcept;

 private:
  // Frames that one run of the network takes: enough for the kernels, few enough for the cache.
  static constexpr int kMaxFrames = 8;

  int look_ahead() const { return masker_.look_ahead() * stft_.grid().hop; }  // in samples
  void run_frames(int count) noexcept;

  int channels_;
  StreamingStft stft_;
  Masker masker_;
  ThreadTeam team_;
  std::vector<DelayLine> mixture_;  // of each channel, as late as the masks
  int before_start_ = 0;            // samples of output that precede the first sample of the stream
};

Separator::Impl::Impl(const Model::Impl& model, double sample_rate, int channels, int threads)
    : channels_(channels),
      stft_(checked_grid(model, sample_rate, channels, threads), channels, kMaxFrames),
      masker_(model, stft_.grid(), channels, kMaxFrames),
      team_(std::min(threads, usable_processors())) {
  for (int c = 0; c < channels; ++c) mixture_.emplace_back(look_ahead());
  reset();
}

void Separator::Impl::reset() noexcept {
  stft_.reset();
  masker_.reset();
  for (DelayLine& mixture : mixture_) mixture.reset();
  before_start_ = latency();
}

void Separator::Impl::process(const float* const* in, float* const* vocals, float* const* accompaniment,
                              int n) noexcept {
  const FlushDenormals flush;
  for (int done = 0; done < n;) {
    const int count = std::min(n - done, stft_.room());
    for (int c = 0; c < channels_; ++c) {
      float* input = stft_.input(c);
      for (int i = 0; i < count; ++i) {
        const float x = in[c][done + i];
        input[i] = x >= -kLargest && x <= kLargest ? x : 0.0f;
      }
    }
    if (const int frames = stft_.frames(count); frames > 0) run_frames(frames);
    // Masks smear a little of the first frame into the time before the stream's first sample: silence there.
    const int silent = std::min(before_start_, count);
    for (int c = 0; c < channels_; ++c) {
      const float* mixture = stft_.delayed(c);
      const float* sum = stft_.sum(c);
      float* v = vocals[c] + done;
      float* a = accompaniment[c] + done;
      if (look_ahead() > 0) {
        std::copy_n(mixture, count, a);
        mixture_[c].process(a, count);
        mixture = a;
      }
      std::fill_n(v, silent, 0.0f);
      std::fill_n(a, silent, 0.0f);
      for (int i = silent; i < count; ++i) {
        v[i] = sum[i];
        a[i] = mixture[i] - sum[i];
      }
    }
    stft_.advance(count);
    before_start_ -= silent;
    done += count;
  }
}

void Separator::Impl::flush(float* const* vocals, float* const* accompaniment) noexcept {
  static constexpr float kSilence[256] = {};
  const float* in[PYVOCSEP_MAX_CHANNELS];
  float *v[PYVOCSEP_MAX_CHANNELS], *a[PYVOCSEP_MAX_CHANNELS];
  std::fill_n(in, channels_, kSilence);
  std::copy_n(vocals, channels_, v);
  std::copy_n(accompaniment, channels_, a);
  for (int left = latency(); left > 0;) {
    const int count = std::min(left, static_cast<int>(std::size(kSilence)));
    process(in, v, a, count);
    for (int c = 0; c < channels_; ++c) {
      v[c] += count;
      a[c] += count;
    }
    left -= count;
  }
  reset();
}

// Spectra, masks and overlap-add of the next `count` frames.
void Separator::Impl::run_frames(int count) noexcept {
  team_.split(channels_, [&](int begin, int end) {
    const Timed timed(Stage::kAnalysis);
    for (int c = begin; c < end; ++c)
      for (int t = 0; t < count; ++t) stft_.analyse(c, t, masker_.re(t, c), masker_.im(t, c));
  });
  const int masked = masker_.estimate(count, team_);
  masker_.apply(masked, team_);
  const int without = count - masked;  // at the beginning of a stream, of a network that looks ahead
  team_.split(channels_, [&](int begin, int end) {
    const Timed timed(Stage::kSynthesis);
    for (int c = begin; c < end; ++c)
      for (int t = 0; t < masked; ++t)
        stft_.overlap_add(c, without + t, masker_.masked_re(t, c), masker_.masked_im(t, c));
  });
  masker_.advance(count, masked);
}

Separator::Separator(const Model& model, double sample_rate, int channels, int threads)
    : impl_(std::make_unique<Impl>(model.impl(), sample_rate, channels, threads)) {}
Separator::~Separator() = default;
Separator::Separator(Separator&&) noexcept = default;
Separator& Separator::operator=(Separator&&) noexcept = default;

int Separator::channels() const noexcept { return impl_->channels(); }
int Separator::latency() const noexcept { return impl_->latency(); }
void Separator::reset() noexcept { impl_->reset(); }
void Separator::process(const float* const* in, float* const* vocals, float* const* accompaniment, int n) noexcept {
  impl_->process(in, vocals, accompaniment, n);
}
void Separator::flush(float* const* vocals, float* const* accompaniment) noexcept {
  impl_->flush(vocals, accompaniment);
}

}  // namespace pyvocsep
