#include "nn/masker.h"

#include <algorithm>

namespace pyvocsep {

Masker::Masker(const Model::Impl& model, const Grid& grid, int channels, int max_frames)
    : channels_(channels),
      bins_(grid.bins()),
      extension_bins_(model.extension_bins()),
      stride_(padded(std::max(bins_, model.bins())) + kPad),  // transforms write past the last bin
      network_(model.make_network(grid, channels, max_frames)),
      re_(max_frames * channels * stride_),
      im_(max_frames * channels * stride_),
      masks_(max_frames * channels * stride_) {}

void Masker::estimate(int frames, ThreadTeam& team) noexcept {
  const ptrdiff_t frame_stride = channels_ * stride_;
  network_->process({re_.data(), im_.data(), frame_stride, stride_}, frames, {masks_.data(), frame_stride, stride_},
                    team);
  const int known = network_->bins();
  if (bins_ <= known) return;
  // Bins above the network's range take the mean mask of its top `extension_bins`.
  for (int t = 0; t < frames; ++t)
    for (int c = 0; c < channels_; ++c) {
      float* m = mask(t, c);
      float sum = 0.0f;
      for (int k = known - extension_bins_; k < known; ++k) sum += m[k];
      std::fill(m + known, m + bins_, sum / static_cast<float>(extension_bins_));
    }
}

}  // namespace pyvocsep
