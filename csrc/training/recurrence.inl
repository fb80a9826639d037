// GRU through time and RMS normalisation, forward and backward, for training. Compiled once per instruction set: the
// including file defines VARIANT (a namespace) and WIDTH (floats per vector), and the compiler's flags choose the
// instructions.
//
// Rows (independent sequences) run in parallel and in groups of kRows, so that a vector of weights, once loaded,
// serves kRows of them from registers; the hidden state of a group never leaves the first-level cache. What needs
// no recurrence (the input's product, the gradients of the weights) is left to one large matrix product outside.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "recurrence.h"

namespace VARIANT {

typedef float Vec __attribute__((vector_size(WIDTH * 4)));
typedef std::int32_t Int __attribute__((vector_size(WIDTH * 4)));

// Three gates for a group of rows must fit the register file: 32 registers with AVX-512, else 16.
constexpr int kRows = WIDTH == 16 ? 8 : 4;

inline Vec load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }

inline Vec splat(float x) { return x - Vec{}; }

inline float sum(Vec v) {
  float total = 0.0f;
  for (int i = 0; i < WIDTH; ++i) total += v[i];
  return total;
}

inline Vec clamp(Vec x, float low, float high) {
  x = x < low ? splat(low) : x;
  return x > high ? splat(high) : x;
}

// exp(x) = 2^n exp(r), n the nearest integer to x / ln 2, and the Taylor series of exp for |r| <= ln(2) / 2.
inline Vec exponential(Vec x) {
  x = clamp(x, -87.0f, 87.0f);
  const float to_integer = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const Vec shifted = x * 1.44269504f + to_integer;
  const Vec n = shifted - to_integer;
  const Vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Vec y = splat(1.0f / 5040);
  y = y * r + 1.0f / 720;
  y = y * r + 1.0f / 120;
  y = y * r + 1.0f / 24;
  y = y * r + 1.0f / 6;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  return reinterpret_cast<Vec>(reinterpret_cast<Int>(y) + (reinterpret_cast<Int>(shifted) << 23));
}

inline Vec sigmoid(Vec x) { return 1.0f / (1.0f + exponential(-x)); }

inline Vec hyperbolic_tangent(Vec x) { return 2.0f * sigmoid(2.0f * x) - 1.0f; }

// Where step s of row q lies, in units of rows of a tensor (outer, steps, inner, width).
struct Place {
  const pyvocsep_gru_shape& shape;
  std::int64_t row(std::int64_t q, std::int64_t s) const {
    const std::int64_t outer = q / shape.inner, inner = q % shape.inner;
    return (outer * shape.steps + s) * shape.inner + inner;
  }
};

// One step of R rows: gates hold W_i x + b_i on entry, and r, z, n on return; recurrent is W_hn h + b_hn.
template <int R>
void forward_step(int hidden, const float* weights, const float* bias, const float* const (&h)[R],
                  float* const (&gates)[R], float* const (&recurrent)[R], float* const (&out)[R]) {
  for (int j = 0; j < hidden; j += WIDTH) {
    Vec r[R], z[R], n[R];
    for (int q = 0; q < R; ++q) {
      r[q] = load(bias + j);
      z[q] = load(bias + hidden + j);
      n[q] = load(bias + 2 * hidden + j);
    }
    for (int k = 0; k < hidden; ++k, weights += 3 * WIDTH) {
      const Vec wr = load(weights), wz = load(weights + WIDTH), wn = load(weights + 2 * WIDTH);
#pragma GCC unroll 8
      for (int q = 0; q < R; ++q) {
        const float x = h[q][k];
        r[q] += wr * x;
        z[q] += wz * x;
        n[q] += wn * x;
      }
    }
    for (int q = 0; q < R; ++q) {
      float* const g = gates[q] + j;
      const Vec reset = sigmoid(load(g) + r[q]);
      const Vec update = sigmoid(load(g + hidden) + z[q]);
      const Vec candidate = hyperbolic_tangent(load(g + 2 * hidden) + reset * n[q]);
      store(g, reset);
      store(g + hidden, update);
      store(g + 2 * hidden, candidate);
      store(recurrent[q] + j, n[q]);
      store(out[q] + j, candidate + update * (load(h[q] + j) - candidate));
    }
  }
}

