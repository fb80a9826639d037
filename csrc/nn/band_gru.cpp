#include "nn/band_gru.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/profile.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

namespace {

constexpr int kManyFrames = 4;  // frames from which on a step along the bands fills the registers

int bins_of(const ModelFile& file) { return file.integer("n_fft", PYVOCSEP_MIN_FRAME, PYVOCSEP_MAX_FRAME) / 2 + 1; }

// The number of bands, once it is known that they cover the bins.
int count_bands(const ModelFile& file, const std::vector<int>& counts, const std::vector<int>& widths, int bins) {
  bool sound = counts.size() == widths.size();
  int64_t covered = 0;
  for (size_t i = 0; sound && i < counts.size(); ++i) {
    sound = counts[i] > 0 && widths[i] > 0;
    covered += int64_t{counts[i]} * widths[i];
    sound = sound && covered - widths[i] < bins;
  }
  if (!sound || covered < bins)
    file.fail("metadata 'band_counts' and 'band_widths' are not bands of which the last holds the last of " +
              std::to_string(bins) + " bins");
  return std::accumulate(counts.begin(), counts.end(), 0);  // no more than there are bins
}

// The encoder weight that the bands of a zone share. The features of a bin are M, S, L, R in a stereo stream and M
// alone in a mono stream.
Matrix encoder_weight(const Tensor& weight, int dim, int width, int channels) {
  if (channels == 2) {
    Matrix matrix(dim, 4 * width);
    for (int n = 0; n < dim; ++n)
      for (int k = 0; k < 4 * width; ++k) matrix.at(n, k) = weight.at(n, k);
    return matrix;
  }
  Matrix matrix(dim, width);  // M = L = R, and S = 0
  for (int n = 0; n < dim; ++n)
    for (int k = 0; k < width; ++k)
      matrix.at(n, k) = weight.at(n, 4 * k) + weight.at(n, 4 * k + 2) + weight.at(n, 4 * k + 3);
  return matrix;
}

Matrix rows_of(const Tensor& tensor, int first, int count, int columns) {
  const auto begin = tensor.values.begin() + static_cast<ptrdiff_t>(first) * columns;
  return Matrix(count, columns, {begin, begin + static_cast<ptrdiff_t>(count) * columns});
}

int read_dim(const ModelFile& file) {
  const int dim = file.shape("norm.weight", 1)[0];
  if (dim % (2 * kPanel) != 0 || dim > kChunk)
    file.fail("tensor 'norm.weight' has " + std::to_string(dim) + " values, not a multiple of 32 up to " +
              std::to_string(kChunk));
  return dim;
}

std::optional<RunningLevel> read_level(const ModelFile& file) {
  if (file.metadata().count("level_seconds") == 0) return std::nullopt;
  const double hop_seconds = static_cast<double>(file.integer("hop", 1, PYVOCSEP_MAX_FRAME)) /
                             file.integer("sample_rate", PYVOCSEP_MIN_SAMPLE_RATE, PYVOCSEP_MAX_SAMPLE_RATE);
  return RunningLevel(file.real("level_seconds", 0.1, 60.0), hop_seconds);
}

std::string block_name(int index) { return "blocks." + std::to_string(index) + "."; }

// Block 0 normalises its input; later blocks first add the residual of the previous block.
AddNorm read_time_norm(const Kernels& kernels, const ModelFile& file, int index, int dim) {
  const std::string weight = block_name(index) + "time_norm.weight";
  if (index == 0) return AddNorm(kernels, file, weight, dim);
  return AddNorm(kernels, file, block_name(index - 1) + "band_scale", weight, dim);
}

// The band GRU's norm first adds the states of the step before: the backward one, if the block looks ahead.
AddNorm read_band_norm(const Kernels& kernels, const ModelFile& file, int index, int dim) {
  const std::string name = block_name(index);
  return AddNorm(kernels, file, name + (looks_ahead(file, index) ? "ahead.scale" : "time_scale"),
                 name + "band_norm.weight", dim);
}

// One tensor is enough for a block to count: a file that lacks some is damaged, not a shallower network.
int count_blocks(const ModelFile& file) {
  int count = 1;
  while (file.has_any(block_name(count))) ++count;
  return count;
}

}  // namespace

