// A GRU step: products, activations and the new state, all in registers (PyTorch's equations, torch.nn.GRU):
//
//   r  = sigmoid(W_ir x + W_hr h + b_r)          both biases in one
//   z  = sigmoid(W_iz x + W_hz h + b_z)
//   n  = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//   h' = n + z * (h - n)                         = (1 - z) n + z h
//
// gru_cell computes the whole step, which is fastest for many rows. With few rows each step waits for the one before:
// gru_gates then computes what does not depend on the state for many steps at once, and gru_step the rest. Both ways
// add in the same order and so give the same bits.
#pragma once

#include "kernels/kernels.h"
#include "kernels/math.h"
#include "kernels/products.h"

namespace pyvocsep::PYVOCSEP_ISA {

#if defined(__AVX512F__)
inline constexpr int kGruRows = 9;  // 3 gates x 9 rows: 27 of 32 registers
#elif defined(__aarch64__)
inline constexpr int kGruRows = 7;  // 21 of 32, and 7 of inputs
#elif defined(__clang__)
inline constexpr int kGruRows = 3;  // 9 of 16: with 12, Clang keeps some of them in memory
#else
inline constexpr int kGruRows = 4;  // 12 of 16
#endif

// Vectors of units that R rows take at once: a multiply-add takes four cycles, so few rows need several to fill them.
constexpr int vectors_for(int rows) { return 4 * rows <= kGruRows ? 4 : 2 * rows <= kGruRows ? 2 : 1; }

// Calls body<R>(row) for groups of R rows, as large as registers allow.
template <int R = kGruRows, typename Body>
void for_rows(int row, int rows, const Body& body) {
  if constexpr (R > 0) {
    for (; rows - row >= R; row += R) body.template operator()<R>(row);
    if (row < rows) for_rows<R - 1>(row, rows, body);
  }
}

// Calls body<P>(unit) for groups of P vectors of units.
template <int P, typename Body>
void for_units(int unit, int end, const Body& body) {
  for (; end - unit >= P * kLanes; unit += P * kLanes) body.template operator()<P>(unit);
  if constexpr (P > 1)
    if (unit < end) for_units<P / 2>(unit, end, body);
}

// Calls body(first, last) for the units that all rows take before the next ones. With many rows these are a vector's,
// whose weights stay in the first-level cache; but rounded inputs are made once, for all units.
template <typename Body>
void for_passes(int rows, int width, const Body& body) {
  const int step = rows > kGruRows && kPrecision == Precision::kFloat32 ? kLanes : width;
  for (int first = 0; first < width; first += step) body(first, first + step);
}

// The sums of P vectors of units of R rows are [R][3 P]: gate g of vector p at 3 p + g.
enum Gate { kReset, kUpdate, kNew };

// Weights of P vectors of units, from `word` words along the inputs on.
template <int P>
Weights<3 * P, 3, kLanes> gru_weights(const GruArgs& a, int unit, int word) {
  const int words = words_of(kPrecision, a.inputs) + words_of(kPrecision, a.hidden);
  Weights<3 * P, 3, kLanes> weights;
  for (int p = 0; p < P; ++p)
    weights.at[p] = a.weights + (static_cast<ptrdiff_t>(unit + p * kLanes) * words + word * kLanes) * 3;
  return weights;
}

// Biases of the input's part, the same for all rows.
template <int R, int P>
void start_sums(const GruArgs& a, int unit, Vec (&sums)[R][3 * P]) {
  const int width = padded(a.hidden);
  for (int v = 0; v < 3 * P; ++v) {
    const Vec bias = load(a.bias + v % 3 * width + unit + v / 3 * kLanes);
    for (int r = 0; r < R; ++r) sums[r][v] = bias;
  }
}

// Stores the new states of R rows and P vectors of units. Every loop computes one gate of all of them: an activation is
// a long chain, and the processor fills its waits with the others. Unrolled, the sums stay in registers.
template <int R, int P>
[[gnu::always_inline]] inline void store_states(const GruArgs& a, int row, int unit, const Vec (&sums)[R][3 * P],
                                                const Vec (&n_input)[R][P]) {
  const auto each = [](const auto& body) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int i = 0; i < R * P; ++i) body(i / P, i % P);
  };
  const float* h = a.h + row * a.h_stride + unit;
  float* y = a.y + row * a.y_stride + unit;
  const ptrdiff_t h_stride = a.h_stride, y_stride = a.y_stride;
  Vec n[R][P], z[R][P];
  each([&](int r, int p) __attribute__((always_inline)) { n[r][p] = sigmoid(sums[r][3 * p + kReset]); });
  each([&](int r, int p)
           __attribute__((always_inline)) { n[r][p] = fma(n[r][p], sums[r][3 * p + kNew], n_input[r][p]); });
  each([&](int r, int p) __attribute__((always_inline)) { z[r][p] = sigmoid(sums[r][3 * p + kUpdate]); });
  each([&](int r, int p) __attribute__((always_inline)) {
    n[r][p] = tanh(n[r][p]);
    store(y + r * y_stride + p * kLanes, fma(z[r][p], load(h + r * h_stride + p * kLanes) - n[r][p], n[r][p]));
  });
}

