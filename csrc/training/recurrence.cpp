#include "recurrence.h"

namespace {

enum class Isa { baseline, avx2, avx512 };

Isa best() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::baseline;
}

const Isa isa = best();

}  // namespace

extern "C" {

// The hidden size must be a multiple of this: two of the widest vectors.
std::int64_t pyvocsep_gru_multiple() { return 32; }

// gates: W_ih x + b_ih of every step on entry, the activated r, z, n on return. recurrent: W_hn h + b_hn.
// weight: W_hh (3 * hidden, hidden), bias: b_hh (3 * hidden), out: the states. All states start at zero.
void pyvocsep_gru_forward(const pyvocsep_gru_shape* shape, const float* weight, const float* bias, float* gates,
                          float* recurrent, float* out) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return recurrence_avx512::forward(*shape, weight, bias, gates, recurrent, out);
  if (isa == Isa::avx2) return recurrence_avx2::forward(*shape, weight, bias, gates, recurrent, out);
#endif
  recurrence_baseline::forward(*shape, weight, bias, gates, recurrent, out);
}

// grad: the gradient of out. gates and recurrent, as the forward pass left them, become the gradients of
// W_ih x + b_ih and of W_hn h + b_hn; those of W_hr h + b_hr and W_hz h + b_hz are the gates' own.
void pyvocsep_gru_backward(const pyvocsep_gru_shape* shape, const float* weight, const float* grad, const float* out,
                           float* gates, float* recurrent) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return recurrence_avx512::backward(*shape, weight, grad, out, gates, recurrent);
  if (isa == Isa::avx2) return recurrence_avx2::backward(*shape, weight, grad, out, gates, recurrent);
#endif
  recurrence_baseline::backward(*shape, weight, grad, out, gates, recurrent);
}

// Rows of `width` floats, a multiple of pyvocsep_gru_multiple(). inverse: one float per row.
void pyvocsep_norm_forward(std::int64_t rows, std::int64_t width, const float* x, const float* weight, float* y,
                           float* inverse) {
  const int n = static_cast<int>(width);
#if defined(__x86_64__)
  if (isa == Isa::avx512) return recurrence_avx512::norm_forward(rows, n, x, weight, y, inverse);
  if (isa == Isa::avx2) return recurrence_avx2::norm_forward(rows, n, x, weight, y, inverse);
#endif
  recurrence_baseline::norm_forward(rows, n, x, weight, y, inverse);
}

// grad_weight (width) is added to.
void pyvocsep_norm_backward(std::int64_t rows, std::int64_t width, const float* x, const float* weight,
                            const float* inverse, const float* grad, float* grad_x, float* grad_weight) {
  const int n = static_cast<int>(width);
#if defined(__x86_64__)
  if (isa == Isa::avx512)
    return recurrence_avx512::norm_backward(rows, n, x, weight, inverse, grad, grad_x, grad_weight);
  if (isa == Isa::avx2) return recurrence_avx2::norm_backward(rows, n, x, weight, inverse, grad, grad_x, grad_weight);
#endif
  recurrence_baseline::norm_backward(rows, n, x, weight, inverse, grad, grad_x, grad_weight);
}

}  // extern "C"
