// GRU through time and RMS normalisation, forward and backward. Compiled once per instruction set.
//
// Rows (independent sequences) run in parallel and in groups of kRows, so that a vector of weights, once loaded,
// serves kRows of them from registers; the hidden state of a group never leaves the first-level cache. What needs
// no recurrence (the input's product, the gradients of the weights) is left to one large matrix product outside.
#include <omp.h>

#include "kernels/math.h"
#include "kernels/simd.h"
#include "training/kernels.h"

namespace pyvocsep::PYVOCSEP_ISA {
namespace {

// Three gates for a group of rows must fit the register file: 32 registers with AVX-512, else 16.
constexpr int kRows = kLanes == 16 ? 8 : 4;

// Where step s of row q lies, in units of rows of a tensor (outer, steps, inner, width).
struct Place {
  const pyvocsep_gru_shape& shape;
  int64_t row(int64_t q, int64_t s) const {
    const int64_t outer = q / shape.inner, inner = q % shape.inner;
    return (outer * shape.steps + s) * shape.inner + inner;
  }
};

// One step of R rows: gates hold W_i x + b_i on entry, and r, z, n on return; recurrent is W_hn h + b_hn.
template <int R>
void forward_step(int hidden, const float* weights, const float* bias, const float* const (&h)[R],
                  float* const (&gates)[R], float* const (&recurrent)[R], float* const (&out)[R]) {
  for (int j = 0; j < hidden; j += kLanes) {
    Vec r[R], z[R], n[R];
    for (int q = 0; q < R; ++q) {
      r[q] = load(bias + j);
      z[q] = load(bias + hidden + j);
      n[q] = load(bias + 2 * hidden + j);
    }
    for (int k = 0; k < hidden; ++k, weights += 3 * kLanes) {
      const Vec wr = load(weights), wz = load(weights + kLanes), wn = load(weights + 2 * kLanes);
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) {
        const Vec x = splat(h[q][k]);
        r[q] = fma(wr, x, r[q]);
        z[q] = fma(wz, x, z[q]);
        n[q] = fma(wn, x, n[q]);
      }
    }
    for (int q = 0; q < R; ++q) {
      float* const g = gates[q] + j;
      const Vec reset = sigmoid(load(g) + r[q]);
      const Vec update = sigmoid(load(g + hidden) + z[q]);
      const Vec candidate = tanh(load(g + 2 * hidden) + reset * n[q]);
      store(g, reset);
      store(g + hidden, update);
      store(g + 2 * hidden, candidate);
      store(recurrent[q] + j, n[q]);
      store(out[q] + j, candidate + update * (load(h[q] + j) - candidate));
    }
  }
}

template <int R>
void forward_rows(const pyvocsep_gru_shape& shape, int64_t first, const float* weights, const float* bias,
                  const float* zeros, float* gates, float* recurrent, float* out) {
  const Place place{shape};
  for (int64_t i = 0; i < shape.steps; ++i) {
    const int64_t s = shape.reverse ? shape.steps - 1 - i : i;
    const int64_t before = shape.reverse ? s + 1 : s - 1;
    const float* h[R];
    float *g[R], *c[R], *y[R];
    for (int q = 0; q < R; ++q) {
      const int64_t row = place.row(first + q, s);
      g[q] = gates + row * shape.gates_width;
      c[q] = recurrent + row * shape.hidden_width;
      y[q] = out + row * shape.hidden_width;
      h[q] = i == 0 ? zeros : out + place.row(first + q, before) * shape.hidden_width;
    }
    forward_step<R>(static_cast<int>(shape.hidden), weights, bias, h, g, c, y);
  }
}

// Units j.. of V vectors: adds to the gradient of h' what comes through the three sums; returns where the weights of
// the next units begin.
template <int R, int V>
const float* carry_back(int hidden, int j, const float* weights, const float* const (&gradients)[3][R], float* carry) {
  Vec sums[V][R];
  for (int q = 0; q < R; ++q)
    for (int v = 0; v < V; ++v) sums[v][q] = load(carry + q * hidden + j + v * kLanes);
  for (int gate = 0; gate < 3; ++gate) {
    for (int k = 0; k < hidden; ++k, weights += V * kLanes) {
      Vec w[V];
      for (int v = 0; v < V; ++v) w[v] = load(weights + v * kLanes);
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) {
        const Vec x = splat(gradients[gate][q][k]);
        for (int v = 0; v < V; ++v) sums[v][q] = fma(w[v], x, sums[v][q]);
      }
    }
  }
  for (int q = 0; q < R; ++q)
    for (int v = 0; v < V; ++v) store(carry + q * hidden + j + v * kLanes, sums[v][q]);
  return weights;
}

