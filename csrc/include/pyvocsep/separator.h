// Separation of a stream into vocals and accompaniment, block by block.
#pragma once

#include <memory>

#include "pyvocsep/model.h"

namespace pyvocsep {

// Block sizes and the number of threads do not change a bit of the output, and vocals + accompaniment is the delayed
// input to the last float32 rounding.
//
// process() and reset() are real-time safe: they allocate nothing, lock nothing and throw nothing. (With more than one
// thread, process() waits for its threads.) One separator serves one stream, from one thread at a time; separators
// share only the model. After fork, the child process goes on with a copy of the stream, on the calling thread alone.
class Separator {
 public:
  // A stream of `channels` channels at `sample_rate` Hz, computed by `threads` threads, but by no more than this
  // process may use processors. The model is not needed any more afterwards. Throws std::invalid_argument for values
  // outside those of limits.h, and std::runtime_error if a thread cannot start or if the environment variable
  // PYVOCSEP_ISA names an instruction set that this machine lacks.
  Separator(const Model& model, double sample_rate, int channels, int threads = 1);
  ~Separator();
  Separator(Separator&&) noexcept;
  Separator& operator=(Separator&&) noexcept;

  int channels() const noexcept;

  // Samples by which the output is later than the input: one frame at the stream's sample rate, and a hop more for each
  // frame that the model looks ahead.
  int latency() const noexcept;

  // Forgets the stream: the next sample is the first of a new one.
  void reset() noexcept;

  // Takes n samples of each channel and gives n samples of each stem: in[c], vocals[c] and accompaniment[c] point to n
  // floats, full scale +-1, c < channels(). The first latency() samples of a stream are zero. An output may be the
  // memory of the input channel of the same number; otherwise no two may overlap.
  void process(const float* const* in, float* const* vocals, float* const* accompaniment, int n) noexcept;

  // Ends the stream: gives the last latency() samples of each stem, then resets.
  void flush(float* const* vocals, float* const* accompaniment) noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pyvocsep
