// A profile of the stages: with PYVOCSEP_PROFILE=1 in the environment, every stage of every stream is timed, and a
// table is written to the standard error when the process ends. Without it, a stage costs one test of a flag.
#pragma once

#include <chrono>
#include <cstdint>

namespace pyvocsep {

enum class Stage {
  kAnalysis,   // window and forward transform
  kFeatures,   // magnitudes to a power
  kEncoder,    // features to vectors
  kNorm,       // residual sums and normalisation
  kTimeGru,    // along time; all GRUs of `gru`
  kAheadGru,   // backwards along time
  kBandGru,    // along the bands
  kDecoder,    // vectors to masks
  kMasking,    // masks and spatial filter, on spectra
  kSynthesis,  // inverse transform and overlap-add
  kCount,
};

bool profiling() noexcept;  // true if PYVOCSEP_PROFILE is set to anything but 0
void record(Stage stage, double flops, std::chrono::nanoseconds time) noexcept;

// Adds the time from its construction to its destruction to `stage`, and `flops` floating-point operations of products.
// With several threads, the table shows the sum over threads.
class Timed {
 public:
  explicit Timed(Stage stage, double flops = 0.0) noexcept : stage_(stage), flops_(flops), on_(profiling()) {
    if (on_) start_ = Clock::now();
  }
  ~Timed() {
    if (on_) record(stage_, flops_, Clock::now() - start_);
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  Stage stage_;
  double flops_;
  bool on_;
  Clock::time_point start_;
};

}  // namespace pyvocsep
