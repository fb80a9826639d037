// Every kernel of every instruction set that this machine has, against plain loops in double precision.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "base/buffer.h"
#include "kernels/cpu.h"
#include "kernels/kernels.h"
#include "nn/packing.h"

using namespace pyvocsep;

#if defined(__x86_64__)
namespace pyvocsep::avx2vnni_evex {  // vnni_evex.h
extern const Kernels kTable;
}
namespace pyvocsep::avx512bf16_by_hand {  // bfloat16_by_hand.h
extern const Kernels kTable;
}
#endif

namespace {

template <typename Body>
void for_each_isa(const Body& body) {
  const KernelList list = available_kernels();
  for (int i = 0; i < list.count; ++i) {
    const Kernels& k = *list.table[i];
    CAPTURE(k.name);
    body(k);
  }
}

// The same for the tables with products of this precision.
template <typename Body>
void for_each_table_of(Precision precision, const Body& body) {
  std::vector<const Kernels*> tables;
  if (has_precision(precision)) tables.push_back(&kernels(precision));
#if defined(__x86_64__)
  if (precision == Precision::kInt8 && Cpu::self().avx512vnni()) tables.push_back(&avx2vnni_evex::kTable);
  if (precision == Precision::kBfloat16 && Cpu::self().avx512()) tables.push_back(&avx512bf16_by_hand::kTable);
#endif
  for (const Kernels* k : tables) {
    CAPTURE(k->name);
    CHECK(k->precision == precision);
    body(*k);
  }
}

template <typename Body>
void for_each_table(const Body& body) {
  for_each_isa(body);
  for_each_table_of(Precision::kBfloat16, body);
  for_each_table_of(Precision::kInt8, body);
}

// Rounds rows of numbers to numbers that the precision represents exactly, so that products of them are exact.
void round_to(Precision precision, Buffer& buffer, int length, int stride) {
  for (size_t first = 0; first + length <= buffer.size(); first += stride)
    for (int i = 0; i < length; ++i) {
      float& value = buffer[first + i];
      if (precision == Precision::kBfloat16) value = std::bit_cast<float>(bfloat16(value) << 16);
      if (precision == Precision::kInt8)  // 127ths of the largest value, with which every chunk begins
        value = i % kChunk == 0 ? 1.0f : std::nearbyint(std::clamp(value, -1.0f, 1.0f) * 127) / 127;
    }
}

Buffer random_buffer(size_t size, unsigned seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  Buffer buffer(size);
  for (size_t i = 0; i < size; ++i) buffer[i] = normal(random);
  return buffer;
}

// y = epilogue(x) for each of n values, through a 1 x 1 product.
void map(const Kernels& k, Epilogue epilogue, const std::vector<float>& x, std::vector<float>& y) {
  Buffer weights(kPanel), bias(kPanel);
  weights[0] = 1.0f;
  y.resize(x.size());
  k.linear({x.data(), 1, static_cast<int>(x.size()), 1, 1, weights.data(), bias.data(), 0, y.data(), 1, epilogue});
}

std::vector<float> grid(float low, float high, int count) {
  std::vector<float> x;
  for (int i = 0; i < count; ++i)
    x.push_back(low + (high - low) * static_cast<float>(i) / static_cast<float>(count - 1));
  return x;
}

}  // namespace

TEST_CASE("sigmoid stays within its stated error, and its limits are exact") {
  for_each_isa([](const Kernels& k) {
    const std::vector<float> x = grid(-40.0f, 40.0f, 200001);
    std::vector<float> y;
    map(k, Epilogue::kSigmoid, x, y);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(y[i] - 1 / (1 + std::exp(-double{x[i]}))));
    CHECK(worst < 2e-7);
    map(k, Epilogue::kSigmoid, {-1e30f, 0.0f, 1e30f}, y);
    CHECK(y[0] < 1e-37f);
    CHECK(y[1] == 0.5f);
    CHECK(y[2] == 1.0f);
  });
}

