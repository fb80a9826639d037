// A GRU step: products, activations and the new state, all in registers (PyTorch's equations, torch.nn.GRU):
//
//   r  = sigmoid(W_ir x + W_hr h + b_r)          both biases in one
//   z  = sigmoid(W_iz x + W_hz h + b_z)
//   n  = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//   h' = n + z * (h - n)                         = (1 - z) n + z h
//
// gru_step takes the input's share of the gates ready made (one large product over time, for few rows), gru_cell makes
// it on the way (for many rows).
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

// kLanes units of R rows: their three sums, to which products are added.
template <int R>
struct GruSums {
  Vec r[R], z[R], n[R];

  // Adds W x for `count` inputs of R rows; `weights` moves on behind them.
  void add(const Inputs<R>& rows, int count, const float*& weights) {
    for (int k = 0; k < steps_of(count); ++k, weights += 3 * kPanel) {
      const Vec w_r = load(weights);
      const Vec w_z = load(weights + kPanel);
      const Vec w_n = load(weights + 2 * kPanel);
      for (int i = 0; i < R; ++i) {
        const Vec xk = rows.at(i, k);
        r[i] = multiply_add(xk, w_r, r[i]);
        z[i] = multiply_add(xk, w_z, z[i]);
        n[i] = multiply_add(xk, w_n, n[i]);
      }
    }
  }
};

// The state after, of the sums of r and z, the two parts of n and the state before.
inline Vec gru_state(Vec r, Vec z, Vec n_input, Vec n_state, Vec h) {
  const Vec n = tanh(fma(sigmoid(r), n_state, n_input));
  return fma(sigmoid(z), h - n, n);
}

template <int R>
void gru_block(const GruStepArgs& a, const float* gates, const float* h, const float* weights, int unit, float* y) {
  const int width = padded(a.hidden);
  GruSums<R> sums;
  for (int i = 0; i < R; ++i) {
    sums.r[i] = load(gates + i * a.gates_stride + unit);
    sums.z[i] = load(gates + i * a.gates_stride + width + unit);
    sums.n[i] = load(a.bias + unit);
  }
  Inputs<R> states;
  for (int done = 0; done < a.hidden; done += kChunk) {
    const int count = a.hidden - done < kChunk ? a.hidden - done : kChunk;
    states.take(h + done, a.h_stride, count);
    sums.add(states, count, weights);
  }
  for (int i = 0; i < R; ++i)
    store(y + i * a.y_stride + unit,
          gru_state(sums.r[i], sums.z[i], load(gates + i * a.gates_stride + 2 * width + unit), sums.n[i],
                    load(h + i * a.h_stride + unit)));
}

// All units of R rows, whose inputs are converted once for all.
template <int R>
void cell_block(const GruCellArgs& a, const float* x, const float* h, float* y) {
  const int width = padded(a.hidden);
  const ptrdiff_t panel = static_cast<ptrdiff_t>(steps_of(a.inputs) + steps_of(a.hidden)) * 3 * kPanel;
  Inputs<R> inputs, states;
  inputs.take(x, a.x_stride, a.inputs);
  states.take(h, a.h_stride, a.hidden);
  for (int unit = 0; unit < width; unit += kLanes) {
    const float* weights = a.weights + unit / kPanel * panel + unit % kPanel;
    GruSums<R> sums;
    for (int i = 0; i < R; ++i) {
      sums.r[i] = load(a.bias + unit);
      sums.z[i] = load(a.bias + width + unit);
      sums.n[i] = load(a.bias + 2 * width + unit);
    }
    sums.add(inputs, a.inputs, weights);
    Vec n_input[R];
    for (int i = 0; i < R; ++i) {
      n_input[i] = sums.n[i];
      sums.n[i] = load(a.bias + 3 * width + unit);
    }
    sums.add(states, a.hidden, weights);
    for (int i = 0; i < R; ++i)
      store(y + i * a.y_stride + unit,
            gru_state(sums.r[i], sums.z[i], n_input[i], sums.n[i], load(h + i * a.h_stride + unit)));
  }
}

template <int R>
void gru_rows(const GruStepArgs& a, int rows, const float* gates, const float* h, const float* weights, int unit,
              float* y) {
  if constexpr (R > 0) {
    for (; rows >= R; rows -= R, gates += R * a.gates_stride, h += R * a.h_stride, y += R * a.y_stride)
      gru_block<R>(a, gates, h, weights, unit, y);
    if (rows > 0) gru_rows<R - 1>(a, rows, gates, h, weights, unit, y);
  }
}

template <int R>
void cell_rows(const GruCellArgs& a, int rows, const float* x, const float* h, float* y) {
  if constexpr (R > 0) {
    for (; rows >= R; rows -= R, x += R * a.x_stride, h += R * a.h_stride, y += R * a.y_stride)
      cell_block<R>(a, x, h, y);
    if (rows > 0) cell_rows<R - 1>(a, rows, x, h, y);
  }
}

inline void gru_step(const GruStepArgs& a) {
  for (int unit = 0; unit < padded(a.hidden); unit += kLanes) {
    const float* weights =
        a.weights + static_cast<ptrdiff_t>(unit / kPanel) * steps_of(a.hidden) * 3 * kPanel + unit % kPanel;
    gru_rows<kGruRows>(a, a.rows, a.gates, a.h, weights, unit, a.y);
  }
}

inline void gru_cell(const GruCellArgs& a) { cell_rows<kGruRows>(a, a.rows, a.x, a.h, a.y); }

}  // namespace pyvocsep::PYVOCSEP_ISA
