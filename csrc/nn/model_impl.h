// What a Model holds, and how it becomes a network.
#pragma once

#include <memory>
#include <optional>

#include "dsp/grid.h"
#include "kernels/kernels.h"
#include "model/model_file.h"
#include "nn/network.h"
#include "pyvocsep/model.h"

namespace pyvocsep {

class Model::Impl {
 public:
  // Throws what kernels(precision) throws, and std::invalid_argument for what is wrong in the file.
  Impl(ModelFile file, Precision precision);

  const ModelFile& file() const { return file_; }
  const std::string& architecture() const { return file_.text("architecture"); }
  int sample_rate() const { return sample_rate_; }
  int n_fft() const { return n_fft_; }
  int hop() const { return hop_; }

  // Bins of the network. Those of a stream that lie above take the mean mask of the top `extension_bins` of these.
  int bins() const { return n_fft_ / 2 + 1; }
  int extension_bins() const { return extension_bins_; }

  // The memory of the spatial filter that stereo streams have, if any.
  std::optional<double> spatial_seconds() const { return spatial_seconds_; }
  double hop_seconds() const { return static_cast<double>(hop_) / sample_rate_; }

  Grid grid(double rate) const { return scaled_grid(n_fft_, hop_, sample_rate_, rate); }

  // A network for streams of `channels` channels on this grid that takes up to `max_frames` frames a call.
  std::unique_ptr<Network> make_network(const Grid& grid, int channels, int max_frames) const;

 private:
  ModelFile file_;
  const Kernels& kernels_;  // of the network's precision
  int sample_rate_, n_fft_, hop_, extension_bins_;
  std::optional<double> spatial_seconds_;
};

}  // namespace pyvocsep