TEST_CASE("tanh stays within its stated error") {
  for_each_isa([](const Kernels& k) {
    // With no weights and z = sigmoid(-200) = 0, the new state is tanh(gates_n).
    const std::vector<float> x = grid(-20.0f, 20.0f, 16 * 10000);
    Buffer weights(2 * 3 * kPanel), bias(4 * kPanel), gates(3 * kPanel), h(kPanel), y(kPanel);
    GruArgs args{.rows = 1, .inputs = 1, .hidden = 1, .weights = weights.data(), .bias = bias.data()};
    args.gates = gates.data(), args.h = h.data(), args.y = y.data();
    double worst = 0;
    for (size_t first = 0; first < x.size(); first += kPanel) {
      for (int i = 0; i < kPanel; ++i) {
        gates[kPanel + i] = -200.0f;
        gates[2 * kPanel + i] = x[first + i];
      }
      k.gru_step(args);
      for (int i = 0; i < kPanel; ++i) worst = std::max(worst, std::abs(y[i] - std::tanh(double{x[first + i]})));
    }
    CHECK(worst < 3e-7);
  });
}

TEST_CASE("magnitudes to a power stay within the stated error; silence is zero") {
  for_each_isa([](const Kernels& k) {
    for (const float exponent : {0.3f, 0.05f, 1.0f}) {
      Buffer re(4000), im(4000), y(4000);
      for (int i = 0; i < 4000; ++i) {
        re[i] = std::pow(10.0f, -17.0f + 34.0f * static_cast<float>(i) / 4000.0f);
        im[i] = -0.5f * re[i];
      }
      re[17] = im[17] = 0.0f;
      k.magnitudes_mono(re.data(), im.data(), 4000, 0.125f, exponent, y.data());
      double worst = 0;
      for (int i = 0; i < 4000; ++i) {
        if (i == 17) continue;
        const double exact = std::pow(std::hypot(double{re[i]}, double{im[i]}) * 0.125, double{exponent});
        worst = std::max(worst, std::abs(y[i] / exact - 1));
      }
      CAPTURE(exponent);
      CHECK(worst < 4e-6);
      CHECK(y[17] == 0.0f);
    }
  });
}

TEST_CASE("stereo magnitudes are those of M, S, L and R, interleaved") {
  for_each_isa([](const Kernels& k) {
    const int bins = 77;
    const Buffer lr = random_buffer(bins, 1), li = random_buffer(bins, 2), rr = random_buffer(bins, 3),
                 ri = random_buffer(bins, 4);
    Buffer y(4 * padded(bins)), mean(padded(bins));
    k.magnitudes_stereo(lr.data(), li.data(), rr.data(), ri.data(), bins, 0.5f, 0.3f, y.data());
    k.magnitudes_mean(lr.data(), li.data(), rr.data(), ri.data(), bins, 0.5f, 0.3f, mean.data());
    for (int b = 0; b < bins; ++b) {
      const double l_re = lr.data()[b], l_im = li.data()[b], r_re = rr.data()[b], r_im = ri.data()[b];
      const double exact[4] = {std::hypot(l_re + r_re, l_im + r_im) / 2, std::hypot(l_re - r_re, l_im - r_im) / 2,
                               std::hypot(l_re, l_im), std::hypot(r_re, r_im)};
      for (int f = 0; f < 4; ++f) CHECK(y[4 * b + f] == doctest::Approx(std::pow(0.5 * exact[f], 0.3)).epsilon(1e-5));
      CHECK(mean[b] == doctest::Approx(std::pow(0.25 * (exact[2] + exact[3]), 0.3)).epsilon(1e-5));
    }
  });
}

TEST_CASE("energy counts every bin once, and nothing past the last") {
  for_each_isa([](const Kernels& k) {
    for (const int bins : {1, 15, 16, 77, 1025}) {
      Buffer re = random_buffer(bins + 40, 1), im = random_buffer(bins + 40, 2);
      double exact = 0;
      for (int b = 0; b < bins; ++b) exact += 0.25 * (double{re[b]} * re[b] + double{im[b]} * im[b]);
      for (int b = bins; b < bins + 40; ++b) re[b] = im[b] = NAN;
      CAPTURE(bins);
      CHECK(k.energy(re.data(), im.data(), bins, 0.5f) == doctest::Approx(exact).epsilon(1e-5));
    }
  });
}

