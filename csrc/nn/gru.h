// `gru`: stacked GRUs over whole magnitude frames estimate both spectra at once; the mask is their ratio.
//
//   f = (mean over channels of |X| * 2 / N)^exponent       h = GRU(... GRU(f))
//   v = relu(W_v h + b_v)    a = relu(W_a h + b_a)         mask = (v + e) / (v + a + 2 e), e = 0.01
//
// (Huang et al. made the ratio of two estimates a layer of the network:, "Singing-voice separation from monaural
// recordings using deep recurrent neural networks", ISMIR 2014. The offset e makes the mask of silence one half.)
#pragma once

#include <vector>

#include "base/buffer.h"
#include "dsp/grid.h"
#include "nn/layers.h"
#include "nn/network.h"

namespace pyvocsep {

class GruNetwork : public Network {
 public:
  GruNetwork(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels, int max_frames);

  int bins() const override { return bins_; }
  void reset() noexcept override;
  int process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept override;

 private:
  void features(const Spectra& spectra, int frames) noexcept;
  void decode(const float* x, ptrdiff_t stride, int frames, const Masks& masks) noexcept;

  const Kernels& kernels_;
  int bins_, input_bins_, channels_;
  float scale_, exponent_;
  std::vector<Gru> layers_;
  Linear vocals_, accompaniment_;
  Buffer features_;             // max_frames x bins
  Buffer gates_;                // max_frames x the widest layer's gates
  std::vector<Buffer> states_;  // of each layer: max_frames + 1 states, the first from before the block
  Buffer estimates_;            // max_frames x (vocals, accompaniment)
};

}  // namespace pyvocsep
