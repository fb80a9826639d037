#include "core/band_gru_model.h"

#include <algorithm>
#include <string>

#include "core/profile.h"

namespace pyvocsep {

namespace {

std::vector<int> read_edges(const ModelFile& file) {
  std::vector<int> edges = file.integers("band_edges");
  const int bins = file.integer("n_fft", 64, 16384) / 2 + 1;
  bool rising = edges.size() >= 2 && edges.front() == 0 && edges.back() == bins;
  for (size_t b = 1; b < edges.size(); ++b) rising = rising && edges[b - 1] < edges[b];
  if (!rising) file.fail("metadata 'band_edges' does not rise from 0 to " + std::to_string(bins));
  return edges;
}

std::vector<Linear> read_encoders(const Kernels& kernels, const ModelFile& file, const std::vector<int>& edges, int dim,
                                  int channels) {
  const int bands = static_cast<int>(edges.size()) - 1, features = channels == 2 ? 4 : 1;
  const Tensor& weight = file.tensor("encoder.weight", {dim, 4 * edges.back()});
  const Tensor& bias = file.tensor("encoder.bias", {bands, dim});
  std::vector<Linear> encoders;
  for (int b = 0; b < bands; ++b) {
    const int low = edges[b], size = edges[b + 1] - low;
    Matrix matrix(dim, features * size);
    for (int n = 0; n < dim; ++n)
      for (int k = 0; k < size; ++k) {
        const int column = 4 * (low + k);
        if (channels == 2)
          for (int f = 0; f < 4; ++f) matrix.at(n, 4 * k + f) = weight.at(n, column + f);
        else
          matrix.at(n, k) = weight.at(n, column) + weight.at(n, column + 2) + weight.at(n, column + 3);
      }
    const float* first = bias.values.data() + static_cast<size_t>(b) * dim;
    encoders.emplace_back(kernels, matrix, std::vector<float>(first, first + dim));
  }
  return encoders;
}

std::vector<Linear> read_decoders(const Kernels& kernels, const ModelFile& file, const std::vector<int>& edges, int dim,
                                  int channels) {
  const Tensor& weight = file.tensor("decoder.weight", {2 * edges.back(), dim});
  const Tensor& bias = file.tensor("decoder.bias", {2 * edges.back()});
  std::vector<Linear> decoders;
  for (int c = 0; c < channels; ++c)
    for (size_t b = 0; b + 1 < edges.size(); ++b) {
      const int low = edges[b], size = edges[b + 1] - low;
      Matrix matrix(size, dim);
      std::vector<float> offset(size);
      for (int k = 0; k < size; ++k) {
        const int left = 2 * (low + k), right = left + 1;
        for (int i = 0; i < dim; ++i)
          matrix.at(k, i) = channels == 2 ? weight.at(left + c, i) : 0.5f * (weight.at(left, i) + weight.at(right, i));
        offset[k] = channels == 2 ? bias.values[left + c] : 0.5f * (bias.values[left] + bias.values[right]);
      }
      decoders.emplace_back(kernels, matrix, offset);
    }
  return decoders;
}

int read_dim(const ModelFile& file) {
  const int dim = file.tensor("norm.weight", {-1}).shape[0];
  if (dim % (2 * kPanel) != 0) file.fail("vectors of " + std::to_string(dim) + " values: not a multiple of 32");
  return dim;
}

std::string block_name(int index) { return "blocks." + std::to_string(index) + "."; }

// What the first block gets, nothing has to be added to; every other adds the states of the one before it.
AddNorm read_time_norm(const Kernels& kernels, const ModelFile& file, int index, int dim) {
  const std::string weight = block_name(index) + "time_norm.weight";
  if (index == 0) return AddNorm(kernels, file, weight, dim);
  return AddNorm(kernels, file, block_name(index - 1) + "band_scale", weight, dim);
}

int count_blocks(const ModelFile& file) {
  int count = 1;
  while (file.has(block_name(count) + "time_norm.weight")) ++count;
  return count;
}

}  // namespace

BandGruModel::Block::Block(const Kernels& kernels, const ModelFile& file, int index, int dim, int bands, int max_frames)
    : time_norm(read_time_norm(kernels, file, index, dim)),
      band_norm(kernels, file, block_name(index) + "time_scale", block_name(index) + "band_norm.weight", dim),
      time(kernels, file, block_name(index) + "time_gru.", "_l0", dim),
      forward(kernels, file, block_name(index) + "band_gru.", "_l0", dim),
      backward(kernels, file, block_name(index) + "band_gru.", "_l0_reverse", dim),
      states(static_cast<size_t>(max_frames + 1) * bands * dim) {
  if (time.hidden() != dim || 2 * forward.hidden() != dim || 2 * backward.hidden() != dim)
    file.fail("block " + std::to_string(index) + ": its states do not have the " + std::to_string(dim) +
              " values of the vectors that they are added to");
}

BandGruModel::BandGruModel(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels,
                           int max_frames)
    : kernels_(kernels),
      edges_(read_edges(file)),
      channels_(channels),
      input_bins_(std::min(edges_.back(), grid.bins())),
      dim_(read_dim(file)),
      scale_(2.0f / static_cast<float>(grid.frame)),
      exponent_(static_cast<float>(file.real("exponent", 0.05, 1.0))),
      encoders_(read_encoders(kernels, file, edges_, dim_, channels)),
      norm_(kernels, file, block_name(count_blocks(file) - 1) + "band_scale", "norm.weight", dim_),
      decoders_(read_decoders(kernels, file, edges_, dim_, channels)),
      features_(static_cast<size_t>(max_frames) * padded(edges_.back()) * (channels == 2 ? 4 : 1)),
      x_(static_cast<size_t>(max_frames) * bands() * dim_),
      normed_(x_.size()),
      hidden_(x_.size()),
      start_(dim_) {
  for (int i = 0; i < count_blocks(file); ++i) blocks_.emplace_back(kernels, file, i, dim_, bands(), max_frames);
}

void BandGruModel::reset() noexcept {
  for (Block& block : blocks_) block.states.clear();
}

void BandGruModel::process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept {
  team.split(frames, [&](int begin, int end) { encode(spectra, begin, end); });
  for (Block& block : blocks_) {
    team.split(bands(), [&](int begin, int end) { time_stage(block, frames, begin, end); });
    team.split(frames, [&](int begin, int end) { band_stage(block, begin, end); });
    // The last state of this call is the one before the next.
    std::copy_n(row(block.states, frames, 0), static_cast<size_t>(bands()) * dim_, row(block.states, 0, 0));
  }
  team.split(frames, [&](int begin, int end) { decode(masks, begin, end); });
}

void BandGruModel::encode(const Spectra& spectra, int begin, int end) noexcept {
  const int columns = channels_ == 2 ? 4 : 1;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(padded(edges_.back())) * columns;
  features(spectra, begin, end);
  for (int b = 0; b < bands(); ++b) {
    const Timed timed(Stage::kEncoder, encoders_[b].flops(end - begin));
    encoders_[b].forward(features_.data() + begin * stride + edges_[b] * columns, stride, end - begin,
                         row(x_, begin, b), bands() * dim_);
  }
}

void BandGruModel::features(const Spectra& spectra, int begin, int end) noexcept {
  const Timed timed(Stage::kFeatures);
  const int columns = channels_ == 2 ? 4 : 1;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(padded(edges_.back())) * columns;
  for (int t = begin; t < end; ++t) {
    float* f = features_.data() + t * stride;
    const float* re = spectra.re + t * spectra.frame_stride;
    const float* im = spectra.im + t * spectra.frame_stride;
    if (channels_ == 2)
      kernels_.magnitudes_stereo(re, im, re + spectra.channel_stride, im + spectra.channel_stride, input_bins_, scale_,
                                 exponent_, f);
    else
      kernels_.magnitudes_mono(re, im, input_bins_, scale_, exponent_, f);
    std::fill(f + input_bins_ * columns, f + stride, 0.0f);  // bins that this sample rate lacks
  }
}

// Bands begin..end of all frames, frame after frame.
void BandGruModel::time_stage(Block& block, int frames, int begin, int end) noexcept {
  const int rows = end - begin;
  for (int t = 0; t < frames; ++t) {
    float* normed = row(normed_, 0, begin);
    {
      const Timed timed(Stage::kNorm);
      block.time_norm.forward(row(x_, t, begin), row(hidden_, t, begin), rows, normed);
    }
    const Timed timed(Stage::kTimeGru, block.time.flops(rows));
    block.time.step(normed, dim_, row(block.states, t, begin), dim_, rows, row(block.states, t + 1, begin), dim_);
  }
}

// All bands of frames begin..end, up and down the bands at once.
void BandGruModel::band_stage(Block& block, int begin, int end) noexcept {
  const int frames = end - begin, rows = frames * bands(), half = dim_ / 2;
  float* normed = row(normed_, begin, 0);
  {
    const Timed timed(Stage::kNorm);
    block.band_norm.forward(row(x_, begin, 0), row(block.states, begin + 1, 0), rows, normed);
  }
  const Timed timed(Stage::kBandGru, block.forward.flops(rows) + block.backward.flops(rows));
  float* h = row(hidden_, begin, 0);
  const ptrdiff_t stride = static_cast<ptrdiff_t>(bands()) * dim_;  // from a frame to the next
  for (int up = 0; up < bands(); ++up) {
    const int down = bands() - 1 - up;
    const bool first = up == 0;
    block.forward.step(normed + up * dim_, stride, first ? start_.data() : h + (up - 1) * dim_, first ? 0 : stride,
                       frames, h + up * dim_, stride);
    block.backward.step(normed + down * dim_, stride, first ? start_.data() : h + (down + 1) * dim_ + half,
                        first ? 0 : stride, frames, h + down * dim_ + half, stride);
  }
}

void BandGruModel::decode(const Masks& masks, int begin, int end) noexcept {
  const int frames = end - begin;
  {
    const Timed timed(Stage::kNorm);
    norm_.forward(row(x_, begin, 0), row(hidden_, begin, 0), frames * bands(), row(normed_, begin, 0));
  }
  for (int c = 0; c < channels_; ++c)
    for (int b = 0; b < bands(); ++b) {
      const Timed timed(Stage::kDecoder, decoders_[c * bands() + b].flops(frames));
      decoders_[c * bands() + b].forward(row(normed_, begin, b), bands() * dim_, frames,
                                         masks.mask + begin * masks.frame_stride + c * masks.channel_stride + edges_[b],
                                         masks.frame_stride, Epilogue::kSigmoid);
    }
}

}  // namespace pyvocsep