BandGruNetwork::Block::Block(const Kernels& kernels, const ModelFile& file, int index, int dim, int bands,
                             int max_frames, const std::optional<LookAhead>& look_ahead)
    : time_norm(read_time_norm(kernels, file, index, dim)),
      band_norm(read_band_norm(kernels, file, index, dim)),
      time(kernels, file, block_name(index) + "time_gru.", "_l0", dim),
      forward(kernels, file, block_name(index) + "band_gru.", "_l0", dim),
      backward(kernels, file, block_name(index) + "band_gru.", "_l0_reverse", dim),
      states(static_cast<size_t>(max_frames + 1) * bands * dim) {
  if (time.hidden() != dim || 2 * forward.hidden() != dim || 2 * backward.hidden() != dim)
    file.fail("block " + std::to_string(index) + ": its states do not have the " + std::to_string(dim) +
              " values of the vectors that they are added to");
  if (looks_ahead(file, index)) ahead.emplace(kernels, file, index, dim, bands, look_ahead.value());
}

// The bands of `shape` use the weights of zone `index` of the file; those narrower than the zone use its first weights.
BandGruNetwork::Zone::Zone(const Kernels& kernels, const ModelFile& file, int index, int zone_width, const Shape& shape,
                           int bands, int dim, int channels)
    : Shape(shape),
      encoder(kernels,
              encoder_weight(file.tensor("encoder.weights." + std::to_string(index), {dim, 4 * zone_width}), dim, width,
                             channels),
              rows_of(file.tensor("encoder.bias", {bands, dim}), first_band, count, dim)) {
  const Tensor& weight = file.tensor("decoder.weights." + std::to_string(index), {2 * zone_width, dim});
  const Tensor& bias = file.tensor("decoder.bias", {bins_of(file), 2});
  for (int c = 0; c < channels; ++c) {  // mid, then side
    Matrix matrix(width, dim), biases(count, width);
    for (int k = 0; k < width; ++k) {
      for (int i = 0; i < dim; ++i) matrix.at(k, i) = weight.at(2 * k + c, i);
      for (int b = 0; b < count; ++b) biases.at(b, k) = bias.at(first_bin + b * width + k, c);
    }
    decoders.emplace_back(kernels, matrix, biases);
  }
}

std::vector<BandGruNetwork::Zone> BandGruNetwork::read_zones(const Kernels& kernels, const ModelFile& file, int dim,
                                                             int channels) {
  const std::vector<int> counts = file.integers("band_counts"), widths = file.integers("band_widths");
  const int bins = bins_of(file);
  const int bands = count_bands(file, counts, widths, bins);
  std::vector<Zone> zones;
  Shape next{0, 0, 0, 0};
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto add = [&](int count, int width) {
      if (count == 0) return;
      next.count = count;
      next.width = width;
      zones.emplace_back(kernels, file, static_cast<int>(i), widths[i], next, bands, dim, channels);
      next.first_band += count;
      next.first_bin += count * width;
    };
    const int whole = std::min(counts[i], (bins - next.first_bin) / widths[i]);
    add(whole, widths[i]);
    add(counts[i] - whole, bins - next.first_bin);  // the last band, if the last bin cuts it short
  }
  return zones;
}