template <int R>
void forward_rows(const pyvocsep_gru_shape& shape, std::int64_t first, const float* weights, const float* bias,
                  const float* zeros, float* gates, float* recurrent, float* out) {
  const Place place{shape};
  for (std::int64_t i = 0; i < shape.steps; ++i) {
    const std::int64_t s = shape.reverse ? shape.steps - 1 - i : i;
    const std::int64_t before = shape.reverse ? s + 1 : s - 1;
    const float* h[R];
    float *g[R], *c[R], *y[R];
    for (int q = 0; q < R; ++q) {
      const std::int64_t row = place.row(first + q, s);
      g[q] = gates + row * shape.gates_width;
      c[q] = recurrent + row * shape.hidden_width;
      y[q] = out + row * shape.hidden_width;
      h[q] = i == 0 ? zeros : out + place.row(first + q, before) * shape.hidden_width;
    }
    forward_step<R>(static_cast<int>(shape.hidden), weights, bias, h, g, c, y);
  }
}

// One step back of R rows. With h' the state before the step,
//     h = n + z (h' - n),  n = tanh(x_n + r c),  c = W_hn h' + b_hn
// gates (r, z, n) become the gradients of the three sums before their activations, recurrent that of c, and
// carry, the gradient of h, becomes that of h'.
template <int R>
void backward_step(int hidden, const float* weights, const float* const (&h)[R], const float* const (&grad)[R],
                   float* const (&gates)[R], float* const (&recurrent)[R], float* carry) {
  for (int q = 0; q < R; ++q) {
    for (int j = 0; j < hidden; j += WIDTH) {
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
  for (int j = 0; j < hidden; j += 2 * WIDTH) {
    Vec low[R], high[R];
    for (int q = 0; q < R; ++q) {
      low[q] = load(carry + q * hidden + j);
      high[q] = load(carry + q * hidden + j + WIDTH);
    }
    for (int gate = 0; gate < 3; ++gate) {
      for (int k = 0; k < hidden; ++k, weights += 2 * WIDTH) {
        const Vec wl = load(weights), wh = load(weights + WIDTH);
#pragma GCC unroll 8
        for (int q = 0; q < R; ++q) {
          const float x = gradients[gate][q][k];
          low[q] += wl * x;
          high[q] += wh * x;
        }
      }
    }
    for (int q = 0; q < R; ++q) {
      store(carry + q * hidden + j, low[q]);
      store(carry + q * hidden + j + WIDTH, high[q]);
    }
  }
}

template <int R>
void backward_rows(const pyvocsep_gru_shape& shape, std::int64_t first, const float* weights, const float* zeros,
                   const float* grad, const float* out, float* gates, float* recurrent, float* carry) {
  const Place place{shape};
  std::fill_n(carry, R * shape.hidden, 0.0f);
  for (std::int64_t i = shape.steps - 1; i >= 0; --i) {
    const std::int64_t s = shape.reverse ? shape.steps - 1 - i : i;
    const std::int64_t before = shape.reverse ? s + 1 : s - 1;
    const float *h[R], *d[R];
    float *g[R], *c[R];
    for (int q = 0; q < R; ++q) {
      const std::int64_t row = place.row(first + q, s);
      g[q] = gates + row * shape.gates_width;
      c[q] = recurrent + row * shape.hidden_width;
      d[q] = grad + row * shape.hidden_width;
      h[q] = i == 0 ? zeros : out + place.row(first + q, before) * shape.hidden_width;
    }
    backward_step<R>(static_cast<int>(shape.hidden), weights, h, d, g, c, carry);
  }
}

// Weights in the order in which the step reads them: per vector of units, per input, the three gates.
std::vector<float> pack_forward(int hidden, const float* weight) {
  std::vector<float> packed;
  packed.reserve(static_cast<std::size_t>(3 * hidden * hidden));
  for (int j = 0; j < hidden; j += WIDTH)
    for (int k = 0; k < hidden; ++k)
      for (int gate = 0; gate < 3; ++gate)
        for (int u = j; u < j + WIDTH; ++u) packed.push_back(weight[(gate * hidden + u) * hidden + k]);
  return packed;
}

std::vector<float> pack_backward(int hidden, const float* weight) {
  std::vector<float> packed;
  packed.reserve(static_cast<std::size_t>(3 * hidden * hidden));
  for (int j = 0; j < hidden; j += 2 * WIDTH)
    for (int k = 0; k < 3 * hidden; ++k)
      for (int u = j; u < j + 2 * WIDTH; ++u) packed.push_back(weight[k * hidden + u]);
  return packed;
}

void forward(const pyvocsep_gru_shape& shape, const float* weight, const float* bias, float* gates, float* recurrent,
             float* out) {
  const std::vector<float> weights = pack_forward(static_cast<int>(shape.hidden), weight);
  const std::vector<float> zeros(static_cast<std::size_t>(shape.hidden), 0.0f);
  const std::int64_t rows = shape.outer * shape.inner, groups = (rows + kRows - 1) / kRows;
#pragma omp parallel for num_threads(static_cast<int>(shape.threads)) schedule(static)
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = group * kRows;
    if (first + kRows <= rows) {
      forward_rows<kRows>(shape, first, weights.data(), bias, zeros.data(), gates, recurrent, out);
    } else {
      for (std::int64_t q = first; q < rows; ++q)
        forward_rows<1>(shape, q, weights.data(), bias, zeros.data(), gates, recurrent, out);
    }
  }
}

void backward(const pyvocsep_gru_shape& shape, const float* weight, const float* grad, const float* out, float* gates,
              float* recurrent) {
  const std::vector<float> weights = pack_backward(static_cast<int>(shape.hidden), weight);
  const std::vector<float> zeros(static_cast<std::size_t>(shape.hidden), 0.0f);
  const std::int64_t rows = shape.outer * shape.inner, groups = (rows + kRows - 1) / kRows;
#pragma omp parallel num_threads(static_cast<int>(shape.threads))
  {
    std::vector<float> carry(static_cast<std::size_t>(kRows * shape.hidden));
#pragma omp for schedule(static)
    for (std::int64_t group = 0; group < groups; ++group) {
      const std::int64_t first = group * kRows;
      if (first + kRows <= rows) {
        backward_rows<kRows>(shape, first, weights.data(), zeros.data(), grad, out, gates, recurrent, carry.data());
      } else {
        for (std::int64_t q = first; q < rows; ++q)
          backward_rows<1>(shape, q, weights.data(), zeros.data(), grad, out, gates, recurrent, carry.data());
      }
    }
  }
}

// y = x / rms * weight, one row of `width` after the other; inverse keeps 1 / rms for the way back.
void norm_forward(std::int64_t rows, int width, const float* x, const float* weight, float* y, float* inverse) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, y += width) {
    Vec squares{};
    for (int j = 0; j < width; j += WIDTH) squares += load(x + j) * load(x + j);
    const float scale = 1.0f / std::sqrt(sum(squares) / static_cast<float>(width) + 1e-5f);
    for (int j = 0; j < width; j += WIDTH) store(y + j, load(x + j) * load(weight + j) * scale);
    inverse[row] = scale;
  }
}

// With u = x / rms and v = grad * weight:  grad_x = (v - u mean(u v)) / rms,  grad_weight = sum of grad * u.
void norm_backward(std::int64_t rows, int width, const float* x, const float* weight, const float* inverse,
                   const float* grad, float* grad_x, float* grad_weight) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, grad += width, grad_x += width) {
    const float scale = inverse[row];
    Vec products{};
    for (int j = 0; j < width; j += WIDTH) {
      const Vec u_grad = load(x + j) * load(grad + j) * scale;
      store(grad_weight + j, load(grad_weight + j) + u_grad);
      products += u_grad * load(weight + j);
    }
    const float mean = sum(products) / static_cast<float>(width);
    for (int j = 0; j < width; j += WIDTH)
      store(grad_x + j, (load(grad + j) * load(weight + j) - load(x + j) * (scale * mean)) * scale);
  }
}

}  // namespace VARIANT
