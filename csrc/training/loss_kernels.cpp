// The training objective and its slope, one pass over the spectra. Compiled once per instruction set.
//
// pyvocsep/training/loss.py states the formulas; PyTorch would walk through memory some forty times for them.
#include "kernels/math.h"
#include "kernels/simd.h"
#include "training/kernels.h"

namespace pyvocsep::PYVOCSEP_ISA {
namespace {

constexpr float kFlattened = 1e-6f;  // keeps the slope of a mask's power finite at zero

struct Sums {
  Vec error{}, voice{}, mixture{}, wrong{}, loudness{};
};

struct Energies {
  Vec mixture, voice, backing;
};

// |V + A|^2, |V|^2 and |A|^2 of kLanes complex numbers each.
Energies energies(const float* vocals, const float* accompaniment) {
  const Vec v0 = load(vocals), v1 = load(vocals + kLanes);
  const Vec a0 = load(accompaniment), a1 = load(accompaniment + kLanes);
  const Vec vr = even_lanes(v0, v1), vi = odd_lanes(v0, v1), ar = even_lanes(a0, a1), ai = odd_lanes(a0, a1);
  const Vec xr = vr + ar, xi = vi + ai;
  return {xr * xr + xi * xi, vr * vr + vi * vi, ar * ar + ai * ai};
}

Vec sign(Vec x) {
  const Vec zero{}, one = splat(1.0f);
  return (x > zero ? one : zero) - (x < zero ? one : zero);
}

// kLanes bins: adds to the sums, and stores the slopes of the error and of the wrong loudness over the mask.
void step(float exponent, const float* masks, const float* vocals, const float* accompaniment, Sums& sums,
          float* error_slope, float* wrong_slope) {
  const Vec one = splat(1.0f), flattened = splat(kFlattened);
  const Energies energy = energies(vocals, accompaniment);
  const Vec m = load(masks), rest = one - m;

  const Vec overlap = energy.mixture + energy.voice - energy.backing;
  sums.error += m * (m * energy.mixture - overlap);
  sums.voice += energy.voice;
  sums.mixture += energy.mixture;
  store(error_slope, splat(2.0f) * m * energy.mixture - overlap);

  const float half = exponent / 2;
  const Vec loudness = pow(energy.mixture, half);
  const Vec m_square = m * m + flattened, rest_square = rest * rest + flattened;
  const Vec m_power = pow(m_square, half), rest_power = pow(rest_square, half);
  const Vec voice_error = m_power * loudness - pow(energy.voice, half);
  const Vec backing_error = rest_power * loudness - pow(energy.backing, half);
  sums.wrong += voice_error * sign(voice_error) + backing_error * sign(backing_error);
  sums.loudness += loudness;
  // d(m^2 + c)^(e/2) / dm = e m (m^2 + c)^(e/2) / (m^2 + c), and minus that for 1 - m.
  const Vec rising = sign(voice_error) * m * m_power / m_square;
  const Vec falling = sign(backing_error) * rest * rest_power / rest_square;
  store(wrong_slope, splat(exponent) * loudness * (rising - falling));
}

void copy(const float* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i];
}

void loss_of_example(const pyvocsep_loss_shape& shape, int64_t counted, const float* masks, const float* vocals,
                     const float* accompaniment, double* totals, float* error_slope, float* wrong_slope) {
  for (int i = 0; i < 5; ++i) totals[i] = 0;
  for (int64_t frame = 0; frame < shape.frames; ++frame) {
    Sums sums;  // of one frame: short enough for float32
    int64_t i = 0;
    for (; i + kLanes <= counted; i += kLanes)
      step(shape.exponent, masks + i, vocals + 2 * i, accompaniment + 2 * i, sums, error_slope + i, wrong_slope + i);
    if (const int64_t tail = counted - i; tail > 0) {  // zeros add nothing to any sum
      float m[kLanes] = {}, v[2 * kLanes] = {}, a[2 * kLanes] = {}, e[kLanes], w[kLanes];
      copy(masks + i, tail, m);
      copy(vocals + 2 * i, 2 * tail, v);
      copy(accompaniment + 2 * i, 2 * tail, a);
      step(shape.exponent, m, v, a, sums, e, w);
      copy(e, tail, error_slope + i);
      copy(w, tail, wrong_slope + i);
      i = counted;
    }
    for (; i < shape.width; ++i) error_slope[i] = wrong_slope[i] = 0.0f;
    const Vec parts[5] = {sums.error, sums.voice, sums.mixture, sums.wrong, sums.loudness};
    for (int k = 0; k < 5; ++k) totals[k] += static_cast<double>(sum(parts[k]));
    masks += shape.width, error_slope += shape.width, wrong_slope += shape.width;
    vocals += 2 * shape.width, accompaniment += 2 * shape.width;
  }
}

void loss(const pyvocsep_loss_shape& shape, const int64_t* counted, const float* masks, const float* vocals,
          const float* accompaniment, double* totals, float* error_slope, float* wrong_slope) {
  const int64_t size = shape.frames * shape.width;
#pragma omp parallel for num_threads(static_cast<int>(shape.threads)) schedule(static)
  for (int64_t b = 0; b < shape.batch; ++b)
    loss_of_example(shape, counted[b], masks + b * size, vocals + 2 * b * size, accompaniment + 2 * b * size,
                    totals + 5 * b, error_slope + b * size, wrong_slope + b * size);
}

}  // namespace

extern const LossKernel kLoss;
const LossKernel kLoss = loss;

}  // namespace pyvocsep::PYVOCSEP_ISA
