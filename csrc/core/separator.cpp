#include "core/separator.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "core/denormals.h"
#include "core/profile.h"

namespace pyvocsep {

namespace {

Grid checked_grid(const Model& model, double sample_rate, int channels, int threads) {
  if (!(sample_rate >= kMinSampleRate && sample_rate <= kMaxSampleRate))
    throw std::invalid_argument("sample rate " + std::to_string(sample_rate) + " is outside 8000 to 192000 Hz");
  if (channels != 1 && channels != 2)
    throw std::invalid_argument(std::to_string(channels) + " channels: only mono and stereo can be separated");
  if (threads < 1 || threads > 64)
    throw std::invalid_argument(std::to_string(threads) + " threads: 1 to 64 are possible");
  return model.grid(sample_rate);
}

}  // namespace

Separator::Separator(const Model& model, double sample_rate, int channels, int threads)
    : kernels_(kernels()),
      grid_(checked_grid(model, sample_rate, channels, threads)),
      channels_(channels),
      fft_(grid_.frame),
      masker_(model, grid_, channels, kMaxFrames),
      team_(threads),
      analysis_window_(grid_.frame),
      synthesis_window_(grid_.frame) {
  // The square root of a periodic Hann window, twice, sums to frame / (2 hop) over the hops; the inverse transform
  // still owes 1 / frame.
  const double synthesis_scale = 2.0 * grid_.hop / grid_.frame / grid_.frame;
  for (int n = 0; n < grid_.frame; ++n) {
    const double w = std::sin(std::numbers::pi * n / grid_.frame);
    analysis_window_[n] = static_cast<float>(w);
    synthesis_window_[n] = static_cast<float>(w * synthesis_scale);
  }
  for (int c = 0; c < channels; ++c) {
    workspaces_.emplace_back(grid_.frame);
    input_.emplace_back(grid_.frame + kMaxFrames * grid_.hop);
    vocals_.emplace_back(grid_.frame + kMaxFrames * grid_.hop);
  }
  reset();
}

void Separator::reset() noexcept {
  masker_.reset();
  for (Buffer& channel : input_) channel.clear();
  for (Buffer& channel : vocals_) channel.clear();
  since_frame_ = 0;
  before_start_ = grid_.frame;
}

void Separator::process(const float* const* in, float* const* vocals, float* const* accompaniment, int n) noexcept {
  const FlushDenormals flush;
  for (int done = 0; done < n;) {
    const int count = std::min(n - done, kMaxFrames * grid_.hop - since_frame_);
    for (int c = 0; c < channels_; ++c) {
      float* input = input_[c].data() + grid_.frame;
      for (int i = 0; i < count; ++i) {
        const float x = in[c][done + i];
        input[i] = x >= -kLargestSample && x <= kLargestSample ? x : 0.0f;
      }
    }
    const int frames = (since_frame_ + count) / grid_.hop;
    if (frames > 0) run_frames(grid_.hop - since_frame_, frames);
    since_frame_ = since_frame_ + count - frames * grid_.hop;
    emit(vocals, accompaniment, done, count);
    done += count;
  }
}

// Frames that begin at sample `first` of the buffers and every hop after it.
void Separator::run_frames(int first, int count) noexcept {
  team_.split(channels_, [&](int begin, int end) {
    const Timed timed(Stage::kAnalysis);
    for (int c = begin; c < end; ++c)
      for (int t = 0; t < count; ++t)
        fft_.forward(input_[c].data() + first + t * grid_.hop, analysis_window_.data(), masker_.re(t, c),
                     masker_.im(t, c), workspaces_[c]);
  });
  masker_.estimate(count, team_);
  team_.split(count, [&](int begin, int end) {
    const Timed timed(Stage::kSynthesis);
    for (int t = begin; t < end; ++t)
      if (channels_ == 2)
        kernels_.apply_masks(masker_.mask(t, 0), masker_.mask(t, 1), grid_.bins(), masker_.re(t, 0), masker_.im(t, 0),
                             masker_.re(t, 1), masker_.im(t, 1));
      else
        kernels_.apply_mask(masker_.mask(t, 0), grid_.bins(), masker_.re(t, 0), masker_.im(t, 0));
  });
  team_.split(channels_, [&](int begin, int end) {
    const Timed timed(Stage::kSynthesis);
    for (int c = begin; c < end; ++c)
      for (int t = 0; t < count; ++t)
        fft_.inverse_add(masker_.re(t, c), masker_.im(t, c), synthesis_window_.data(),
                         vocals_[c].data() + first + t * grid_.hop, workspaces_[c]);
  });
}

// The first `count` samples of the buffers leave: they are complete.
void Separator::emit(float* const* vocals, float* const* accompaniment, int offset, int count) noexcept {
  const int silent = std::min(before_start_, count);
  for (int c = 0; c < channels_; ++c) {
    float* mixture = input_[c].data();
    float* sum = vocals_[c].data();
    std::fill_n(sum, silent, 0.0f);  // masks smear a little of the first frame into the time before it
    float* v = vocals[c] + offset;
    float* a = accompaniment[c] + offset;
    for (int i = 0; i < count; ++i) {
      v[i] = sum[i];
      a[i] = mixture[i] - sum[i];
    }
    std::copy(mixture + count, mixture + count + grid_.frame, mixture);
    std::copy(sum + count, sum + count + grid_.frame, sum);
    std::fill_n(sum + grid_.frame, count, 0.0f);
  }
  before_start_ -= silent;
}

}  // namespace pyvocsep
