// The running level that magnitudes are divided by, so that a network does not hear the gain of its input:
//
//   w_t = E_t / (E_t + floor)       a frame of digital silence counts nothing, and makes nothing be forgotten
//   A_t = d A_(t-1) + w_t E_t,  W_t = d W_(t-1) + w_t,  d = exp(-hop / memory)
//   level_t = A_t / W_t
//
// with E_t the mean square of both channels in frame t, relative to full scale.
#pragma once

#include <cmath>

namespace pyvocsep {

class RunningLevel {
 public:
  RunningLevel(double memory_seconds, double hop_seconds) : decay_(std::exp(-hop_seconds / memory_seconds)) {}

  void reset() noexcept { energy_ = weight_ = 0.0; }

  // Takes the energy of the next frame; returns the factor that brings its magnitudes to a level of one.
  float next(double energy) noexcept {
    const double weight = energy / (energy + kFloor);
    energy_ = decay_ * energy_ + weight * energy;
    weight_ = decay_ * weight_ + weight;
    return static_cast<float>(1.0 / std::sqrt(energy_ / (weight_ + kTiny) + kFloor));
  }

 private:
  static constexpr double kFloor = 1e-11;  // what is taken for silence: -110 dBFS
  static constexpr double kTiny = 1e-30;   // keeps the level defined before anything was heard

  double decay_;
  double energy_ = 0.0, weight_ = 0.0;
};

}  // namespace pyvocsep
