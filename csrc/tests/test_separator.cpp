// The three promises: streaming gives the bits of the offline result, the stems sum to the input, process() is
// real-time safe.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "base/buffer.h"
#include "base/denormals.h"
#include "pyvocsep/limits.h"
#include "pyvocsep/separator.h"
#include "tests/allocations.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

using Signal = std::vector<std::vector<float>>;  // [channel][sample]

Signal noise(int channels, int n, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  Signal x(channels, std::vector<float>(n));
  for (auto& channel : x)
    for (float& v : channel) v = normal(random);
  return x;
}

struct Stems {
  Signal vocals, accompaniment;
};

// Separates x in blocks of the sizes that `next` gives.
template <typename Next>
Stems separate(Separator& separator, const Signal& x, const Next& next) {
  const int channels = static_cast<int>(x.size()), n = static_cast<int>(x[0].size());
  Stems stems{Signal(channels, std::vector<float>(n)), Signal(channels, std::vector<float>(n))};
  for (int done = 0; done < n;) {
    const int count = std::min(next(), n - done);
    const float* in[2];
    float *vocals[2], *accompaniment[2];
    for (int c = 0; c < channels; ++c) {
      in[c] = x[c].data() + done;
      vocals[c] = stems.vocals[c].data() + done;
      accompaniment[c] = stems.accompaniment[c].data() + done;
    }
    separator.process(in, vocals, accompaniment, count);
    done += count;
  }
  return stems;
}

Stems whole(Separator& separator, const Signal& x) {
  return separate(separator, x, [] { return std::numeric_limits<int>::max(); });
}

constexpr int kModels = 7;

const Model& model(int which) {
  static const Model models[] = {Model::from_bytes(test::random_band_gru().bytes(), "band"),
                                 Model::from_bytes(test::random_gru().bytes(), "gru"),
                                 Model::from_bytes(test::random_band_gru(4).bytes(), "band with a quarter hop"),
                                 Model::from_bytes(test::random_band_gru(2, "0.5").bytes(), "band with a level"),
                                 Model::from_bytes(test::random_band_gru_ahead().bytes(), "band that looks ahead"),
                                 Model::from_bytes(test::spatial(test::random_band_gru()).bytes(), "spatial"),
                                 Model::from_bytes(test::spatial(test::random_band_gru_ahead()).bytes(), "both")};
  return models[which];
}

}  // namespace

TEST_CASE("any block sizes and any number of threads give the same bits") {
  std::mt19937 random(2);
  for (int which = 0; which < kModels; ++which)
    for (const double rate : {8000.0, 16000.0, 44100.0, 48000.0, 96000.0})
      for (int channels = 1; channels <= 2; ++channels) {
        CAPTURE(which);
        CAPTURE(rate);
        CAPTURE(channels);
        const Signal x = noise(channels, 20000);
        Separator one(model(which), rate, channels, 1), other(model(which), rate, channels, channels + 1);
        const Stems expected = whole(one, x);
        const Stems blocks =
            separate(other, x, [&] { return static_cast<int>(1 + random() % (random() % 8 ? 700 : 7000)); });
        CHECK(blocks.vocals == expected.vocals);
        CHECK(blocks.accompaniment == expected.accompaniment);
        one.reset();
        CHECK(whole(one, x).vocals == expected.vocals);
      }
}

TEST_CASE("blocks of one sample give the same bits") {
  const Signal x = noise(2, 3000);
  Separator separator(model(0), 44100, 2, 1);
  const Stems expected = whole(separator, x);
  separator.reset();
  CHECK(separate(separator, x, [] { return 1; }).vocals == expected.vocals);
}

TEST_CASE("the stems sum to the delayed input, and the vocals are not silent") {
  for (int which = 0; which < kModels; ++which) {
    const Signal x = noise(2, 30000);
    Separator separator(model(which), 44100, 2, 1);
    const int latency = separator.latency();
    const Stems stems = whole(separator, x);
    double peak = 0, worst = 0, energy = 0;
    for (int c = 0; c < 2; ++c)
      for (int i = 0; i < 30000; ++i) {
        const double delayed = i < latency ? 0.0 : x[c][i - latency];
        peak = std::max(peak, std::abs(delayed));
        worst = std::max(worst, std::abs(double{stems.vocals[c][i]} + stems.accompaniment[c][i] - delayed));
        energy += stems.vocals[c][i] * stems.vocals[c][i];
        if (i < latency) CHECK(stems.vocals[c][i] == 0.0f);
      }
    CHECK(worst <= std::nextafter(float(peak), 2.0f) - float(peak));
    CHECK(energy > 1.0);
  }
}