// One step back of R rows. With h' the state before the step,
//     h = n + z (h' - n),  n = tanh(x_n + r c),  c = W_hn h' + b_hn
// gates (r, z, n) become the gradients of the three sums before their activations, recurrent that of c, and
// carry, the gradient of h, becomes that of h'.
template <int R>
void backward_step(int hidden, const float* weights, const float* const (&h)[R], const float* const (&grad)[R],
                   float* const (&gates)[R], float* const (&recurrent)[R], float* carry) {
  for (int q = 0; q < R; ++q) {
    for (int j = 0; j < hidden; j += kLanes) {
      float* const g = gates[q] + j;
      float* const c = recurrent[q] + j;
      float* const d = carry + q * hidden + j;
      const Vec r = load(g), z = load(g + hidden), n = load(g + 2 * hidden);
      const Vec dh = load(d) + load(grad[q] + j);
      const Vec dn = dh * (1.0f - z) * (1.0f - n * n);
      const Vec dz = dh * (load(h[q] + j) - n) * z * (1.0f - z);
      const Vec dr = dn * load(c) * r * (1.0f - r);
      store(g, dr);
      store(g + hidden, dz);
      store(g + 2 * hidden, dn);
      store(c, dn * r);
      store(d, dh * z);
    }
  }
  const float* gradients[3][R];
  for (int q = 0; q < R; ++q) {
    gradients[0][q] = gates[q];
    gradients[1][q] = gates[q] + hidden;
    gradients[2][q] = recurrent[q];
  }
  int j = 0;
  for (; j + 2 * kLanes <= hidden; j += 2 * kLanes) weights = carry_back<R, 2>(hidden, j, weights, gradients, carry);
  if (j < hidden) carry_back<R, 1>(hidden, j, weights, gradients, carry);
}

template <int R>
void backward_rows(const pyvocsep_gru_shape& shape, int64_t first, const float* weights, const float* zeros,
                   const float* grad, const float* out, float* gates, float* recurrent, float* carry) {
  const Place place{shape};
  for (int64_t i = 0; i < R * shape.hidden; ++i) carry[i] = 0.0f;
  for (int64_t i = shape.steps - 1; i >= 0; --i) {
    const int64_t s = shape.reverse ? shape.steps - 1 - i : i;
    const int64_t before = shape.reverse ? s + 1 : s - 1;
    const float *h[R], *d[R];
    float *g[R], *c[R];
    for (int q = 0; q < R; ++q) {
      const int64_t row = place.row(first + q, s);
      g[q] = gates + row * shape.gates_width;
      c[q] = recurrent + row * shape.hidden_width;
      d[q] = grad + row * shape.hidden_width;
      h[q] = i == 0 ? zeros : out + place.row(first + q, before) * shape.hidden_width;
    }
    backward_step<R>(static_cast<int>(shape.hidden), weights, h, d, g, c, carry);
  }
}

void gru_forward(const pyvocsep_gru_shape& shape, const float* packed, const float* bias, const float* zeros,
                 float* gates, float* recurrent, float* out) {
  const int64_t rows = shape.outer * shape.inner;
#pragma omp parallel for num_threads(static_cast<int>(shape.threads)) schedule(static)
  for (int64_t first = 0; first < rows; first += kRows) {
    if (first + kRows <= rows) {
      forward_rows<kRows>(shape, first, packed, bias, zeros, gates, recurrent, out);
    } else {
      for (int64_t q = first; q < rows; ++q) forward_rows<1>(shape, q, packed, bias, zeros, gates, recurrent, out);
    }
  }
}

void gru_backward(const pyvocsep_gru_shape& shape, const float* packed, const float* zeros, const float* grad,
                  const float* out, float* gates, float* recurrent, float* carry) {
  const int64_t rows = shape.outer * shape.inner;
#pragma omp parallel for num_threads(static_cast<int>(shape.threads)) schedule(static)
  for (int64_t first = 0; first < rows; first += kRows) {
    float* const own = carry + omp_get_thread_num() * kRows * shape.hidden;
    if (first + kRows <= rows) {
      backward_rows<kRows>(shape, first, packed, zeros, grad, out, gates, recurrent, own);
    } else {
      for (int64_t q = first; q < rows; ++q)
        backward_rows<1>(shape, q, packed, zeros, grad, out, gates, recurrent, own);
    }
  }
}

// y = x / rms * weight, one row of `width` after the other; inverse keeps 1 / rms for the way back.
void norm_forward(int64_t rows, int width, const float* x, const float* weight, float* y, float* inverse) {
  for (int64_t row = 0; row < rows; ++row, x += width, y += width) {
    Vec squares{};
    for (int j = 0; j < width; j += kLanes) squares = fma(load(x + j), load(x + j), squares);
    const float scale = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(width) + 1e-5f);
    for (int j = 0; j < width; j += kLanes) store(y + j, load(x + j) * load(weight + j) * scale);
    inverse[row] = scale;
  }
}

// With u = x / rms and v = grad * weight:  grad_x = (v - u mean(u v)) / rms,  grad_weight = sum of grad * u.
void norm_backward(int64_t rows, int width, const float* x, const float* weight, const float* inverse,
                   const float* grad, float* grad_x, float* grad_weight) {
  for (int64_t row = 0; row < rows; ++row, x += width, grad += width, grad_x += width) {
    const float scale = inverse[row];
    Vec products{};
    for (int j = 0; j < width; j += kLanes) {
      const Vec u_grad = load(x + j) * load(grad + j) * scale;
      store(grad_weight + j, load(grad_weight + j) + u_grad);
      products = fma(u_grad, load(weight + j), products);
    }
    const float mean = sum(products) / static_cast<float>(width);
    for (int j = 0; j < width; j += kLanes)
      store(grad_x + j, (load(grad + j) * load(weight + j) - load(x + j) * (scale * mean)) * scale);
  }
}

}  // namespace

extern const RecurrenceKernels kRecurrence;
const RecurrenceKernels kRecurrence = {kLanes, kRows, gru_forward, gru_backward, norm_forward, norm_backward};

}  // namespace pyvocsep::PYVOCSEP_ISA
