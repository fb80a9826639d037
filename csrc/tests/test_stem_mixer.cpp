#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "pyvocsep/separator.h"
#include "pyvocsep/stem_mixer.h"
#include "tests/allocations.h"
#include "tests/random_model.h"

using namespace pyvocsep;

namespace {

using Channel = std::vector<float>;

const Model& model() {
  static const Model model = Model::from_bytes(test::random_band_gru().bytes(), "band");
  return model;
}

Channel noise(int n) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  Channel x(n);
  for (float& v : x) v = normal(random);
  return x;
}

void process(StemMixer& mixer, const Channel& x, Channel& y, int begin, int end) {
  const float* in[] = {x.data() + begin};
  float* out[] = {y.data() + begin};
  mixer.process(in, out, end - begin);
}

}  // namespace

TEST_CASE("the mix is the sum of the stems times their gains, with the same bits for any block sizes") {
  const int n = 20000;
  const Channel x = noise(n);
  Separator separator(model(), 44100, 1, 1);
  Channel vocals(n), accompaniment(n);
  const float* in[] = {x.data()};
  float *v[] = {vocals.data()}, *a[] = {accompaniment.data()};
  separator.process(in, v, a, n);

  StemMixer mixer(model(), 44100, 1, 1);
  mixer.set_gains(0.25f, 0.0f);
  mixer.reset();
  Channel whole(n), parts(n);
  process(mixer, x, whole, 0, n);
  for (int i = 0; i < n; ++i) CHECK(whole[i] == 0.25f * vocals[i]);

  mixer.reset();
  int begin = 0;
  for (const int size : {1, 700, 5000, 13, 3000}) process(mixer, x, parts, begin, begin + size), begin += size;
  process(mixer, x, parts, begin, n);
  CHECK(parts == whole);
}

TEST_CASE("a new gain is reached in equal steps within one hop, and exactly") {
  const int n = 6000, hop = 256;
  Channel x(n, 0.5f), y(n);
  StemMixer mixer(model(), 44100, 1, 1);
  mixer.set_gains(1.0f, 1.0f);  // vocals + accompaniment: the input itself
  mixer.reset();
  process(mixer, x, y, 0, 3000);
  mixer.set_gains(0.2f, 0.2f);
  process(mixer, x, y, 3000, n);
  CHECK(std::abs(y[2999] - 0.5f) < 1e-6f);
  for (int i = 3000; i < 3000 + hop; ++i) CHECK(std::abs(y[i - 1] - y[i] - 0.4f / hop) < 1e-5f);
  for (int i = 3000 + hop; i < n; ++i) CHECK(std::abs(y[i] - 0.1f) < 1e-6f);
}

TEST_CASE("mixing allocates nothing") {
  StemMixer mixer(model(), 44100, 1, 1);
  const Channel x = noise(8000);
  Channel y(8000);
  const test::CountAllocations counter;
  mixer.set_gains(0.5f, 2.0f);
  process(mixer, x, y, 0, 8000);
  CHECK(counter.count() == 0);
}

TEST_CASE("levels that make denormal numbers of small samples make zeros") {
  StemMixer mixer(model(), 44100, 1, 1);
  mixer.set_gains(1.0f, 1.0f);
  mixer.reset();
  const Channel x(6000, 2e-38f);  // the smallest normal number is 1.2e-38
  Channel y(6000);
  process(mixer, x, y, 0, 3000);
  mixer.set_gains(0.1f, 0.1f);
  process(mixer, x, y, 3000, 6000);
  for (const float v : y) CHECK(std::fpclassify(v) != FP_SUBNORMAL);
  CHECK(y.back() == 0.0f);
}