TEST_CASE("masks of mid and side, applied to left and right") {
  for_each_isa([](const Kernels& k) {
    const int bins = 77;
    const Buffer mid = random_buffer(bins, 1), side = random_buffer(bins, 2);
    Buffer part[4], before[4];  // l_re, l_im, r_re, r_im
    for (unsigned i = 0; i < 4; ++i) part[i] = random_buffer(bins, 3 + i), before[i] = random_buffer(bins, 3 + i);
    k.apply_masks({mid.data(), side.data(), part[0].data(), part[1].data(), part[2].data(), part[3].data()}, bins);
    for (int b = 0; b < bins; ++b)
      for (int i = 0; i < 2; ++i) {
        const double l = before[i][b], r = before[2 + i][b];
        const double m = mid.data()[b] * (l + r) / 2, s = side.data()[b] * (l - r) / 2;
        CHECK(std::abs(part[i][b] - (m + s)) < 1e-6);
        CHECK(std::abs(part[2 + i][b] - (m - s)) < 1e-6);
      }
    // Equal masks of mid and side give the bits of the one mask applied to each channel.
    Buffer l = random_buffer(bins, 3), other = random_buffer(bins, 4), alone = random_buffer(bins, 3);
    k.apply_masks({mid.data(), mid.data(), l.data(), other.data(), part[2].data(), part[3].data()}, bins);
    k.apply_mask(mid.data(), bins, alone.data(), other.data());
    for (int b = 0; b < bins; ++b) CHECK(l[b] == alone[b]);
  });
}

TEST_CASE("a spatial filter's kernels follow its formulas") {
  using Complex = std::complex<double>;
  for_each_isa([](const Kernels& k) {
    const int bins = 77, stride = padded(bins) + kPanel;
    const float scale = 0.03f, decay = 0.9f;
    Buffer masks[2], parts[4], before(8 * stride), after(8 * stride);  // parts: l_re, l_im, r_re, r_im
    for (unsigned i = 0; i < 2; ++i) {
      masks[i] = random_buffer(padded(bins), 1 + i);
      for (int b = 0; b < padded(bins); ++b) masks[i][b] = 1 / (1 + std::exp(-2 * masks[i][b]));
    }
    for (unsigned i = 0; i < 4; ++i) parts[i] = random_buffer(padded(bins), 3 + i);
    for (int b = 0; b < padded(bins); ++b) parts[2][b] += 0.7f * parts[0][b], parts[3][b] += 0.7f * parts[1][b];
    const Buffer noise = random_buffer(4 * bins, 9);
    for (int stem = 0; stem < 2; ++stem)
      for (int b = 0; b < bins; ++b) {  // some covariances
        const Complex mid(noise.data()[b], noise.data()[bins + b]),
            side(noise.data()[2 * bins + b] - stem, noise.data()[3 * bins + b]);
        float* row = &before[4 * stem * stride + b];
        row[0] = static_cast<float>(std::norm(mid) + 0.01);
        row[stride] = static_cast<float>(std::norm(side) + 0.02);
        row[2 * stride] = static_cast<float>((mid * std::conj(side)).real());
        row[3 * stride] = static_cast<float>((mid * std::conj(side)).imag());
      }
    const auto mid_side = [&](int b) {
      const Complex l(parts[0][b], parts[1][b]), r(parts[2][b], parts[3][b]);
      return std::array<Complex, 2>{(l + r) / 2.0, (l - r) / 2.0};
    };
    const StereoFrame frame{masks[0].data(), masks[1].data(), parts[0].data(),
                            parts[1].data(), parts[2].data(), parts[3].data()};

    k.spatial_moments(frame, {before.data(), after.data(), stride, scale, decay}, 16, padded(bins));
    for (int b = 0; b < 16; ++b) CHECK(after[b] == 0.0f);
    k.spatial_moments(frame, {before.data(), after.data(), stride, scale, decay}, 0, 16);
    for (int stem = 0; stem < 2; ++stem)
      for (int b = 0; b < bins; ++b) {
        const auto x = mid_side(b);
        const double m = stem ? 1 - masks[0][b] : masks[0][b], s = stem ? 1 - masks[1][b] : masks[1][b];
        const Complex mid = m * scale * x[0], side = s * scale * x[1];
        const double expected[4] = {std::norm(mid), std::norm(side), (mid * std::conj(side)).real(),
                                    (mid * std::conj(side)).imag()};
        for (int row = 0; row < 4; ++row) {
          const int at = (4 * stem + row) * stride + b;
          CHECK(after[at] == doctest::Approx(decay * before[at] + expected[row]).epsilon(1e-6));
        }
      }

    for (int row = 0; row < 8; ++row) std::fill_n(&after[row * stride + bins], padded(bins) - bins, 0.0f);
    std::vector<std::array<Complex, 2>> expected;
    for (int b = 0; b < bins; ++b) {
      const auto x = mid_side(b);
      const double energy = std::norm(x[0]) + std::norm(x[1]);
      double c[2][2];  // [stem][mid, side]
      Complex cross[2];
      for (int stem = 0; stem < 2; ++stem) {
        double r[4];
        for (int row = 0; row < 4; ++row) {
          const float* at = &after[(4 * stem + row) * stride + b];
          r[row] = double{at[0]} + 0.5 * (double{at[-1]} + at[1]);
        }
        const double whole = r[0] + r[1];
        double share[2], sum = 0;
        for (int i = 0; i < 2; ++i) {
          share[i] = (stem ? 1 - masks[i][b] : masks[i][b]) * std::norm(x[i]) / energy;
          sum += share[i];
        }
        for (int i = 0; i < 2; ++i) c[stem][i] = 0.4 * share[i] + 0.6 * sum * r[i] / whole;
        cross[stem] = 0.95 * Complex(r[2], r[3]) / std::sqrt(r[0] * r[1]) * std::sqrt(c[stem][0] * c[stem][1]);
      }
      const double mid = c[0][0] + c[1][0], side = c[0][1] + c[1][1];
      const Complex both = cross[0] + cross[1];
      const double determinant = mid * side - std::norm(both);
      const Complex y[2] = {(side * x[0] - both * x[1]) / determinant,
                            (mid * x[1] - std::conj(both) * x[0]) / determinant};
      const Complex v[2] = {c[0][0] * y[0] + cross[0] * y[1], std::conj(cross[0]) * y[0] + c[0][1] * y[1]};
      expected.push_back({v[0] + v[1], v[0] - v[1]});
    }
    k.spatial_filter(frame, after.data(), stride, scale, bins);
    for (int b = 0; b < bins; ++b)
      for (int i = 0; i < 2; ++i) {
        CAPTURE(b);
        CHECK(std::abs(Complex(parts[2 * i][b], parts[2 * i + 1][b]) - expected[b][i]) < 2e-4);
      }
  });
}

