// `band-gru`: bands x time. Each frame is cut into mel-spaced bands, each projected to one vector; blocks of
// (a causal GRU along time, shared by all bands) and (a bidirectional GRU along the bands of one frame) follow;
// per-band output layers give the masks.
//
//   e[t, b]   = W_e[b] f[t, b] + b_e[b]             f: (|M|, |S|, |L|, |R|) * 2 / N, to the power `exponent`
//   x        += s_t * GRU_time(norm(x))             one state for each band, carried from frame to frame
//   x        += s_b * BiGRU_bands(norm(x))          no memory from frame to frame; s: one factor for each value
//   mask      = sigmoid(W_d[b] norm(x)[t, b] + b_d[b])
//
// Time makes every recurrent step a product with as many rows as there are bands, the bands one with as many rows
// as there are frames in the block: matrices times matrices, with weights that stay in the first-level cache.
//
// A mono stream is the stereo stream L = R, folded into the weights: M = L = R and S = 0 share one feature column,
// and the two channels' output rows are averaged.
#pragma once

#include <vector>

#include "core/buffer.h"
#include "core/grid.h"
#include "core/layers.h"
#include "core/mask_estimator.h"

namespace pyvocsep {

class BandGruModel : public MaskEstimator {
 public:
  BandGruModel(const Kernels& kernels, const ModelFile& file, const Grid& grid, int channels, int max_frames);

  int bins() const override { return edges_.back(); }
  void reset() noexcept override;
  void process(const Spectra& spectra, int frames, const Masks& masks, ThreadTeam& team) noexcept override;

 private:
  struct Block {
    Block(const Kernels& kernels, const ModelFile& file, int index, int dim, int bands, int max_frames);
    AddNorm time_norm, band_norm;  // each adds what the stage before it made
    GruCell time, forward, backward;
    Buffer states;  // [max_frames + 1][bands][dim]; the first is the one before the block
  };

  int bands() const { return static_cast<int>(edges_.size()) - 1; }
  float* row(Buffer& buffer, int frame, int band) {
    return buffer.data() + (static_cast<ptrdiff_t>(frame) * bands() + band) * dim_;
  }
  void features(const Spectra& spectra, int begin, int end) noexcept;
  void encode(const Spectra& spectra, int begin, int end) noexcept;
  void time_stage(Block& block, int frames, int begin, int end) noexcept;
  void band_stage(Block& block, int begin, int end) noexcept;
  void decode(const Masks& masks, int begin, int end) noexcept;

  const Kernels& kernels_;
  std::vector<int> edges_;
  int channels_, input_bins_, dim_;
  float scale_, exponent_;
  std::vector<Linear> encoders_;  // one for each band
  std::vector<Block> blocks_;
  AddNorm norm_;
  std::vector<Linear> decoders_;  // channel c of band b at [c * bands + b]

  Buffer features_;    // [max_frames][bins][4 or 1]
  Buffer x_, normed_;  // [max_frames][bands][dim]
  Buffer hidden_;      // [max_frames][bands][forward, backward]
  Buffer start_;       // a state of zeros
};

}  // namespace pyvocsep
