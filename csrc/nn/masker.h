// A network on the grid of a stream: masks for every bin of the stream, also for those that the network lacks.
#pragma once

#include <memory>

#include "base/buffer.h"
#include "nn/model_impl.h"
#include "nn/network.h"

namespace pyvocsep {

class Masker {
 public:
  Masker(const Model::Impl& model, const Grid& grid, int channels, int max_frames);

  // Bins of one channel of one frame: spectra for the caller to write and, after estimate(), masks to read.
  float* re(int frame, int channel) { return re_.data() + at(frame, channel); }
  float* im(int frame, int channel) { return im_.data() + at(frame, channel); }
  float* mask(int frame, int channel) { return masks_.data() + at(frame, channel); }

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
