// The interface of a network: spectra in, masks out, with a state that it carries from call to call.
#pragma once

#include <cstddef>

#include "base/thread_team.h"

namespace pyvocsep {

// Spectra of a block of frames: bin k of channel c of frame f is at [f * frame_stride + c * channel_stride + k].
struct Spectra {
  const float* re;
  const float* im;
  ptrdiff_t frame_stride, channel_stride;
};
// Masks of a block of frames, laid out as Spectra; a network may write up to kPad floats past a channel's last bin. In
// a stereo stream channel 0 masks the mid (L + R) / 2 and channel 1 the side (L - R) / 2.
struct Masks {
  float* mask;
  ptrdiff_t frame_stride, channel_stride;
};

class Network {
 public:
  virtual ~Network() = default;

  // Number of bins that the network has masks for, from bin 0 up.
  virtual int bins() const = 0;

  // Frames that must follow a frame before there are masks for it.
  virtual int look_ahead() const { return 0; }

  // Clears the state: the next frame is the first of a stream.
  virtual void reset() noexcept = 0;

  // Takes the next `frames` frames. Computes masks in [0, 1] of as many, look_ahead() frames earlier, fewer at the
  // beginning of a stream; returns their number. The bits of a frame's masks depend neither on how the stream is cut
  // into calls nor on the number of threads.
  virtual int process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept = 0;
};

}  // namespace pyvocsep
