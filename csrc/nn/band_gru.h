// `band-gru`: bands x time. Each frame is cut into bands, each projected to one vector; blocks of (a causal GRU along
// time, shared by all bands) and (a bidirectional GRU along the bands of one frame) follow; output layers give the
// masks of mid and side. Bands of one zone z, which are equally wide, share all weights but their biases:
//
//   x[t, b]   = W_e[z] f[t, b] + b_e[b]             f: (|M|, |S|, |L|, |R|) * 2 / N, to the power `exponent`;
//                                                  divided by the running level before that, if the file has one
//   x        += s_t * GRU_time(norm(x))             one state for each band, carried from frame to frame
//   x        += s_a * GRU_back(norm(x))             in blocks that look ahead; see look_ahead.h
//   x        += s_b * BiGRU_bands(norm(x))          no memory from frame to frame; s: one factor for each value
//   mask      = sigmoid(W_d[z] norm(x)[t, b] + b_d[b])
//
// A step of the time GRU is a matrix product with one row for each band; a step of the band GRU has one row for each
// frame of the block. The weights stay in the first-level cache.
//
// A mono stream is computed as the stereo stream L = R, where M = L = R and S = 0: the weights of M, L and R are summed
// at construction, and only the mid gets a mask.
#pragma once

#include <optional>
#include <vector>

#include "base/buffer.h"
#include "dsp/grid.h"
#include "nn/layers.h"
#include "nn/look_ahead.h"
#include "nn/network.h"
#include "nn/running_level.h"

namespace pyvocsep {

class BandGruNetwork : public Network {
 public:
  BandGruNetwork(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels, int max_frames);

  int bins() const override { return bins_; }
  int look_ahead() const override { return look_ahead_; }
  void reset() noexcept override;
  int process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept override;

 private:
  struct Shape {
    int first_band, first_bin, count, width;
  };
  struct Zone : Shape {
    Zone(const Kernels& kernels, const ModelFile& file, int index, int zone_width, const Shape& shape, int bands,
         int dim, int channels);
    Linear encoder;
    std::vector<Linear> decoders;  // one for each channel
  };
  struct Block {
    Block(const Kernels& kernels, const ModelFile& file, int index, int dim, int bands, int max_frames,
          const std::optional<LookAhead>& look_ahead);
    AddNorm time_norm, band_norm;  // each first adds the states of the stage before
    Gru time, forward, backward;
    std::optional<BackwardStep> ahead;
    Buffer states;  // [max_frames + 1][bands][dim], the first from before the block
  };

  static std::vector<Zone> read_zones(const Kernels& kernels, const ModelFile& file, int dim, int channels);

  int bands() const { return zones_.back().first_band + zones_.back().count; }
  int columns() const { return channels_ == 2 ? 4 : 1; }  // features of a bin
  ptrdiff_t features_stride() const { return static_cast<ptrdiff_t>(padded(bins_)) * columns(); }
  float* row(Buffer& buffer, int frame, int band) {
    return buffer.data() + (static_cast<ptrdiff_t>(frame) * bands() + band) * dim_;
  }
  void measure(const Spectra& spectra, int begin, int end) noexcept;
  void features(const Spectra& spectra, int begin, int end) noexcept;
  void encode(const Spectra& spectra, int begin, int end) noexcept;
  void time_stage(Block& block, int frames, int begin, int end) noexcept;
  void band_stage(Block& block, int begin, int end) noexcept;
  void run_along_bands(const Block& block, int begin, int end) noexcept;
  void run_along_bands_of_few(const Block& block, int begin, int end) noexcept;
  void decode(const Masks& masks, int begin, int end) noexcept;

  const Kernels& kernels_;
  int channels_, bins_, input_bins_, dim_;
  float scale_, exponent_;
  std::optional<RunningLevel> level_;
  std::vector<Zone> zones_;
  std::vector<Block> blocks_;
  int look_ahead_ = 0;
  AddNorm norm_;

  Buffer energies_;    // of each frame, if there is a level
  Buffer scales_;      // of the magnitudes of each frame
  Buffer features_;    // [max_frames][padded(bins)][columns()]
  Buffer x_, normed_;  // [max_frames][bands][dim]
  Buffer hidden_;      // [max_frames][bands][forward, backward]; before them the states of a step that looks ahead
  Buffer gates_;       // [max_frames][bands][forward and backward: 3 * dim]
  Buffer start_;       // a state of zeros
};

}  // namespace pyvocsep
