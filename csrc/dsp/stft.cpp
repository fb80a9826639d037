#include "dsp/stft.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace pyvocsep {

namespace {

const Grid& checked(const Grid& grid) {
  if (grid.hop < 1 || grid.frame % grid.hop != 0 || grid.frame < 2 * grid.hop)
    throw std::invalid_argument("a hop of " + std::to_string(grid.hop) + " samples does not divide a frame of " +
                                std::to_string(grid.frame) + " samples into two or more parts");
  return grid;
}

}  // namespace

StreamingStft::StreamingStft(const Grid& grid, int channels, int max_frames)
    : grid_(checked(grid)),
      fft_(grid.frame),
      capacity_(max_frames * grid.hop),
      analysis_window_(grid.frame),
      synthesis_window_(grid.frame) {
  // The squared windows of overlapping frames sum to frame / (2 hop); the inverse transform lacks the factor 1 / frame.
  const double synthesis_scale = 2.0 * grid.hop / grid.frame / grid.frame;
  for (int n = 0; n < grid.frame; ++n) {
    const double w = std::sin(std::numbers::pi * n / grid.frame);
    analysis_window_[n] = static_cast<float>(w);
    synthesis_window_[n] = static_cast<float>(w * synthesis_scale);
  }
  for (int c = 0; c < channels; ++c) channels_.emplace_back(grid.frame, capacity_);
}

void StreamingStft::reset() noexcept {
  for (Channel& channel : channels_) {
    channel.input.clear();
    channel.sum.clear();
  }
  since_frame_ = 0;
}

void StreamingStft::analyse(int channel, int frame, float* re, float* im) noexcept {
  Channel& c = channels_[channel];
  fft_.forward(c.input.data() + start(frame), analysis_window_.data(), re, im, c.workspace);
}

void StreamingStft::overlap_add(int channel, int frame, const float* re, const float* im) noexcept {
  Channel& c = channels_[channel];
  fft_.inverse_add(re, im, synthesis_window_.data(), c.sum.data() + start(frame), c.workspace);
}

void StreamingStft::advance(int n) noexcept {
  const int done = frames(n) * grid_.hop;
  since_frame_ += n - done;
  if (done == 0) return;
  for (Channel& channel : channels_) {
    float* input = channel.input.data();
    float* sum = channel.sum.data();
    std::copy(input + done, input + done + grid_.frame + since_frame_, input);
    std::copy(sum + done, sum + done + grid_.frame, sum);
    std::fill_n(sum + grid_.frame, done, 0.0f);
  }
}

}  // namespace pyvocsep
