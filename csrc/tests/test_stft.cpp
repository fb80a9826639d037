#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <stdexcept>
#include <vector>

#include "dsp/stft.h"

using namespace pyvocsep;

namespace {

std::vector<float> noise(int n) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

// The overlap-add of x's spectra, one frame late; every step takes next() samples, or as many as there is room for.
// `spectra` gets one value of each frame: bin 3.
template <typename Next>
std::vector<float> there_and_back(StreamingStft& stft, const std::vector<float>& x,
                                  std::vector<std::complex<float>>& spectra, const Next& next) {
  const int n = static_cast<int>(x.size());
  Buffer re(stft.grid().bins()), im(stft.grid().bins());
  std::vector<float> y(n);
  for (int done = 0; done < n;) {
    const int count = std::min({next(), n - done, stft.room()});
    std::copy_n(x.data() + done, count, stft.input(0));
    for (int t = 0; t < stft.frames(count); ++t) {
      stft.analyse(0, t, re.data(), im.data());
      spectra.emplace_back(re[3], im[3]);
      stft.overlap_add(0, t, re.data(), im.data());
    }
    std::copy_n(stft.sum(0), count, y.data() + done);
    for (int i = 0; i < count; ++i) {
      const int before = done + i - stft.grid().frame;
      REQUIRE(stft.delayed(0)[i] == (before < 0 ? 0.0f : x[before]));
    }
    stft.advance(count);
    done += count;
  }
  return y;
}

}  // namespace

TEST_CASE("the streaming STFT: spectra by the definition, the input back, the same bits for any steps") {
  std::mt19937 random(5);
  const std::vector<float> x = noise(4000);
  for (const Grid grid : {Grid{64, 32}, Grid{128, 32}, Grid{600, 200}, Grid{70, 7}}) {
    CAPTURE(grid.frame);
    StreamingStft stft(grid, 1, 8);
    std::vector<std::complex<float>> spectra, again;
    const std::vector<float> y = there_and_back(stft, x, spectra, [] { return 4000; });
    REQUIRE(spectra.size() == static_cast<size_t>(4000 / grid.hop));
    for (size_t t = 0; t < spectra.size(); t += 5) {
      std::complex<double> exact = 0;
      for (int n = 0; n < grid.frame; ++n) {
        const int at = (static_cast<int>(t) + 1) * grid.hop - grid.frame + n;
        if (at >= 0)
          exact += x[at] * std::sin(std::numbers::pi * n / grid.frame) *
                   std::polar(1.0, -2 * std::numbers::pi * 3 * n / grid.frame);
      }
      CHECK(std::abs(std::complex<double>(spectra[t]) - exact) < 1e-6 * grid.frame);
    }
    double worst = 0;
    for (int i = grid.frame; i < 4000; ++i) worst = std::max(worst, std::abs(double{y[i]} - x[i - grid.frame]));
    CHECK(worst < 3e-6);

    for (const int largest : {1, 500}) {
      stft.reset();
      again.clear();
      CHECK(there_and_back(stft, x, again, [&] { return 1 + static_cast<int>(random() % largest); }) == y);
      CHECK(again == spectra);
    }
  }
}

TEST_CASE("grids that do not overlap evenly are refused") {
  for (const Grid grid : {Grid{64, 0}, Grid{64, -1}, Grid{64, 64}, Grid{64, 24}})
    CHECK_THROWS_WITH_AS(StreamingStft(grid, 1, 1), doctest::Contains("does not divide"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(StreamingStft({22 * 8, 22}, 1, 1), doctest::Contains("prime factors above 7"),
                       std::invalid_argument);
}