TEST_CASE(
    "linear: every shape, every epilogue, biases of all rows or of each, nothing written past the outputs, one row as "
    "many") {
  for_each_table([](const Kernels& k) {
    std::mt19937 random(5);
    for (int trial = 0; trial < 120; ++trial) {
      const int rows = 1 + static_cast<int>(random() % 14),
                inputs = 1 + static_cast<int>(random() % (trial % 8 ? 70 : 700)),
                outputs = 1 + static_cast<int>(random() % 150);
      const int x_stride = inputs + static_cast<int>(random() % 5), y_stride = outputs + 3;
      const Epilogue epilogue = static_cast<Epilogue>(trial / 3 % 3);
      CAPTURE(rows);
      CAPTURE(inputs);
      CAPTURE(outputs);
      CAPTURE(trial % 4);
      Buffer x = random_buffer(rows * x_stride, trial), plain = random_buffer(inputs * outputs, trial + 2, 0.3f);
      const int bias_stride = trial % 3 == 0 ? padded(outputs) : 0;
      const Buffer bias = random_buffer(padded(outputs) + (rows - 1) * bias_stride, trial + 1);
      round_to(k.precision, x, inputs, x_stride);
      round_to(k.precision, plain, inputs, inputs);
      const int words = words_of(k.precision, inputs);
      Buffer weights(padded(outputs) * words);
      for (int n = 0; n < outputs; ++n)
        pack_output(
            k.precision, inputs, [&](int i) { return plain[n * inputs + i]; },
            &weights[n / kPanel * words * kPanel + n % kPanel], kPanel);
      const Buffer before = random_buffer(rows * y_stride, trial + 3);
      Buffer y(rows * y_stride), single(rows * y_stride);
      std::memcpy(y.data(), before.data(), rows * y_stride * sizeof(float));
      std::memcpy(single.data(), before.data(), rows * y_stride * sizeof(float));

      k.linear({x.data(), x_stride, rows, inputs, outputs, weights.data(), bias.data(), bias_stride, y.data(), y_stride,
                epilogue});
      for (int r = 0; r < rows; ++r) {
        for (int n = 0; n < outputs; ++n) {
          double a = bias.data()[r * bias_stride + n];
          for (int i = 0; i < inputs; ++i) a += double{x.data()[r * x_stride + i]} * plain.data()[n * inputs + i];
          const double expected = epilogue == Epilogue::kRelu      ? std::max(a, 0.0)
                                  : epilogue == Epilogue::kSigmoid ? 1 / (1 + std::exp(-a))
                                                                   : a;
          CHECK(std::abs(y[r * y_stride + n] - expected) < (inputs < 70 ? 2e-5 : 1e-4));
        }
        for (int n = outputs; n < y_stride; ++n) CHECK(y[r * y_stride + n] == before.data()[r * y_stride + n]);
        k.linear({x.data() + r * x_stride, x_stride, 1, inputs, outputs, weights.data(), bias.data() + r * bias_stride,
                  0, single.data() + r * y_stride, y_stride, epilogue});
      }
      CHECK(std::memcmp(y.data(), single.data(), rows * y_stride * sizeof(float)) == 0);
    }
  });
}

