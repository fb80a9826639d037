// The spatial filter: what it does to sources that stand somewhere, and where it must do nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "base/thread_team.h"
#include "nn/spatial_filter.h"

using namespace pyvocsep;

namespace {

constexpr Grid kGrid{64, 32};
constexpr int kBins = 33, kFrames = 200;

// A voice and an instrument, each noise at its place, and masks that know their energies a little.
struct Scene {
  std::vector<Buffer> voice[4], mixture[4];  // l_re, l_im, r_re, r_im of each frame
  std::vector<Buffer> masks[2];              // mid, side
};

// Left and right get these parts of each source.
Scene scene(float voice_left, float voice_right, float other_left, float other_right) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  Scene made;
  for (int t = 0; t < kFrames; ++t) {
    Buffer voice[4], mixture[4], masks[2];
    for (Buffer* buffers : {voice, mixture})
      for (int i = 0; i < 4; ++i) buffers[i] = Buffer(padded(kBins));
    for (Buffer& mask : masks) mask = Buffer(padded(kBins));
    for (int k = 0; k < padded(kBins); ++k) {
      const float v[2] = {normal(random), normal(random)}, a[2] = {normal(random), normal(random)};
      for (int i = 0; i < 2; ++i) {
        voice[i][k] = voice_left * v[i];
        voice[2 + i][k] = voice_right * v[i];
        mixture[i][k] = voice[i][k] + other_left * a[i];
        mixture[2 + i][k] = voice[2 + i][k] + other_right * a[i];
      }
      const float voice_energy = v[0] * v[0] + v[1] * v[1], other_energy = a[0] * a[0] + a[1] * a[1];
      for (Buffer& mask : masks)
        mask[k] = std::sqrt(voice_energy) / (std::sqrt(voice_energy) + std::sqrt(other_energy));
      if (k >= kBins)
        for (int i = 0; i < 4; ++i) mixture[i][k] = std::numeric_limits<float>::quiet_NaN();
    }
    for (int i = 0; i < 4; ++i) {
      made.voice[i].push_back(std::move(voice[i]));
      made.mixture[i].push_back(std::move(mixture[i]));
    }
    for (int i = 0; i < 2; ++i) made.masks[i].push_back(std::move(masks[i]));
  }
  return made;
}

// Signal to error in dB over the second half, where the places are known; times `gain` before, divided by it after.
double quality(Scene scene, bool filtered, float gain = 1.0f) {
  SpatialFilter filter(kernels(), kGrid, 1.0, 0.01, kFrames);
  ThreadTeam team(2);
  std::vector<StereoFrame> frames;
  for (int t = 0; t < kFrames; ++t) {
    for (auto& part : scene.mixture)
      for (int k = 0; k < kBins; ++k) part[t][k] *= gain;
    frames.push_back({scene.masks[0][t].data(), scene.masks[1][t].data(), scene.mixture[0][t].data(),
                      scene.mixture[1][t].data(), scene.mixture[2][t].data(), scene.mixture[3][t].data()});
  }
  if (filtered)
    filter.process(frames.data(), kFrames, team);
  else
    for (const StereoFrame& frame : frames) kernels().apply_masks(frame, kBins);
  double signal = 0, error = 0;
  for (int t = kFrames / 2; t < kFrames; ++t)
    for (int i = 0; i < 4; ++i)
      for (int k = 0; k < kBins; ++k) {
        const double truth = scene.voice[i][t][k], found = scene.mixture[i][t][k] / gain;
        signal += truth * truth;
        error += (truth - found) * (truth - found);
      }
  return 10 * std::log10(signal / error);
}

}  // namespace

TEST_CASE("a call takes frames one after the other, from where the last call left") {
  const Kernels& k = kernels();
  Scene whole = scene(1, 1, 1, 0), single = scene(1, 1, 1, 0);
  const auto frame = [](Scene& s, int t) {
    return StereoFrame{s.masks[0][t].data(),   s.masks[1][t].data(),   s.mixture[0][t].data(),
                       s.mixture[1][t].data(), s.mixture[2][t].data(), s.mixture[3][t].data()};
  };
  SpatialFilter filter(k, kGrid, 1.0, 0.01, 8);
  ThreadTeam team(3);
  for (int t = 0, count = 1; t < 60; t += count, count = count % 8 + 1) {
    std::vector<StereoFrame> frames;
    for (int i = 0; i < count; ++i) frames.push_back(frame(whole, t + i));
    filter.process(frames.data(), count, team);
  }
  const ptrdiff_t stride = padded(kBins) + kPanel;
  Buffer moments[2] = {Buffer(8 * stride), Buffer(8 * stride)};
  const float scale = 2.0f / kGrid.frame, decay = static_cast<float>(std::exp(-0.01));
  for (int t = 0; t < 60; ++t) {
    float *before = moments[t % 2].data(), *after = moments[1 - t % 2].data();
    k.spatial_moments(frame(single, t), {before, after, stride, scale, decay}, 0, padded(kBins));
    for (int row = 0; row < 8; ++row) std::fill_n(after + row * stride + kBins, padded(kBins) - kBins, 0.0f);
    k.spatial_filter(frame(single, t), after, stride, scale, kBins);
    for (int i = 0; i < 4; ++i)
      CHECK(std::memcmp(whole.mixture[i][t].data(), single.mixture[i][t].data(), kBins * sizeof(float)) == 0);
  }
}

TEST_CASE("sources that stand apart are told apart better than by masks") {
  CHECK(quality(scene(1, 1, 1, 0), true) > quality(scene(1, 1, 1, 0), false) + 1.5);
  CHECK(quality(scene(0.9f, 0.5f, 0.2f, 1), true) > quality(scene(0.9f, 0.5f, 0.2f, 1), false) + 2);
}

TEST_CASE("at one place for both, and in mono, it is the masks") {
  CHECK(quality(scene(1, 1, 1, 1), true) == doctest::Approx(quality(scene(1, 1, 1, 1), false)).epsilon(0.001));
  CHECK(quality(scene(1, 0.3f, 1, 0.3f), true) > quality(scene(1, 0.3f, 1, 0.3f), false) - 0.1);
}

TEST_CASE("the gain of the input is the gain of the vocals, up to the largest samples there are") {
  const double expected = quality(scene(1, 1, 1, 0), true);
  for (const float gain : {1e-6f, 1e-3f, 4.0f, 1e18f}) {
    CAPTURE(gain);
    CHECK(quality(scene(1, 1, 1, 0), true, gain) == doctest::Approx(expected).epsilon(0.001));
  }
}

TEST_CASE("silence gives silence, and what follows is not harmed") {
  const auto late = [] {
    Scene made = scene(1, 1, 1, 0);
    for (auto* parts : {made.mixture, made.voice})
      for (int i = 0; i < 4; ++i)
        for (int t = 0; t < kFrames / 2; ++t) std::fill_n(parts[i][t].data(), kBins, 0.0f);
    return made;
  };
  CHECK(quality(late(), true) > quality(late(), false) + 1.5);
}