BandGruNetwork::BandGruNetwork(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels,
                               int max_frames)
    : kernels_(kernels),
      channels_(channels),
      bins_(bins_of(file)),
      input_bins_(std::min(bins_, grid.bins())),
      dim_(read_dim(file)),
      scale_(2.0f / static_cast<float>(grid.frame)),
      exponent_(static_cast<float>(file.real("exponent", 0.05, 1.0))),
      level_(read_level(file)),
      zones_(read_zones(kernels, file, dim_, channels)),
      norm_(kernels, file, block_name(count_blocks(file) - 1) + "band_scale", "norm.weight", dim_),
      energies_(max_frames),
      scales_(max_frames),
      features_(static_cast<size_t>(max_frames) * features_stride()),
      x_(static_cast<size_t>(max_frames) * bands() * dim_),
      normed_(x_.size()),
      hidden_(x_.size()),
      gates_(3 * x_.size()),
      start_(dim_) {
  std::fill_n(scales_.data(), max_frames, scale_);
  const int count = count_blocks(file);
  const std::optional<LookAhead> ahead = read_look_ahead(file, count);
  for (int i = 0; i < count; ++i) blocks_.emplace_back(kernels, file, i, dim_, bands(), max_frames, ahead);
  for (const Block& block : blocks_) look_ahead_ += block.ahead ? block.ahead->delay() : 0;
}

void BandGruNetwork::reset() noexcept {
  if (level_) level_->reset();
  for (Block& block : blocks_) {
    block.states.clear();
    if (block.ahead) block.ahead->reset();
  }
}

int BandGruNetwork::process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept {
  if (level_) {
    team.split(frames, [&](int begin, int end) { measure(spectra, begin, end); });
    for (int t = 0; t < frames; ++t) scales_[t] = scale_ * level_->next(energies_[t]);
  }
  team.split(frames, [&](int begin, int end) { encode(spectra, begin, end); });
  for (Block& block : blocks_) {
    team.split(bands(), [&](int begin, int end) { time_stage(block, frames, begin, end); });
    const int leaving = block.ahead ? block.ahead->leaving(frames) : frames;
    team.split(leaving, [&](int begin, int end) { band_stage(block, begin, end); });
    // Move the last state of this call to the front, where the next call starts from it.
    std::copy_n(row(block.states, frames, 0), static_cast<size_t>(bands()) * dim_, row(block.states, 0, 0));
    if (block.ahead) block.ahead->advance(frames);
    frames = leaving;
    if (frames == 0) return 0;  // later blocks begin when the first frame leaves this one
  }
  team.split(frames, [&](int begin, int end) { decode(masks, begin, end); });
  return frames;
}

void BandGruNetwork::encode(const Spectra& spectra, int begin, int end) noexcept {
  features(spectra, begin, end);
  for (const Zone& zone : zones_) {
    const Timed timed(Stage::kEncoder, zone.encoder.flops((end - begin) * zone.count));
    for (int t = begin; t < end; ++t)
      zone.encoder.forward(features_.data() + t * features_stride() + zone.first_bin * columns(),
                           zone.width * columns(), zone.count, row(x_, t, zone.first_band), dim_);
  }
}

// The mean square of both channels, which mid and side share: |M|^2 + |S|^2 = (|L|^2 + |R|^2) / 2.
void BandGruNetwork::measure(const Spectra& spectra, int begin, int end) noexcept {
  const Timed timed(Stage::kFeatures);
  for (int t = begin; t < end; ++t) {
    const float* re = spectra.re + t * spectra.frame_stride;
    const float* im = spectra.im + t * spectra.frame_stride;
    energies_[t] = kernels_.energy(re, im, input_bins_, scale_);
    if (channels_ == 2)
      energies_[t] = 0.5f * (energies_[t] + kernels_.energy(re + spectra.channel_stride, im + spectra.channel_stride,
                                                            input_bins_, scale_));
  }
}

