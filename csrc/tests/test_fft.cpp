#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dsp/fft.h"
#include "dsp/grid.h"

using namespace pyvocsep;

TEST_CASE("every supported size: bins of noise by the definition, and the inverse") {
  int sizes = 0;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (int size = RealFft::kMinSize; size <= RealFft::kMaxSize; size += 2) {
    if (!RealFft::supports(size)) continue;
    ++sizes;
    CAPTURE(size);
    const RealFft fft(size);
    RealFft::Workspace workspace(size);
    Buffer x(size), window(size), inverse_window(size), re(fft.bins()), im(fft.bins()), y(size);
    for (int n = 0; n < size; ++n) {
      x[n] = normal(random);
      window[n] = 1.0f;
      inverse_window[n] = 1.0f / static_cast<float>(size);
    }
    fft.forward(x.data(), window.data(), re.data(), im.data(), workspace);
    const double tolerance = 1e-6 * std::sqrt(size);  // the bins' root mean square is sqrt(size)
    for (int check = 0; check < 6; ++check) {
      const int k = check == 0   ? 0
                    : check == 1 ? size / 2
                                 : static_cast<int>(random() % static_cast<unsigned>(fft.bins()));
      double exact_re = 0, exact_im = 0;
      for (int n = 0; n < size; ++n) {
        const double angle = 2 * std::numbers::pi * (static_cast<long long>(n) * k % size) / size;
        exact_re += x[n] * std::cos(angle);
        exact_im -= x[n] * std::sin(angle);
      }
      CAPTURE(k);
      CHECK(std::abs(re[k] - exact_re) < tolerance);
      CHECK(std::abs(im[k] - exact_im) < tolerance);
    }
    fft.inverse_add(re.data(), im.data(), inverse_window.data(), y.data(), workspace);
    double worst = 0;
    for (int n = 0; n < size; ++n) worst = std::max(worst, std::abs(double{y[n]} - x[n]));
    CHECK(worst < 3e-6);
  }
  CHECK(sizes == 295);  // even numbers 2^a 3^b 5^c 7^d in 64..16384
}

TEST_CASE("other sizes are refused with a reason") {
  for (const int size : {0, 62, 65, 22 * 8, 16386, 32768, -64})
    CHECK_THROWS_WITH_AS(RealFft{size}, doctest::Contains("prime factors above 7"), std::invalid_argument);
}

TEST_CASE("the frame scales with the sample rate") {
  CHECK(scaled_grid(2048, 1024, 44100, 44100).frame == 2048);
  CHECK(scaled_grid(2048, 1024, 44100, 48000).frame == 2240);
  CHECK(scaled_grid(2048, 1024, 44100, 96000).frame == 4480);
  CHECK(scaled_grid(2048, 1024, 44100, 22050).frame == 1024);
  for (double rate = 8000; rate <= 192000; rate += 313) {
    const Grid grid = scaled_grid(2048, 512, 44100, rate);
    CAPTURE(rate);
    CHECK(grid.frame == 4 * grid.hop);
    const double wanted = 2048 * rate / 44100, distance = std::abs(grid.frame - wanted);
    for (int size = 64; size <= RealFft::kMaxSize; size += 4)  // no other possible size is nearer
      if (RealFft::supports(size)) CHECK_FALSE(std::abs(size - wanted) < distance);
  }
  CHECK_THROWS_AS(scaled_grid(8192, 4096, 44100, 192000), std::invalid_argument);
  CHECK_THROWS_AS(scaled_grid(64, 32, 44100, 8000), std::invalid_argument);
  for (const auto& [n_fft, hop] : {std::pair{2048, 0}, {2048, -1024}, {2048, 1000}, {0, 1}, {-4, -2}})
    CHECK_THROWS_WITH_AS(scaled_grid(n_fft, hop, 44100, 44100), doctest::Contains("not a multiple"),
                         std::invalid_argument);
  for (const double rate : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    CHECK_THROWS_WITH_AS(scaled_grid(2048, 1024, rate, 44100), doctest::Contains("model_rate"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(scaled_grid(2048, 1024, 44100, rate), doctest::Contains("not a sample rate"),
                         std::invalid_argument);
  }
}
