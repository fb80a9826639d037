// Register-blocked matrix product with packed weights, and the epilogue while the sums are in registers.
#pragma once

#include "kernels/kernels.h"
#include "kernels/math.h"
#include "kernels/products.h"

namespace pyvocsep::PYVOCSEP_ISA {

// Accumulators fill the register file: rows x (panels * 16 / lanes) vectors, plus weights and a broadcast.
#if defined(__AVX512F__)
inline constexpr int kLinearRows = 6, kLinearPanels = 4;  // 24 of 32 registers
#elif defined(__AVX2__)
inline constexpr int kLinearRows = 6, kLinearPanels = 1;  // 12 of 16
#elif defined(__aarch64__)
inline constexpr int kLinearRows = 6, kLinearPanels = 1;  // 24 of 32, and 6 of inputs
#else
inline constexpr int kLinearRows = 3, kLinearPanels = 1;  // 12 of 16
#endif
inline constexpr int kPanelVecs = kPanel / kLanes;

inline Vec finish(Epilogue epilogue, Vec a) {
  switch (epilogue) {
    case Epilogue::kRelu: return max(a, splat(0.0f));
    case Epilogue::kSigmoid: return sigmoid(a);
    default: return a;
  }
}

// y[R x P*16] from x[R x inputs] and P panels of weights. Each output is bias + x[0] w[0] + x[1] w[1] ...
// in that order, however rows and panels are grouped, so block sizes never change a bit.
template <int R, int P>
void linear_block(const LinearArgs& a, const float* x, const float* weights, const float* bias, float* y, int columns) {
  constexpr int V = P * kPanelVecs;
  const ptrdiff_t panel = static_cast<ptrdiff_t>(words_of(kPrecision, a.inputs)) * kPanel;
  Vec acc[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) acc[r][v] = load(bias + r * a.bias_stride + v * kLanes);
  Weights<V, 1, kPanel> packed;
  for (int v = 0; v < V; ++v) packed.at[v] = weights + v / kPanelVecs * panel + v % kPanelVecs * kLanes;
  add_products(x, a.x_stride, a.inputs, packed, acc);
  for (int r = 0; r < R; ++r) {
    float* row = y + r * a.y_stride;
    for (int v = 0; v < V; ++v) {
      const int left = columns - v * kLanes;
      if (left >= kLanes) {
        store(row + v * kLanes, finish(a.epilogue, acc[r][v]));
      } else if (left > 0) {
        float whole[kLanes];
        store(whole, finish(a.epilogue, acc[r][v]));
        for (int i = 0; i < left; ++i) row[v * kLanes + i] = whole[i];
      }
    }
  }
}

template <int R, int P>
void linear_rows(const LinearArgs& a, int rows, const float* x, const float* weights, const float* bias, float* y,
                 int columns) {
  if constexpr (R > 0) {
    for (; rows >= R; rows -= R, x += R * a.x_stride, bias += R * a.bias_stride, y += R * a.y_stride)
      linear_block<R, P>(a, x, weights, bias, y, columns);
    if (rows > 0) linear_rows<R - 1, P>(a, rows, x, weights, bias, y, columns);
  }
}

template <int P>
void linear_panels(const LinearArgs& a, int first) {
  if constexpr (P > 0) {
    const int panels = padded(a.outputs) / kPanel;
    for (; panels - first >= P; first += P)
      linear_rows<kLinearRows, P>(a, a.rows, a.x,
                                  a.weights + static_cast<ptrdiff_t>(first) * words_of(kPrecision, a.inputs) * kPanel,
                                  a.bias + first * kPanel, a.y + first * kPanel, a.outputs - first * kPanel);
    if (panels > first) linear_panels<P - 1>(a, first);
  }
}

inline void linear(const LinearArgs& a) { linear_panels<kLinearPanels>(a, 0); }

}  // namespace pyvocsep::PYVOCSEP_ISA