TEST_CASE("two equal channels give the stems of one: the first mask is the mid's") {
  for (int which = 0; which < kModels; ++which) {
    CAPTURE(which);
    Separator one(model(which), 44100, 1, 1), two(model(which), 44100, 2, 1);
    const Signal x = noise(1, 30000);
    const Stems mono = whole(one, x), stereo = whole(two, {x[0], x[0]});
    double difference = 0, energy = 0;
    for (int i = 0; i < 30000; ++i)
      for (int c = 0; c < 2; ++c) {
        difference += std::pow(stereo.vocals[c][i] - mono.vocals[0][i], 2);
        energy += std::pow(mono.vocals[0][i], 2);
      }
    CHECK(energy > 1);
    CHECK(difference < 1e-8 * energy);
  }
}

TEST_CASE("a mask of one gives the input back: the overlap-add is an identity, from the first sample on") {
  for (const auto& [divisor, ahead] : {std::pair{2, false}, {4, false}, {2, true}, {4, true}}) {
    test::ModelBuilder m = ahead ? test::random_band_gru_ahead(5, 3, divisor) : test::random_band_gru(divisor);
    m.tensor("decoder.bias", {257, 2}, 0.0f);
    m.tensor("norm.weight", {32}, 0.0f);
    const Model half = Model::from_bytes(m.bytes(), "half");  // sigmoid(0) = 1/2
    const Signal x = noise(2, 12000);
    for (const double rate : {44100.0, 48000.0, 22050.0}) {
      Separator separator(half, rate, 2, 1);
      const int latency = separator.latency();
      const Stems stems = whole(separator, x);
      double worst = 0;
      for (int c = 0; c < 2; ++c)
        for (int i = latency; i < 12000; ++i)
          worst = std::max(worst, std::abs(stems.vocals[c][i] - 0.5 * x[c][i - latency]));
      CAPTURE(divisor);
      CAPTURE(ahead);
      CAPTURE(rate);
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("a network with a running level gives the same stems from +12 to -60 dB; one without does not") {
  const Signal x = noise(2, 40000);
  // The error that a gain of the input leaves in the vocals, over their energy, in dB.
  const auto error_db = [&](const Model& network, int channels, float gain) {
    const Signal quiet(x.begin(), x.begin() + channels);
    Signal scaled = quiet;
    for (auto& channel : scaled)
      for (float& v : channel) v *= gain;
    Separator separator(network, 44100, channels, 1);
    const Stems expected = whole(separator, quiet);
    separator.reset();
    const Stems found = whole(separator, scaled);
    double energy = 0, error = 0;
    for (int c = 0; c < channels; ++c)
      for (size_t i = 0; i < quiet[c].size(); ++i) {
        energy += std::pow(expected.vocals[c][i], 2.0);
        error += std::pow(found.vocals[c][i] / gain - expected.vocals[c][i], 2.0);
      }
    return 10 * std::log10(error / energy + 1e-20);
  };
  for (int channels = 1; channels <= 2; ++channels)
    for (const float gain : {4.0f, 0.1f, 0.01f, 0.001f}) {
      CAPTURE(channels);
      CAPTURE(gain);
      CHECK(error_db(model(3), channels, gain) < -50);
      CHECK(error_db(model(0), channels, gain) > -40);
    }
}

TEST_CASE("the level outlives silence, and reset() clears it") {
  Signal x = noise(2, 30000);
  for (auto& channel : x) std::fill_n(channel.begin() + 10000, 10000, 0.0f);
  Separator separator(model(3), 44100, 2, 1);
  const Stems first = whole(separator, x);
  Signal loud = x;
  for (auto& channel : loud)
    for (float& v : channel) v *= 1000.0f;
  separator.reset();
  whole(separator, loud);
  separator.reset();
  CHECK(whole(separator, x).vocals == first.vocals);
  CHECK(whole(separator, x).vocals != first.vocals);  // without a reset the stream goes on
}

TEST_CASE("NaN, infinities and samples beyond +-1e15 are processed as silence and leave the state finite") {
  for (const int which : {0, 3, 4}) {
    Signal x = noise(2, 20000);
    Separator separator(model(which), 44100, 2, 1);
    Signal silent = x;
    for (int i = 3000; i < 3050; ++i) {
      x[0][i] = i % 3 == 0 ? NAN : i % 3 == 1 ? -INFINITY : 3e38f;
      silent[0][i] = 0.0f;
    }
    const Stems expected = whole(separator, silent);
    separator.reset();
    CHECK(whole(separator, x).vocals == expected.vocals);

    for (float& v : x[1]) v = 0.9f * static_cast<float>(PYVOCSEP_LARGEST_SAMPLE) * (v > 0 ? 1.0f : -1.0f);
    const Stems loud = whole(separator, x);
    for (const float v : loud.vocals[1]) CHECK(std::isfinite(v));
    separator.reset();
    CHECK(whole(separator, silent).vocals == expected.vocals);
  }
}

TEST_CASE("stems may be written over the input") {
  const Signal x = noise(2, 9000);
  for (const int which : {1, 4}) {
    Separator separator(model(which), 44100, 2, 1);
    const Stems expected = whole(separator, x);
    for (const bool over_vocals : {true, false}) {
      separator.reset();
      Signal input = x, other(2, std::vector<float>(9000));
      float* in[] = {input[0].data(), input[1].data()};
      float* out[] = {other[0].data(), other[1].data()};
      separator.process(in, over_vocals ? in : out, over_vocals ? out : in, 9000);
      CHECK((over_vocals ? input : other) == expected.vocals);
      CHECK((over_vocals ? other : input) == expected.accompaniment);
    }
  }
}

TEST_CASE("process allocates nothing") {
  for (int which = 0; which < kModels; ++which)
    for (int threads = 1; threads <= 2; ++threads) {
      Separator separator(model(which), 44100, 2, threads);
      const Signal x = noise(2, 20000);
      Stems out{x, x};
      const float* in[] = {x[0].data(), x[1].data()};
      float* v[] = {out.vocals[0].data(), out.vocals[1].data()};
      float* a[] = {out.accompaniment[0].data(), out.accompaniment[1].data()};
      const test::CountAllocations counter;
      for (const int n : {1, 512, 20000, 0, 777}) separator.process(in, v, a, n);
      separator.reset();
      separator.process(in, v, a, 3000);
      CHECK(counter.count() == 0);
    }
}

TEST_CASE("the allocation counter counts") {
  const void* volatile escaped = nullptr;  // keeps the compiler from removing the allocation
  int seen = 0;
  {
    const test::CountAllocations counter;
    const auto p = std::make_unique<int>(1);
    escaped = p.get();
    seen = counter.count();
  }
  CHECK(seen == 1);
  {
    const test::CountAllocations counter;
    const Buffer aligned(100);
    escaped = aligned.data();
    seen = counter.count();
  }
  CHECK(seen == 1);
  CHECK((escaped != nullptr));
}

TEST_CASE("denormals are flushed inside and the caller's mode restored") {
  volatile float tiny = 1e-38f;
  {
    const FlushDenormals flush;
    CHECK(tiny * 0.1f == 0.0f);
  }
  CHECK(tiny * 0.1f > 0.0f);

  Separator separator(model(1), 44100, 1, 1);
  const std::vector<float> x(5000, 1e-42f);
  std::vector<float> v(5000), a(5000);
  const float* in[] = {x.data()};
  float* vocals[] = {v.data()};
  float* accompaniment[] = {a.data()};
  separator.process(in, vocals, accompaniment, 5000);
  CHECK(tiny * 0.1f > 0.0f);
  for (const float y : v) CHECK(std::fpclassify(y) != FP_SUBNORMAL);
  for (const float y : a) CHECK(std::fpclassify(y) != FP_SUBNORMAL);
}

TEST_CASE("rates, channels and threads out of range are refused") {
  CHECK_THROWS_WITH(Separator(model(0), 7999, 2, 1), doctest::Contains("8000 to 192000 Hz"));
  CHECK_THROWS_WITH(Separator(model(0), std::nan(""), 2, 1), doctest::Contains("8000 to 192000 Hz"));
  CHECK_THROWS_WITH(Separator(model(0), 44100, 3, 1), doctest::Contains("3 channels"));
  CHECK_THROWS_WITH(Separator(model(0), 44100, 2, 0), doctest::Contains("0 threads"));
}
