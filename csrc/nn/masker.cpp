#include "nn/masker.h"

#include <algorithm>

#include "base/profile.h"

namespace pyvocsep {

Masker::Masker(const Model::Impl& model, const Grid& grid, int channels, int max_frames)
    : kernels_(kernels()),
      channels_(channels),
      bins_(grid.bins()),
      extension_bins_(model.extension_bins()),
      max_frames_(max_frames),
      stride_(padded(std::max(bins_, model.bins())) + kPad),  // transforms write past the last bin
      network_(model.make_network(grid, channels, max_frames)),
      // Waiting frames move to the front when the end is reached: once for as many frames as wait.
      slots_(2 * network_->look_ahead() + max_frames),
      re_(slots_ * channels * stride_),
      im_(slots_ * channels * stride_),
      masks_(max_frames * channels * stride_),
      frames_(max_frames) {
  if (channels == 2 && model.spatial_seconds())
    spatial_.emplace(kernels_, grid, *model.spatial_seconds(), model.hop_seconds(), max_frames);
}

void Masker::reset() noexcept {
  network_->reset();
  if (spatial_) spatial_->reset();
  oldest_ = next_ = 0;
}

void Masker::advance(int frames, int masked) noexcept {
  oldest_ += masked;
  next_ += frames;
  if (oldest_ < next_ && next_ + max_frames_ <= slots_) return;
  const ptrdiff_t begin = at(oldest_, 0), end = at(next_, 0);
  if (begin > 0)
    for (Buffer* spectra : {&re_, &im_}) std::copy(spectra->data() + begin, spectra->data() + end, spectra->data());
  next_ -= oldest_;
  oldest_ = 0;
}

int Masker::estimate(int frames, ThreadTeam& team) noexcept {
  const ptrdiff_t frame_stride = channels_ * stride_;
  const int masked = network_->process({re(0, 0), im(0, 0), frame_stride, stride_}, frames,
                                       {masks_.data(), frame_stride, stride_}, team);
  const int known = network_->bins();
  if (bins_ <= known) return masked;
  // Bins above the network's range take the mean mask of its top `extension_bins`.
  for (int t = 0; t < masked; ++t)
    for (int c = 0; c < channels_; ++c) {
      float* m = mask(t, c);
      float sum = 0.0f;
      for (int k = known - extension_bins_; k < known; ++k) sum += m[k];
      std::fill(m + known, m + bins_, sum / static_cast<float>(extension_bins_));
    }
  return masked;
}

void Masker::apply(int masked, ThreadTeam& team) noexcept {
  if (channels_ == 1) {
    team.split(masked, [&](int begin, int end) {
      const Timed timed(Stage::kMasking);
      for (int t = begin; t < end; ++t) kernels_.apply_mask(mask(t, 0), bins_, masked_re(t, 0), masked_im(t, 0));
    });
    return;
  }
  for (int t = 0; t < masked; ++t)
    frames_[t] = {mask(t, 0), mask(t, 1), masked_re(t, 0), masked_im(t, 0), masked_re(t, 1), masked_im(t, 1)};
  if (spatial_)
    spatial_->process(frames_.data(), masked, team);
  else
    team.split(masked, [&](int begin, int end) {
      const Timed timed(Stage::kMasking);
      for (int t = begin; t < end; ++t) kernels_.apply_masks(frames_[t], bins_);
    });
}

}  // namespace pyvocsep
