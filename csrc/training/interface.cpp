// The C interface: packs the weights for the instruction set at hand and runs its kernels.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/cpu.h"
#include "training/kernels.h"

namespace pyvocsep {

#if defined(__x86_64__)
namespace avx2 {
extern const RecurrenceKernels kRecurrence;
extern const LossKernel kLoss;
}  // namespace avx2
namespace avx512 {
extern const RecurrenceKernels kRecurrence;
extern const LossKernel kLoss;
}  // namespace avx512
#endif
#if defined(__aarch64__)
namespace neon {
extern const RecurrenceKernels kRecurrence;
extern const LossKernel kLoss;
}  // namespace neon
#else
namespace baseline {
extern const RecurrenceKernels kRecurrence;
extern const LossKernel kLoss;
}  // namespace baseline
#endif

namespace {

struct Kernels {
  const RecurrenceKernels& recurrence;
  LossKernel loss;
};

Kernels best() {
#if defined(__x86_64__)
  if (Cpu::self().avx512()) return {avx512::kRecurrence, avx512::kLoss};
  if (Cpu::self().avx2()) return {avx2::kRecurrence, avx2::kLoss};
#endif
#if defined(__aarch64__)
  return {neon::kRecurrence, neon::kLoss};
#else
  return {baseline::kRecurrence, baseline::kLoss};
#endif
}

const Kernels& chosen() {
  static const Kernels kernels = best();
  return kernels;
}

const RecurrenceKernels& kernels() { return chosen().recurrence; }

// Per vector of units, per input, the three gates: what one step forward reads, in order.
std::vector<float> pack_forward(int64_t hidden, const float* weight) {
  const int lanes = kernels().lanes;
  std::vector<float> packed;
  packed.reserve(static_cast<std::size_t>(3 * hidden * hidden));
  for (int64_t j = 0; j < hidden; j += lanes)
    for (int64_t k = 0; k < hidden; ++k)
      for (int64_t gate = 0; gate < 3; ++gate)
        for (int64_t u = j; u < j + lanes; ++u) packed.push_back(weight[(gate * hidden + u) * hidden + k]);
  return packed;
}

// Per two vectors of units (the last one may be alone), the gradients of all gates that reach them.
std::vector<float> pack_backward(int64_t hidden, const float* weight) {
  const int lanes = kernels().lanes;
  std::vector<float> packed;
  packed.reserve(static_cast<std::size_t>(3 * hidden * hidden));
  for (int64_t j = 0; j < hidden; j += 2 * lanes)
    for (int64_t k = 0; k < 3 * hidden; ++k)
      for (int64_t u = j; u < std::min(j + 2 * lanes, hidden); ++u) packed.push_back(weight[k * hidden + u]);
  return packed;
}

}  // namespace
}  // namespace pyvocsep

#define PYVOCSEP_EXPORT extern "C" __attribute__((visibility("default")))

// Hidden sizes and widths must be multiples of this: the widest vector.
PYVOCSEP_EXPORT int64_t pyvocsep_gru_multiple() { return 16; }

// gates: W_ih x + b_ih of every step on entry, the activated r, z, n on return. recurrent: W_hn h + b_hn.
// weight: W_hh (3 * hidden, hidden), bias: b_hh (3 * hidden), out: the states. All states start at zero.
PYVOCSEP_EXPORT void pyvocsep_gru_forward(const pyvocsep_gru_shape* shape, const float* weight, const float* bias,
                                          float* gates, float* recurrent, float* out) {
  const std::vector<float> packed = pyvocsep::pack_forward(shape->hidden, weight);
  const std::vector<float> zeros(static_cast<std::size_t>(shape->hidden), 0.0f);
  pyvocsep::kernels().gru_forward(*shape, packed.data(), bias, zeros.data(), gates, recurrent, out);
}

// grad: the gradient of out. gates and recurrent, as the forward pass left them, become the gradients of
// W_ih x + b_ih and of W_hn h + b_hn; those of W_hr h + b_hr and W_hz h + b_hz are the gates' own.
PYVOCSEP_EXPORT void pyvocsep_gru_backward(const pyvocsep_gru_shape* shape, const float* weight, const float* grad,
                                           const float* out, float* gates, float* recurrent) {
  const std::vector<float> packed = pyvocsep::pack_backward(shape->hidden, weight);
  const std::vector<float> zeros(static_cast<std::size_t>(shape->hidden), 0.0f);
  std::vector<float> carry(static_cast<std::size_t>(shape->threads * pyvocsep::kernels().rows * shape->hidden));
  pyvocsep::kernels().gru_backward(*shape, packed.data(), zeros.data(), grad, out, gates, recurrent, carry.data());
}

// Rows of `width` floats. inverse: one float per row, 1 / rms.
PYVOCSEP_EXPORT void pyvocsep_norm_forward(int64_t rows, int64_t width, const float* x, const float* weight, float* y,
                                           float* inverse) {
  pyvocsep::kernels().norm_forward(rows, static_cast<int>(width), x, weight, y, inverse);
}

// grad_weight (width) is added to.
PYVOCSEP_EXPORT void pyvocsep_norm_backward(int64_t rows, int64_t width, const float* x, const float* weight,
                                            const float* inverse, const float* grad, float* grad_x,
                                            float* grad_weight) {
  pyvocsep::kernels().norm_backward(rows, static_cast<int>(width), x, weight, inverse, grad, grad_x, grad_weight);
}

// totals (batch * 5): for each example the sums over frames and the first `counted` columns of (the energy of the error
// minus that of the vocals), the vocals' energy, the mixture's energy, the wrong loudness and the mixture's loudness.
// The slopes are those of the first and the fourth sum over each mask value, zero where a column does not count.
PYVOCSEP_EXPORT void pyvocsep_separation_loss(const pyvocsep_loss_shape* shape, const int64_t* counted,
                                              const float* masks, const float* vocals, const float* accompaniment,
                                              double* totals, float* error_slope, float* wrong_slope) {
  pyvocsep::chosen().loss(*shape, counted, masks, vocals, accompaniment, totals, error_slope, wrong_slope);
}
