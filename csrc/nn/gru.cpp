#include "nn/gru.h"

#include <algorithm>
#include <string>

#include "base/profile.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

namespace {

constexpr float kOffset = 0.01f;  // e of the ratio mask

// One tensor is enough: a file that lacks some of a layer's is damaged, not a shallower network.
bool has_layer(const ModelFile& file, size_t index) {
  for (const char* name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
    if (file.has(std::string("gru.") + name + "_l" + std::to_string(index))) return true;
  return false;
}

std::vector<Gru> read_layers(const Kernels& kernels, const ModelFile& file, int bins) {
  std::vector<Gru> layers;
  for (int inputs = bins;;) {
    const std::string suffix = "_l" + std::to_string(layers.size());
    layers.emplace_back(kernels, file, "gru.", suffix, inputs);
    inputs = layers.back().hidden();
    if (!has_layer(file, layers.size())) return layers;
  }
}

Linear read_head(const Kernels& kernels, const ModelFile& file, const std::string& name, int bins, int hidden) {
  const Matrix matrix(bins, hidden, file.tensor(name + ".weight", {bins, hidden}).values);
  return Linear(kernels, matrix, file.tensor(name + ".bias", {bins}).values);
}

}  // namespace

GruNetwork::GruNetwork(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels, int max_frames)
    : kernels_(kernels),
      bins_(file.integer("n_fft", PYVOCSEP_MIN_FRAME, PYVOCSEP_MAX_FRAME) / 2 + 1),
      input_bins_(std::min(bins_, grid.bins())),
      channels_(channels),
      scale_(2.0f / static_cast<float>(grid.frame)),
      exponent_(static_cast<float>(file.real("exponent", 0.05, 1.0))),
      layers_(read_layers(kernels, file, bins_)),
      vocals_(read_head(kernels, file, "vocals", bins_, layers_.back().hidden())),
      accompaniment_(read_head(kernels, file, "accompaniment", bins_, layers_.back().hidden())),
      features_(static_cast<size_t>(max_frames) * padded(bins_)),
      estimates_(static_cast<size_t>(max_frames) * 2 * padded(bins_)) {
  int widest = 0;
  for (const Gru& layer : layers_) {
    widest = std::max(widest, layer.gates_width());
    states_.emplace_back(static_cast<size_t>(max_frames + 1) * layer.width());
  }
  gates_ = Buffer(static_cast<size_t>(max_frames) * widest);
}

void GruNetwork::reset() noexcept {
  for (Buffer& state : states_) state.clear();
}

int GruNetwork::process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam&) noexcept {
  features(spectra, frames);
  const int width = padded(bins_);
  const float* x = features_.data();
  ptrdiff_t stride = width;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Gru& layer = layers_[i];
    float* h = states_[i].data();
    const Timed timed(Stage::kTimeGru, layer.flops(frames));
    layer.gates(x, stride, frames, gates_.data(), layer.gates_width());
    for (int t = 0; t < frames; ++t)
      layer.step_from_gates(gates_.data() + t * layer.gates_width(), 0, h + t * layer.width(), 0, 1,
                            h + (t + 1) * layer.width(), 0);
    x = h + layer.width();
    stride = layer.width();
  }
  decode(x, stride, frames, masks);

  // Move the last state of this block to the front, where the next block starts from it.
  for (size_t i = 0; i < layers_.size(); ++i) {
    const int w = layers_[i].width();
    float* h = states_[i].data();
    std::copy(h + frames * w, h + (frames + 1) * w, h);
  }
  return frames;
}

void GruNetwork::features(const Spectra& spectra, int frames) noexcept {
  const Timed timed(Stage::kFeatures);
  const int width = padded(bins_);
  for (int t = 0; t < frames; ++t) {
    float* f = features_.data() + t * width;
    const float* re = spectra.re + t * spectra.frame_stride;
    const float* im = spectra.im + t * spectra.frame_stride;
    if (channels_ == 1)
      kernels_.magnitudes_mono(re, im, input_bins_, scale_, exponent_, f);
    else
      kernels_.magnitudes_mean(re, im, re + spectra.channel_stride, im + spectra.channel_stride, input_bins_, scale_,
                               exponent_, f);
    std::fill(f + input_bins_, f + width, 0.0f);
  }
}

void GruNetwork::decode(const float* x, ptrdiff_t stride, int frames, const Masks& masks) noexcept {
  const Timed timed(Stage::kDecoder, vocals_.flops(frames) + accompaniment_.flops(frames));
  const int width = padded(bins_);
  float* v = estimates_.data();
  float* a = v + width;
  vocals_.forward(x, stride, frames, v, 2 * width, Epilogue::kRelu);
  accompaniment_.forward(x, stride, frames, a, 2 * width, Epilogue::kRelu);
  for (int t = 0; t < frames; ++t) {
    float* mask = masks.mask + t * masks.frame_stride;
    kernels_.ratio_mask(v + 2 * t * width, a + 2 * t * width, bins_, kOffset, mask);
    if (channels_ == 2) std::copy(mask, mask + bins_, mask + masks.channel_stride);
  }
}

}  // namespace pyvocsep
