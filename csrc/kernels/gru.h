// A GRU step: products, activations and the new state, all in registers (PyTorch's equations, torch.nn.GRU):
//
//   r  = sigmoid(W_ir x + W_hr h + b_r)          both biases in one
//   z  = sigmoid(W_iz x + W_hz h + b_z)
//   n  = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//   h' = n + z * (h - n)                         = (1 - z) n + z h
//
// gru_cell does all of it, which is best for many rows. For few, whose steps wait for one another, gru_gates takes what
// does not depend on the state out of the recurrence and gru_step goes on from there: the same additions in the same
// order, so that either way gives the same bits.
#pragma once

#include "kernels.h"
#include "math.h"
#include "pairs.h"

namespace pyvocsep::PYVOCSEP_ISA {

#if defined(__AVX512F__) || defined(__ARM_NEON)
inline constexpr int kGruRows = 9;  // 3 gates x 9 rows: 27 of 32 registers
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
void for_units(int unit, int width, const Body& body) {
  for (; width - unit >= P * kLanes; unit += P * kLanes) body.template operator()<P>(unit);
  if constexpr (P > 1)
    if (unit < width) for_units<P / 2>(unit, width, body);
}

// Where the weights of P vectors of units are, from `step` steps along the inputs on.
template <int P>
struct GruWeights {
  const float* at[P];

  GruWeights(const GruArgs& a, int unit, int step) {
    const ptrdiff_t panel = static_cast<ptrdiff_t>(steps_of(a.inputs) + steps_of(a.hidden)) * 3 * kPanel;
    for (int p = 0; p < P; ++p, unit += kLanes)
      at[p] = a.weights + unit / kPanel * panel + unit % kPanel + static_cast<ptrdiff_t>(step) * 3 * kPanel;
  }
};

// The three sums of P vectors of units of R rows.
template <int R, int P>
struct GruSums {
  Vec r[R][P], z[R][P], n[R][P];

