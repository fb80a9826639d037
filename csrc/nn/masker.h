// A network on the grid of a stream: masks for every bin of the stream, also for those that the network lacks, and the
// vocals by them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "nn/model_impl.h"
#include "nn/network.h"
#include "nn/spatial_filter.h"

namespace pyvocsep {

class Masker {
 public:
  Masker(const Model::Impl& model, const Grid& grid, int channels, int max_frames);

  // Frames that must follow a frame before there are masks for it.
  int look_ahead() const { return network_->look_ahead(); }

  // A step. The caller writes the spectra of the next frames: bins of one channel of one frame.
  float* re(int frame, int channel) { return re_.data() + at(next_ + frame, channel); }
  float* im(int frame, int channel) { return im_.data() + at(next_ + frame, channel); }
  // The masks of as many frames, look_ahead() frames earlier, fewer at the beginning of a stream; returns their number.
  int estimate(int frames, ThreadTeam& team) noexcept;
  // These masks, and the spectra that they belong to.
  float* mask(int frame, int channel) { return masks_.data() + at(frame, channel); }
  float* masked_re(int frame, int channel) { return re_.data() + at(oldest_ + frame, channel); }
  float* masked_im(int frame, int channel) { return im_.data() + at(oldest_ + frame, channel); }
  // Puts the vocals in place of these spectra.
  void apply(int masked, ThreadTeam& team) noexcept;
  // Ends the step of `frames` frames, of which `masked` had masks.
  void advance(int frames, int masked) noexcept;

  void reset() noexcept;

 private:
  ptrdiff_t at(int frame, int channel) const { return (static_cast<ptrdiff_t>(frame) * channels_ + channel) * stride_; }

  const Kernels& kernels_;
  int channels_, bins_, extension_bins_, max_frames_;
  ptrdiff_t stride_;
  std::unique_ptr<Network> network_;
  int slots_;                  // frames that the spectra have room for
  int oldest_ = 0, next_ = 0;  // slots of the oldest frame without masks, and of the next one to come
  Buffer re_, im_;             // [slots][channels][stride]
  Buffer masks_;               // [max_frames][channels][stride]
  std::optional<SpatialFilter> spatial_;
  std::vector<StereoFrame> frames_;  // of a call of apply()
};

}  // namespace pyvocsep
