#include "nn/spatial_filter.h"

#include <algorithm>
#include <cmath>

#include "base/profile.h"

namespace pyvocsep {

SpatialFilter::SpatialFilter(const Kernels& kernels, const Grid& grid, double memory_seconds, double hop_seconds,
                             int max_frames)
    : kernels_(kernels),
      bins_(grid.bins()),
      scale_(2.0f / static_cast<float>(grid.frame)),
      decay_(static_cast<float>(std::exp(-hop_seconds / memory_seconds))),
      stride_(padded(bins_) + kPanel),  // at least a panel of zeros between rows
      moments_((1 + max_frames) * kRows * stride_) {}

void SpatialFilter::process(const StereoFrame* frames, int count, ThreadTeam& team) noexcept {
  team.split(padded(bins_) / kPanel, [&](int begin, int end) {
    const Timed timed(Stage::kMasking);
    for (int t = 0; t < count; ++t) {
      kernels_.spatial_moments(frames[t], {moments(t), moments(t + 1), stride_, scale_, decay_}, begin * kPanel,
                               end * kPanel);
      // Spectra are undefined past their last bin, whose neighbour must be zero.
      if (end * kPanel > bins_)
        for (int row = 0; row < kRows; ++row)
          std::fill(moments(t + 1) + row * stride_ + bins_, moments(t + 1) + row * stride_ + padded(bins_), 0.0f);
    }
  });
  team.split(count, [&](int begin, int end) {
    const Timed timed(Stage::kMasking);
    for (int t = begin; t < end; ++t) kernels_.spatial_filter(frames[t], moments(t + 1), stride_, scale_, bins_);
  });
  std::copy_n(moments(count), kRows * stride_, moments(0));
}

}  // namespace pyvocsep
