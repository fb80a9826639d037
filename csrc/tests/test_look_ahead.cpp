// Networks that look ahead: the backward GRU against one run by hand, the delays, and what files may ask for.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dsp/delay_line.h"
#include "nn/look_ahead.h"
#include "pyvocsep/limits.h"
#include "pyvocsep/separator.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

constexpr int kDim = 32, kBands = 3;

using Frames = std::vector<std::vector<double>>;  // [frame][band and value]

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One step of the backward GRU of a band, by PyTorch's equations.
std::vector<double> gru_step(const ModelFile& file, const std::vector<double>& x, const std::vector<double>& h) {
  const std::string prefix = "blocks.0.ahead.gru.";
  const auto sums = [&](const std::string& suffix, const std::vector<double>& input) {
    const Tensor& weight = file.tensor(prefix + "weight_" + suffix, {3 * kDim, kDim});
    const Tensor& bias = file.tensor(prefix + "bias_" + suffix, {3 * kDim});
    std::vector<double> y(bias.values.begin(), bias.values.end());
    for (int n = 0; n < 3 * kDim; ++n)
      for (int k = 0; k < kDim; ++k) y[n] += double{weight.at(n, k)} * input[k];
    return y;
  };
  const std::vector<double> from_x = sums("ih_l0", x), from_h = sums("hh_l0", h);
  std::vector<double> next(kDim);
  for (int i = 0; i < kDim; ++i) {
    const double r = sigmoid(from_x[i] + from_h[i]), z = sigmoid(from_x[kDim + i] + from_h[kDim + i]);
    const double n = std::tanh(from_x[2 * kDim + i] + r * from_h[2 * kDim + i]);
    next[i] = (1 - z) * n + z * h[i];
  }
  return next;
}

// The residual after the causal step, and the backward states, of frames whose chunks are complete.
std::pair<Frames, Frames> by_hand(const ModelFile& file, const Frames& x, const Frames& states,
                                  const LookAhead& shape) {
  const std::vector<float>& scale = file.tensor("blocks.0.time_scale", {kDim}).values;
  const std::vector<float>& weight = file.tensor("blocks.0.ahead.norm.weight", {kDim}).values;
  const int frames = static_cast<int>(x.size());
  Frames sums = x, backward(x.size(), std::vector<double>(kBands * kDim));
  for (int t = 0; t < frames; ++t)
    for (int i = 0; i < kBands * kDim; ++i) sums[t][i] += states[t][i] * scale[i % kDim];
  for (int first = 0; first + shape.frames() <= frames; first += shape.chunk)
    for (int band = 0; band < kBands; ++band) {
      std::vector<double> h(kDim);
      for (int t = first + shape.frames() - 1; t >= first; --t) {
        std::vector<double> normed(sums[t].begin() + band * kDim, sums[t].begin() + (band + 1) * kDim);
        double squares = 0;
        for (const double v : normed) squares += v * v;
        for (int i = 0; i < kDim; ++i) normed[i] *= weight[i] / std::sqrt(squares / kDim + 1e-5);
        h = gru_step(file, normed, h);
        if (t < first + shape.chunk) std::copy(h.begin(), h.end(), backward[t].begin() + band * kDim);
      }
    }
  return {sums, backward};
}

Frames noise(int frames, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Frames x(frames, std::vector<double>(kBands * kDim));
  for (auto& frame : x)
    for (double& v : frame) v = normal(random);
  return x;
}

// What leaves the step, frame after frame: the residual, then the backward states.
std::vector<std::vector<float>> run(BackwardStep& step, const Frames& x, const Frames& states,
                                    const std::vector<int>& calls, const std::vector<int>& shares) {
  std::vector<std::vector<float>> left;
  int done = 0;
  for (const int count : calls) {
    const size_t size = static_cast<size_t>(std::max(1, count)) * kBands * kDim;
    Buffer residual(size), before(size), backward(size);
    for (int t = 0; t < count; ++t)
      for (int i = 0; i < kBands * kDim; ++i) {
        residual[t * kBands * kDim + i] = static_cast<float>(x[done + t][i]);
        before[t * kBands * kDim + i] = static_cast<float>(states[done + t][i]);
      }
    for (size_t i = 0; i + 1 < shares.size(); ++i)
      step.process(residual.data(), before.data(), backward.data(), count, shares[i], shares[i + 1]);
    const int leaving = step.leaving(count);
    for (int t = 0; t < leaving; ++t) {
      left.emplace_back(residual.data() + t * kBands * kDim, residual.data() + (t + 1) * kBands * kDim);
      left.back().insert(left.back().end(), backward.data() + t * kBands * kDim,
                         backward.data() + (t + 1) * kBands * kDim);
    }
    step.advance(count);
    done += count;
  }
  return left;
}

Model load(const test::ModelBuilder& m) { return Model::from_bytes(m.bytes(), "test"); }

}  // namespace

