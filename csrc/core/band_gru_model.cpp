#include "core/band_gru_model.h"

#include <algorithm>
#include <string>

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

// dim outputs from `parts` states of `hidden` values, each padded to whole panels in a row of x.
Linear read_projection(const Kernels& kernels, const ModelFile& file, const std::string& name, int dim, int hidden,
                       int parts) {
  const Tensor& weight = file.tensor(name + ".weight", {dim, parts * hidden});
  Matrix matrix(dim, parts * padded(hidden));
  for (int n = 0; n < dim; ++n)
    for (int part = 0; part < parts; ++part)
      for (int k = 0; k < hidden; ++k) matrix.at(n, part * padded(hidden) + k) = weight.at(n, part * hidden + k);
  return Linear(kernels, matrix, file.tensor(name + ".bias", {dim}).values);
}

std::string block_name(int index) { return "blocks." + std::to_string(index) + "."; }

}  // namespace

BandGruModel::Block::Block(const Kernels& kernels, const ModelFile& file, int index, int dim, int bands, int max_frames)
    : time_norm(kernels, file, block_name(index) + "time_norm.weight", dim),
      band_norm(kernels, file, block_name(index) + "band_norm.weight", dim),
      time(kernels, file, block_name(index) + "time_gru.", "_l0", dim),
      forward(kernels, file, block_name(index) + "band_gru.", "_l0", dim),
      backward(kernels, file, block_name(index) + "band_gru.", "_l0_reverse", dim),
      time_linear(read_projection(kernels, file, block_name(index) + "time_linear", dim, time.hidden(), 1)),
      band_linear(read_projection(kernels, file, block_name(index) + "band_linear", dim, forward.hidden(), 2)),
      states(static_cast<size_t>(max_frames + 1) * bands * time.width()) {
  if (forward.hidden() != backward.hidden())
    file.fail("block " + std::to_string(index) + ": the two directions of band_gru differ in size");
}

BandGruModel::BandGruModel(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels,
                           int max_frames)
    : kernels_(kernels),
      edges_(read_edges(file)),
      channels_(channels),
      input_bins_(std::min(edges_.back(), grid.bins())),
      dim_(file.tensor("norm.weight", {-1}).shape[0]),
      width_(padded(dim_)),
      scale_(2.0f / static_cast<float>(grid.frame)),
      exponent_(static_cast<float>(file.real("exponent", 0.05, 1.0))),
      encoders_(read_encoders(kernels, file, edges_, dim_, channels)),
      norm_(kernels, file, "norm.weight", dim_),
      decoders_(read_decoders(kernels, file, edges_, dim_, channels)) {
  int gates = 0, hidden = 0;
  for (int i = 0; i == 0 || file.has(block_name(i) + "time_norm.weight"); ++i) {
    blocks_.emplace_back(kernels, file, i, dim_, bands(), max_frames);
    gates = std::max({gates, blocks_.back().time.gates_width(), 2 * blocks_.back().forward.gates_width()});
    hidden = std::max(hidden, 2 * blocks_.back().forward.width());
  }
  const size_t rows = static_cast<size_t>(max_frames) * bands();
  features_ = Buffer(static_cast<size_t>(max_frames) * padded(edges_.back()) * (channels == 2 ? 4 : 1));
  x_ = Buffer(rows * width_);
  normed_ = Buffer(rows * width_);
  gates_ = Buffer(rows * gates);
  hidden_ = Buffer(rows * hidden);
  start_ = Buffer(hidden);
}

void BandGruModel::reset() noexcept {
  for (Block& block : blocks_) block.states.clear();
}

void BandGruModel::process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept {
  team.split(frames, [&](int begin, int end) { encode(spectra, begin, end); });
  for (Block& block : blocks_) {
    team.split(bands(), [&](int begin, int end) { time_stage(block, frames, begin, end); });
    team.split(frames, [&](int begin, int end) { band_stage(block, begin, end); });
  }
  team.split(frames, [&](int begin, int end) { decode(masks, begin, end); });
}

void BandGruModel::encode(const Spectra& spectra, int begin, int end) noexcept {
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
  for (int b = 0; b < bands(); ++b)
    encoders_[b].forward(features_.data() + begin * stride + edges_[b] * columns, stride, end - begin,
                         row(x_, begin, b, width_), bands() * width_);
}

// Bands begin..end of all frames, frame after frame.
void BandGruModel::time_stage(Block& block, int frames, int begin, int end) noexcept {
  const int rows = end - begin, state = block.time.width(), gates = block.time.gates_width();
  for (int t = 0; t < frames; ++t) {
    float* x = row(x_, t, begin, width_);
    float* normed = row(normed_, 0, begin, width_);
    float* g = row(gates_, 0, begin, gates);
    block.time_norm.forward(x, width_, rows, normed, width_);
    block.time.gates(normed, width_, rows, g, gates);
    float* h = row(block.states, t + 1, begin, state);
    block.time.step(g, gates, row(block.states, t, begin, state), state, rows, h, state);
    block.time_linear.forward(h, state, rows, x, width_, Epilogue::kAdd);
  }
  // The last state of this block is the one before the next.
  std::copy_n(row(block.states, frames, begin, state), static_cast<size_t>(rows) * state,
              row(block.states, 0, begin, state));
}

// All bands of frames begin..end, up and down the bands at once.
void BandGruModel::band_stage(const Block& block, int begin, int end) noexcept {
  const int frames = end - begin, rows = frames * bands();
  const int state = block.forward.width(), gates = block.forward.gates_width();
  float* x = row(x_, begin, 0, width_);
  float* normed = row(normed_, begin, 0, width_);
  float* g = row(gates_, begin, 0, 2 * gates);
  block.band_norm.forward(x, width_, rows, normed, width_);
  block.forward.gates(normed, width_, rows, g, 2 * gates);
  block.backward.gates(normed, width_, rows, g + gates, 2 * gates);

  float* h = row(hidden_, begin, 0, 2 * state);
  const ptrdiff_t gates_stride = static_cast<ptrdiff_t>(bands()) * 2 * gates;
  const ptrdiff_t state_stride = static_cast<ptrdiff_t>(bands()) * 2 * state;
  for (int up = 0; up < bands(); ++up) {
    const int down = bands() - 1 - up;
    const bool first = up == 0;
    block.forward.step(g + up * 2 * gates, gates_stride, first ? start_.data() : h + (up - 1) * 2 * state,
                       first ? 0 : state_stride, frames, h + up * 2 * state, state_stride);
    block.backward.step(g + down * 2 * gates + gates, gates_stride,
                        first ? start_.data() : h + (down + 1) * 2 * state + state, first ? 0 : state_stride, frames,
                        h + down * 2 * state + state, state_stride);
  }
  block.band_linear.forward(h, 2 * state, rows, x, width_, Epilogue::kAdd);
}

void BandGruModel::decode(const Masks& masks, int begin, int end) noexcept {
  const int frames = end - begin;
  norm_.forward(row(x_, begin, 0, width_), width_, frames * bands(), row(normed_, begin, 0, width_), width_);
  for (int c = 0; c < channels_; ++c)
    for (int b = 0; b < bands(); ++b)
      decoders_[c * bands() + b].forward(row(normed_, begin, b, width_), bands() * width_, frames,
                                         masks.mask + begin * masks.frame_stride + c * masks.channel_stride + edges_[b],
                                         masks.frame_stride, Epilogue::kSigmoid);
}

}  // namespace pyvocsep