inline void gru_gates(const GruArgs& a) {
  const int width = padded(a.hidden);
  for_passes(a.rows, width, [&](int first, int last) {
    for_rows(0, a.rows, [&]<int R>(int row) {
      for_units<vectors_for(R)>(first, last, [&]<int P>(int unit) {
        Vec sums[R][3 * P];
        start_sums<R, P>(a, unit, sums);
        add_products(a.x + row * a.x_stride, a.x_stride, a.inputs, gru_weights<P>(a, unit, 0), sums);
        float* gates = a.gates + row * a.gates_stride + unit;
        const ptrdiff_t stride = a.gates_stride;
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
          for (int v = 0; v < 3 * P; ++v) store(gates + r * stride + v % 3 * width + v / 3 * kLanes, sums[r][v]);
      });
    });
  });
}

inline void gru_step(const GruArgs& a) {
  const int width = padded(a.hidden);
  for_passes(a.rows, width, [&](int first, int last) {
    for_rows(0, a.rows, [&]<int R>(int row) {
      for_units<vectors_for(R)>(first, last, [&]<int P>(int unit) {
        const float* gates = a.gates + row * a.gates_stride + unit;
        const float* h = a.h + row * a.h_stride;
        Vec sums[R][3 * P];
        for (int r = 0; r < R; ++r)
          for (int p = 0; p < P; ++p) {
            const float* own = gates + r * a.gates_stride + p * kLanes;
            sums[r][3 * p + kReset] = load(own);
            sums[r][3 * p + kUpdate] = load(own + width);
            sums[r][3 * p + kNew] = load(a.bias + 3 * width + unit + p * kLanes);
          }
        add_products(h, a.h_stride, a.hidden, gru_weights<P>(a, unit, words_of(kPrecision, a.inputs)), sums);
        Vec n_input[R][P];
        for (int r = 0; r < R; ++r)
          for (int p = 0; p < P; ++p) n_input[r][p] = load(gates + r * a.gates_stride + 2 * width + p * kLanes);
        store_states<R, P>(a, row, unit, sums, n_input);
      });
    });
  });
}

// Inputs and states of a group of rows are converted once for all units.
inline void gru_cell(const GruArgs& a) {
  const int width = padded(a.hidden);
  for_passes(a.rows, width, [&](int first, int last) {
    for_rows(0, a.rows, [&]<int R>(int row) {
      const float* h = a.h + row * a.h_stride;
      Inputs<R> inputs, states;
      inputs.take(a.x + row * a.x_stride, a.x_stride, a.inputs);
      states.take(h, a.h_stride, a.hidden);
      for_units<vectors_for(R)>(first, last, [&]<int P>(int unit) {
        Vec sums[R][3 * P], n_input[R][P];
        start_sums<R, P>(a, unit, sums);
        add_products(inputs, a.inputs, gru_weights<P>(a, unit, 0), sums);
        for (int p = 0; p < P; ++p) {
          const Vec bias = load(a.bias + 3 * width + unit + p * kLanes);
          for (int r = 0; r < R; ++r) {
            n_input[r][p] = sums[r][3 * p + kNew];
            sums[r][3 * p + kNew] = bias;
          }
        }
        add_products(states, a.hidden, gru_weights<P>(a, unit, words_of(kPrecision, a.inputs)), sums);
        store_states<R, P>(a, row, unit, sums, n_input);
      });
    });
  });
}

}  // namespace pyvocsep::PYVOCSEP_ISA