TEST_CASE("the backward GRU equals one run by hand, however frames come and bands are shared") {
  constexpr int kFrames = 29;
  const Frames x = noise(kFrames, 1), states = noise(kFrames, 2);
  for (const LookAhead shape : {LookAhead{4, 2}, {5, 0}, {3, 7}, {1, 0}, {1, 1}, {12, 5}}) {
    CAPTURE(shape.chunk);
    CAPTURE(shape.context);
    const ModelFile file(test::look_ahead(test::random_band_gru(), kDim, {0}, shape.chunk, shape.context).bytes(),
                         "test");
    const auto [sums, backward] = by_hand(file, x, states, shape);
    BackwardStep step(kernels(), file, 0, kDim, kBands, shape);
    const auto left = run(step, x, states, {kFrames}, {0, kBands});
    REQUIRE(static_cast<int>(left.size()) == kFrames - shape.delay());
    double worst = 0;
    for (size_t t = 0; t < left.size(); ++t)
      for (int i = 0; i < kBands * kDim; ++i)
        worst =
            std::max({worst, std::abs(left[t][i] - sums[t][i]), std::abs(left[t][kBands * kDim + i] - backward[t][i])});
    CHECK(worst < 2e-5);
    step.reset();
    CHECK(run(step, x, states, {1, 0, 2, 7, 8, 1, 1, 9}, {0, 1, kBands}) == left);
  }
}

TEST_CASE("the latency is one frame, and a hop for each frame ahead") {
  const Model model = load(test::random_band_gru_ahead(5, 3)), plain = load(test::random_band_gru());
  for (const double rate : {44100.0, 48000.0, 22050.0, 192000.0}) {
    const int frame = Separator(plain, rate, 2).latency();
    CHECK(Separator(model, rate, 2).latency() == frame + 14 * frame / 2);
  }
  CHECK(Separator(load(test::random_band_gru_ahead(1, 0)), 44100, 2).latency() == 512);
}

TEST_CASE("what comes later than the context changes nothing, what comes in it does") {
  // One block, chunks of 4 frames and 2 after them: frames 0 to 3 hear frame 5, not frame 6.
  const Model model = load(test::look_ahead(test::random_band_gru(), 32, {0}, 4, 2));
  const auto vocals_with_change_at = [&](int sample) {
    std::vector<float> x(8000), v(8000), a(8000);
    for (int i = 0; i < 8000; ++i) x[i] = std::sin(0.05f * static_cast<float>(i));
    if (sample >= 0) x[sample] += 0.5f;
    const float* in[] = {x.data()};
    float *vocals[] = {v.data()}, *accompaniment[] = {a.data()};
    Separator separator(model, 44100, 1);
    separator.process(in, vocals, accompaniment, 8000);
    return v;
  };
  const auto first_difference = [&](int sample) {
    const std::vector<float> before = vocals_with_change_at(-1), after = vocals_with_change_at(sample);
    const auto place = std::mismatch(before.begin(), before.end(), after.begin()).first - before.begin();
    return static_cast<int>(place) - Separator(model, 44100, 1).latency();
  };
  // Frame t ends with sample 256 (t + 1); the first frame's part before the stream's beginning is silent.
  CHECK(first_difference(256 * 6 - 10) < 256);       // in frame 5
  CHECK(first_difference(256 * 6 + 10) >= 256 * 3);  // in frame 6: the chunk that begins with frame 4 at the earliest
}

TEST_CASE("a file that contradicts itself, or looks too far ahead, is refused") {
  test::ModelBuilder m = test::random_band_gru_ahead();
  const auto refusal = [](const test::ModelBuilder& model) {
    try {
      load(model);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(m).empty());
  m.metadata["look_ahead_context"] = "0";
  CHECK(refusal(m).empty());
  m.metadata["look_ahead_chunk"] = "129";
  m.metadata["look_ahead_context"] = "0";
  CHECK(refusal(m).empty());  // 2 * 128 frames
  m.metadata["look_ahead_context"] = "1";
  CHECK(refusal(m).find("2 blocks look 258 frames ahead, and at most 256 are possible") != std::string::npos);
  m.metadata.erase("look_ahead_context");
  CHECK(refusal(m).find("'look_ahead_context' is missing") != std::string::npos);
  for (const char* key : {"look_ahead_chunk", "look_ahead_context"}) {
    m = test::random_band_gru();
    m.metadata[key] = "3";
    CHECK(refusal(m).find(std::string("metadata '") + key + "' is there, but no tensors") != std::string::npos);
  }
  m = test::random_band_gru_ahead();
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"})
    m.tensors.erase(std::string("blocks.1.ahead.gru.") + name);
  test::add_gru(m, "blocks.1.ahead.gru.", "_l0", 32, 16);
  CHECK(refusal(m).find("block 1: its backward states do not have the 32 values") != std::string::npos);
}

TEST_CASE("more bands and values than can wait for so many frames are refused, not allocated") {
  test::ModelBuilder m = test::band_gru_of(44100, 4096, 2048, {{2049, 1}}, 32, 1);
  m = test::look_ahead(m, 32, {0}, 200, 50);
  CHECK_THROWS_WITH_AS(load(m), doctest::Contains("2049 bands of 32 values are too many to look 250 frames ahead"),
                       std::invalid_argument);
}

TEST_CASE("a delay line gives what came as many samples before") {
  std::mt19937 random(4);
  for (const int delay : {0, 1, 7, 1000}) {
    CAPTURE(delay);
    DelayLine line(delay);
    for (int round = 0; round < 2; ++round) {
      std::vector<float> x(5000);
      for (int i = 0; i < 5000; ++i) x[i] = static_cast<float>(i + 1);
      for (int done = 0; done < 5000;) {
        const int count = std::min(5000 - done, static_cast<int>(random() % 1500));
        line.process(x.data() + done, count);
        done += count;
      }
      bool same = true;
      for (int i = 0; i < 5000; ++i) same = same && x[i] == static_cast<float>(i < delay ? 0 : i + 1 - delay);
      CHECK(same);
      line.reset();
    }
  }
}