void BandGruNetwork::features(const Spectra& spectra, int begin, int end) noexcept {
  const Timed timed(Stage::kFeatures);
  for (int t = begin; t < end; ++t) {
    float* f = features_.data() + t * features_stride();
    const float* re = spectra.re + t * spectra.frame_stride;
    const float* im = spectra.im + t * spectra.frame_stride;
    if (channels_ == 2)
      kernels_.magnitudes_stereo(re, im, re + spectra.channel_stride, im + spectra.channel_stride, input_bins_,
                                 scales_[t], exponent_, f);
    else
      kernels_.magnitudes_mono(re, im, input_bins_, scales_[t], exponent_, f);
    std::fill(f + input_bins_ * columns(), f + features_stride(), 0.0f);  // bins above half the sample rate
  }
}

// Runs the time GRU of bands begin..end over all frames, and the backward one, if there is one.
void BandGruNetwork::time_stage(Block& block, int frames, int begin, int end) noexcept {
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
  if (block.ahead) block.ahead->process(row(x_, 0, 0), row(block.states, 1, 0), row(hidden_, 0, 0), frames, begin, end);
}

// Runs the band GRU of frames begin..end over all bands.
void BandGruNetwork::band_stage(Block& block, int begin, int end) noexcept {
  const int rows = (end - begin) * bands();
  {
    const Timed timed(Stage::kNorm);
    const float* states = block.ahead ? row(hidden_, begin, 0) : row(block.states, begin + 1, 0);
    block.band_norm.forward(row(x_, begin, 0), states, rows, row(normed_, begin, 0));
  }
  const Timed timed(Stage::kBandGru, block.forward.flops(rows) + block.backward.flops(rows));
  if (end - begin < kManyFrames)
    run_along_bands_of_few(block, begin, end);
  else
    run_along_bands(block, begin, end);
}

// Both directions at once; a step computes one band of all frames.
void BandGruNetwork::run_along_bands(const Block& block, int begin, int end) noexcept {
  const int frames = end - begin, half = dim_ / 2;
  const float* normed = row(normed_, begin, 0);
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

// The same bits, faster for few frames, where each step waits for the one before: the inputs' part of the gates is
// computed for all bands first.
void BandGruNetwork::run_along_bands_of_few(const Block& block, int begin, int end) noexcept {
  const int frames = end - begin, half = dim_ / 2, width = 3 * dim_;
  const float* normed = row(normed_, begin, 0);
  float* gates = gates_.data() + static_cast<ptrdiff_t>(begin) * bands() * width;
  block.forward.gates(normed, dim_, frames * bands(), gates, width);
  block.backward.gates(normed, dim_, frames * bands(), gates + 3 * half, width);
  float* h = row(hidden_, begin, 0);
  const ptrdiff_t stride = static_cast<ptrdiff_t>(bands()) * dim_, gates_stride = 3 * stride;
  for (int up = 0; up < bands(); ++up) {
    const int down = bands() - 1 - up;
    const bool first = up == 0;
    block.forward.step_from_gates(gates + up * width, gates_stride, first ? start_.data() : h + (up - 1) * dim_,
                                  first ? 0 : stride, frames, h + up * dim_, stride);
    block.backward.step_from_gates(gates + down * width + 3 * half, gates_stride,
                                   first ? start_.data() : h + (down + 1) * dim_ + half, first ? 0 : stride, frames,
                                   h + down * dim_ + half, stride);
  }
}

void BandGruNetwork::decode(const Masks& masks, int begin, int end) noexcept {
  const int frames = end - begin;
  {
    const Timed timed(Stage::kNorm);
    norm_.forward(row(x_, begin, 0), row(hidden_, begin, 0), frames * bands(), row(normed_, begin, 0));
  }
  for (const Zone& zone : zones_) {
    const Timed timed(Stage::kDecoder, channels_ * zone.decoders[0].flops(frames * zone.count));
    for (int t = begin; t < end; ++t)
      for (int c = 0; c < channels_; ++c)
        zone.decoders[c].forward(row(normed_, t, zone.first_band), dim_, zone.count,
                                 masks.mask + t * masks.frame_stride + c * masks.channel_stride + zone.first_bin,
                                 zone.width, Epilogue::kSigmoid);
  }
}

}  // namespace pyvocsep
