// The network on a stream's own grid: spectra in, masks for every bin of the stream out.
#pragma once

#include <memory>

#include "base/buffer.h"
#include "nn/model_impl.h"
#include "nn/network.h"

namespace pyvocsep {

class Masker {
 public:
  Masker(const Model::Impl& model, const Grid& grid, int channels, int max_frames);

  // Where the caller writes the spectra of the next block and, after estimate(), finds its masks.
  float* re(int frame, int channel) { return re_.data() + at(frame, channel); }
  float* im(int frame, int channel) { return im_.data() + at(frame, channel); }
  float* mask(int frame, int channel) { return masks_.data() + at(frame, channel); }  // as Masks has them

  void estimate(int frames, ThreadTeam& team) noexcept;
  void reset() noexcept { network_->reset(); }

 private:
  ptrdiff_t at(int frame, int channel) const { return (static_cast<ptrdiff_t>(frame) * channels_ + channel) * stride_; }

  int channels_, bins_, extension_bins_;
  ptrdiff_t stride_;
  std::unique_ptr<Network> network_;
  Buffer re_, im_, masks_;  // [max_frames][channels][stride]
};

}  // namespace pyvocsep
