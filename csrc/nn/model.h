// A model file read, checked and ready to make networks.
#pragma once

#include <memory>
#include <string>

#include "dsp/grid.h"
#include "kernels/kernels.h"
#include "model/model_file.h"
#include "nn/network.h"

namespace pyvocsep {

class Model {
 public:
  // Throws what ModelFile and kernels(precision) throw.
  explicit Model(const std::string& path, Precision precision = Precision::kFloat32)
      : Model(ModelFile(path), precision) {}
  explicit Model(ModelFile file, Precision precision = Precision::kFloat32);

  const ModelFile& file() const { return file_; }
  const std::string& architecture() const { return file_.text("architecture"); }
  int sample_rate() const { return sample_rate_; }
  int n_fft() const { return n_fft_; }
  int hop() const { return hop_; }
  // The network's bins: those above them take the mean mask of the top `extension_bins`.
  int bins() const { return n_fft_ / 2 + 1; }
  int extension_bins() const { return extension_bins_; }

  Grid grid(double rate) const { return scaled_grid(n_fft_, hop_, sample_rate_, rate); }

  // A network for streams of `channels` channels on this grid that takes up to `max_frames` frames a call.
  std::unique_ptr<Network> make_network(const Grid& grid, int channels, int max_frames) const;

 private:
  ModelFile file_;
  const Kernels& kernels_;  // of the networks
  int sample_rate_, n_fft_, hop_, extension_bins_;
};

}  // namespace pyvocsep
