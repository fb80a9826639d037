// What a network is to the rest of the core: spectra in, masks out, a state in between.
#pragma once

#include <cstddef>

#include "base/thread_team.h"

namespace pyvocsep {

// A block of frames: frame f, channel c, bin k is at [f * frame_stride + c * channel_stride + k]. Channels may be
// written up to kPad floats past their last bin.
struct Spectra {
  const float* re;
  const float* im;
  ptrdiff_t frame_stride, channel_stride;
};
// Of a stereo stream, channel 0 masks the mid (L + R) / 2 and channel 1 the side (L - R) / 2.
struct Masks {
  float* mask;
  ptrdiff_t frame_stride, channel_stride;
};

class Network {
 public:
  virtual ~Network() = default;

  // Bins that the network knows, from 0 up; it writes masks for these and no others.
  virtual int bins() const = 0;

  // Forgets the past.
  virtual void reset() noexcept = 0;

  // Masks in [0, 1] of the next `frames` frames. However a signal is cut into calls, and whatever the number of
  // threads, its masks have the same bits.
  virtual void process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept = 0;
};

}  // namespace pyvocsep