TEST_CASE("gru_cell, and gru_gates with gru_step: PyTorch's equations, the same bits, one row as many") {
  for_each_table([](const Kernels& k) {
    std::mt19937 random(9);
    for (int trial = 0; trial < 40; ++trial) {
      const bool wide = trial % 8 == 0;  // more inputs than gru_cell takes
      const int rows = 1 + static_cast<int>(random() % 19), inputs = 1 + static_cast<int>(random() % (wide ? 600 : 70)),
                hidden = 1 + static_cast<int>(random() % (wide ? 300 : 70));
      const int width = padded(hidden), input_words = words_of(k.precision, inputs),
                all_words = input_words + words_of(k.precision, hidden);
      CAPTURE(rows);
      CAPTURE(inputs);
      CAPTURE(hidden);
      const float spread = wide ? 0.05f : 0.2f;
      Buffer input_weight = random_buffer(3 * hidden * inputs, trial, spread),
             state_weight = random_buffer(3 * hidden * hidden, trial + 1, spread),
             x = random_buffer(rows * inputs, trial + 2), h = random_buffer(rows * width, trial + 3, 0.5f);
      const Buffer bias = random_buffer(4 * width, trial + 4);
      round_to(k.precision, input_weight, inputs, inputs);
      round_to(k.precision, state_weight, hidden, hidden);
      round_to(k.precision, x, inputs, inputs);
      round_to(k.precision, h, hidden, width);
      Buffer weights(static_cast<size_t>(width) * all_words * 3);
      for (int u = 0; u < hidden; ++u)
        for (int g = 0; g < 3; ++g) {
          const size_t first = (static_cast<size_t>(u / k.lanes) * all_words * 3 + g) * k.lanes + u % k.lanes;
          const int row = g * hidden + u;
          pack_output(
              k.precision, inputs, [&](int i) { return input_weight[row * inputs + i]; }, &weights[first], 3 * k.lanes);
          pack_output(
              k.precision, hidden, [&](int i) { return state_weight[row * hidden + i]; },
              &weights[first + input_words * 3 * k.lanes], 3 * k.lanes);
        }
      Buffer gates(rows * 3 * width), parts(rows * width), cell(rows * width), single(rows * width);
      GruArgs args{.rows = rows, .inputs = inputs, .hidden = hidden, .weights = weights.data(), .bias = bias.data()};
      args.x = x.data(), args.x_stride = inputs;
      args.gates = gates.data(), args.gates_stride = 3 * width;
      args.h = h.data(), args.h_stride = width;
      args.y = parts.data(), args.y_stride = width;
      k.gru_gates(args);
      k.gru_step(args);

      for (int r = 0; r < rows; ++r)
        for (int u = 0; u < hidden; ++u) {
          double input_share[3], state_share[3];
          for (int g = 0; g < 3; ++g) {
            input_share[g] = bias.data()[g * width + u];
            state_share[g] = g == 2 ? double{bias.data()[3 * width + u]} : 0.0;
            for (int i = 0; i < inputs; ++i)
              input_share[g] += double{input_weight[(g * hidden + u) * inputs + i]} * x[r * inputs + i];
            for (int i = 0; i < hidden; ++i)
              state_share[g] += double{state_weight[(g * hidden + u) * hidden + i]} * h[r * width + i];
          }
          const double reset = 1 / (1 + std::exp(-(input_share[0] + state_share[0])));
          const double update = 1 / (1 + std::exp(-(input_share[1] + state_share[1])));
          const double candidate = std::tanh(input_share[2] + reset * state_share[2]);
          CHECK(std::abs(parts[r * width + u] - ((1 - update) * candidate + update * h[r * width + u])) < 5e-6);
        }

      if (inputs > kChunk || hidden > kChunk) continue;
      args.y = cell.data();
      k.gru_cell(args);
      CHECK(std::memcmp(cell.data(), parts.data(), rows * width * sizeof(float)) == 0);
      args.rows = 1, args.y = single.data();
      for (int r = 0; r < rows; ++r, args.x += inputs, args.h += width, args.y += width) k.gru_cell(args);
      CHECK(std::memcmp(single.data(), parts.data(), rows * width * sizeof(float)) == 0);
    }
  });
}

