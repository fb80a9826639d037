// The recurrent half of a GRU step: the state's share of the gates, the activations and the new state,
// all in registers (PyTorch's equations, torch.nn.GRU):
//
//   r  = sigmoid(gates_r + W_hr h)          (both biases are in gates_r and gates_z)
//   z  = sigmoid(gates_z + W_hz h)
//   n  = tanh(gates_n + r * (W_hn h + b_hn))
//   h' = n + z * (h - n)                    = (1 - z) n + z h
#pragma once

#include "kernels.h"
#include "math.h"
#include "pairs.h"

namespace pyvocsep::PYVOCSEP_ISA {

#if defined(__AVX512F__) || defined(__ARM_NEON)
inline constexpr int kGruRows = 8;  // 3 gates x 8 rows: 24 of 32 registers
#else
inline constexpr int kGruRows = 4;  // 12 of 16
#endif

// kLanes units (one sub-column of a panel) of R rows.
template <int R>
void gru_block(const GruStepArgs& a, const float* gates, const float* h, const float* weights, int unit, float* y) {
  const int width = padded(a.hidden);
  Vec r_acc[R], z_acc[R], n_acc[R];
  const Vec bias = load(a.bias + unit);
  for (int i = 0; i < R; ++i) {
    r_acc[i] = load(gates + i * a.gates_stride + unit);
    z_acc[i] = load(gates + i * a.gates_stride + width + unit);
    n_acc[i] = bias;
  }
  Inputs<R> states;
  for (int done = 0; done < a.hidden; done += kChunk) {
    const int count = a.hidden - done < kChunk ? a.hidden - done : kChunk;
    states.take(h + done, a.h_stride, count);
    for (int k = 0; k < steps_of(count); ++k, weights += 3 * kPanel) {
      const Vec w_r = load(weights);
      const Vec w_z = load(weights + kPanel);
      const Vec w_n = load(weights + 2 * kPanel);
      for (int i = 0; i < R; ++i) {
        const Vec hk = states.at(i, k);
        r_acc[i] = multiply_add(hk, w_r, r_acc[i]);
        z_acc[i] = multiply_add(hk, w_z, z_acc[i]);
        n_acc[i] = multiply_add(hk, w_n, n_acc[i]);
      }
    }
  }
  for (int i = 0; i < R; ++i) {
    const Vec r = sigmoid(r_acc[i]);
    const Vec z = sigmoid(z_acc[i]);
    const Vec n = tanh(fma(r, n_acc[i], load(gates + i * a.gates_stride + 2 * width + unit)));
    store(y + i * a.y_stride + unit, fma(z, load(h + i * a.h_stride + unit) - n, n));
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

inline void gru_step(const GruStepArgs& a) {
  for (int unit = 0; unit < padded(a.hidden); unit += kLanes) {
    const float* weights =
        a.weights + static_cast<ptrdiff_t>(unit / kPanel) * steps_of(a.hidden) * 3 * kPanel + unit % kPanel;
    gru_rows<kGruRows>(a, a.rows, a.gates, a.h, weights, unit, a.y);
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