  // Adds W x for `count` inputs.
  void add(const Inputs<R>& rows, int count, const GruWeights<P>& weights, int first = 0) {
    for (int k = 0; k < steps_of(count); ++k) {
      const ptrdiff_t step = static_cast<ptrdiff_t>(first + k) * 3 * kPanel;
      for (int p = 0; p < P; ++p) {
        const float* w = weights.at[p] + step;
        const Vec w_r = load(w), w_z = load(w + kPanel), w_n = load(w + 2 * kPanel);
        for (int i = 0; i < R; ++i) {
          const Vec xk = rows.at(i, k);
          r[i][p] = multiply_add(xk, w_r, r[i][p]);
          z[i][p] = multiply_add(xk, w_z, z[i][p]);
          n[i][p] = multiply_add(xk, w_n, n[i][p]);
        }
      }
    }
  }
  // The same for any number of inputs, a chunk at a time.
  void add_all(const float* x, ptrdiff_t stride, int count, const GruWeights<P>& weights) {
    Inputs<R> rows;
    for (int done = 0; done < count; done += kChunk) {
      const int chunk = count - done < kChunk ? count - done : kChunk;
      rows.take(x + done, stride, chunk);
      add(rows, chunk, weights, steps_of(done));
    }
  }
};

// The state after, of the sums of r and z, the two parts of n and the state before.
inline Vec gru_state(Vec r, Vec z, Vec n_input, Vec n_state, Vec h) {
  const Vec n = tanh(fma(sigmoid(r), n_state, n_input));
  return fma(sigmoid(z), h - n, n);
}

inline void gru_gates(const GruArgs& a) {
  const int width = padded(a.hidden);
  for_rows(0, a.rows, [&]<int R>(int row) {
    for_units<vectors_for(R)>(0, width, [&]<int P>(int unit) {
      GruSums<R, P> sums;
      for (int p = 0; p < P; ++p)
        for (int i = 0; i < R; ++i) {
          sums.r[i][p] = load(a.bias + unit + p * kLanes);
          sums.z[i][p] = load(a.bias + width + unit + p * kLanes);
          sums.n[i][p] = load(a.bias + 2 * width + unit + p * kLanes);
        }
      sums.add_all(a.x + row * a.x_stride, a.x_stride, a.inputs, GruWeights<P>(a, unit, 0));
      for (int i = 0; i < R; ++i)
        for (int p = 0; p < P; ++p) {
          float* gates = a.gates + (row + i) * a.gates_stride + unit + p * kLanes;
          store(gates, sums.r[i][p]);
          store(gates + width, sums.z[i][p]);
          store(gates + 2 * width, sums.n[i][p]);
        }
    });
  });
}

inline void gru_step(const GruArgs& a) {
  const int width = padded(a.hidden);
  for_rows(0, a.rows, [&]<int R>(int row) {
    for_units<vectors_for(R)>(0, width, [&]<int P>(int unit) {
      const float* gates = a.gates + row * a.gates_stride + unit;
      GruSums<R, P> sums;
      for (int i = 0; i < R; ++i)
        for (int p = 0; p < P; ++p) {
          sums.r[i][p] = load(gates + i * a.gates_stride + p * kLanes);
          sums.z[i][p] = load(gates + i * a.gates_stride + width + p * kLanes);
          sums.n[i][p] = load(a.bias + 3 * width + unit + p * kLanes);
        }
      const float* h = a.h + row * a.h_stride;
      sums.add_all(h, a.h_stride, a.hidden, GruWeights<P>(a, unit, steps_of(a.inputs)));
      for (int i = 0; i < R; ++i)
        for (int p = 0; p < P; ++p) {
          const int u = unit + p * kLanes;
          const Vec n_input = load(gates + i * a.gates_stride + 2 * width + p * kLanes);
          store(a.y + (row + i) * a.y_stride + u,
                gru_state(sums.r[i][p], sums.z[i][p], n_input, sums.n[i][p], load(h + i * a.h_stride + u)));
        }
    });
  });
}

// Inputs and states of a group of rows are converted once for all units; there may be kChunk of each.
inline void gru_cell(const GruArgs& a) {
  const int width = padded(a.hidden);
  for_rows(0, a.rows, [&]<int R>(int row) {
    const float* h = a.h + row * a.h_stride;
    Inputs<R> inputs, states;
    inputs.take(a.x + row * a.x_stride, a.x_stride, a.inputs);
    states.take(h, a.h_stride, a.hidden);
    for_units<vectors_for(R)>(0, width, [&]<int P>(int unit) {
      GruSums<R, P> sums;
      for (int p = 0; p < P; ++p)
        for (int i = 0; i < R; ++i) {
          sums.r[i][p] = load(a.bias + unit + p * kLanes);
          sums.z[i][p] = load(a.bias + width + unit + p * kLanes);
          sums.n[i][p] = load(a.bias + 2 * width + unit + p * kLanes);
        }
      sums.add(inputs, a.inputs, GruWeights<P>(a, unit, 0));
      Vec n_input[R][P];
      for (int i = 0; i < R; ++i)
        for (int p = 0; p < P; ++p) {
          n_input[i][p] = sums.n[i][p];
          sums.n[i][p] = load(a.bias + 3 * width + unit + p * kLanes);
        }
      sums.add(states, a.hidden, GruWeights<P>(a, unit, steps_of(a.inputs)));
      for (int i = 0; i < R; ++i)
        for (int p = 0; p < P; ++p) {
          const int u = unit + p * kLanes;
          store(a.y + (row + i) * a.y_stride + u,
                gru_state(sums.r[i][p], sums.z[i][p], n_input[i][p], sums.n[i][p], load(h + i * a.h_stride + u)));
        }
    });
  });
}

}  // namespace pyvocsep::PYVOCSEP_ISA