TEST_CASE("int8: products of any numbers are those of 127ths") {
  for_each_table_of(Precision::kInt8, [](const Kernels& k) {
    const int inputs = 300, outputs = 40, words = words_of(Precision::kInt8, inputs);
    const Buffer x = random_buffer(inputs, 1), plain = random_buffer(inputs * outputs, 2), bias(padded(outputs));
    Buffer weights(padded(outputs) * words), y(padded(outputs));
    for (int n = 0; n < outputs; ++n)
      pack_output(
          Precision::kInt8, inputs, [&](int i) { return plain.data()[n * inputs + i]; },
          &weights[n / kPanel * words * kPanel + n % kPanel], kPanel);
    k.linear({x.data(), 0, 1, inputs, outputs, weights.data(), bias.data(), 0, y.data(), 0, Epilogue::kStore});
    for (int n = 0; n < outputs; ++n) {
      double exact = 0, bound = 0;
      for (int first = 0; first < inputs; first += kChunk) {
        const int end = std::min(first + kChunk, inputs);
        double top_x = 0, top_w = 0;
        for (int i = first; i < end; ++i) {
          top_x = std::max(top_x, std::abs(double{x.data()[i]}));
          top_w = std::max(top_w, std::abs(double{plain.data()[n * inputs + i]}));
        }
        for (int i = first; i < end; ++i) {
          const double xi = x.data()[i], w = plain.data()[n * inputs + i];
          exact += xi * w;
          bound += (std::abs(xi) * top_w + std::abs(w) * top_x) / 254 + top_x * top_w / 254 / 254;
        }
      }
      CHECK(y[n] != 0.0f);
      CHECK(std::abs(y[n] - exact) < bound);
    }
  });
}

TEST_CASE("a precision is refused, with the reason, where the kernels in use lack it") {
  for (const auto& [precision, reason] :
       {std::pair{Precision::kBfloat16, "AVX512-BF16"}, std::pair{Precision::kInt8, "VNNI"}})
    if (has_precision(precision))
      CHECK(&kernels(precision) != &kernels());
    else
      CHECK_THROWS_WITH_AS(kernels(precision), doctest::Contains(reason), std::invalid_argument);
  CHECK(&kernels(Precision::kFloat32) == &kernels());
}

TEST_CASE("add_norm: the sum, and the sum normalised") {
  for_each_isa([](const Kernels& k) {
    const int rows = 5, width = 48;
    const Buffer weight = random_buffer(width, 1), scale = random_buffer(width, 2), h = random_buffer(rows * width, 3);
    const Buffer before = random_buffer(rows * width, 4);
    for (const float* added : {static_cast<const float*>(nullptr), h.data()}) {
      Buffer x = random_buffer(rows * width, 4), y(rows * width);
      k.add_norm({rows, width, x.data(), added, scale.data(), weight.data(), y.data()});
      for (int r = 0; r < rows; ++r) {
        double squares = 0;
        for (int i = r * width; i < (r + 1) * width; ++i) {
          const double sum = before.data()[i] + (added ? double{added[i]} * scale.data()[i % width] : 0.0);
          CHECK(x[i] == doctest::Approx(sum).epsilon(1e-5));
          squares += double{x[i]} * x[i];
        }
        for (int i = r * width; i < (r + 1) * width; ++i)
          CHECK(y[i] ==
                doctest::Approx(x[i] / std::sqrt(squares / width + 1e-5) * weight.data()[i % width]).epsilon(1e-5));
      }
    }
  });
}
