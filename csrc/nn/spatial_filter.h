// A multichannel Wiener filter: what a network hears, joined with where a stem stands between left and right.
//
// A mask takes its share of mid and side in every bin. A voice or an instrument, though, reaches both in a proportion
// that hardly changes for seconds, so that the side tells what an instrument does in the mid, and the other way round.
// For each stem, with m its masks (1 - m for the accompaniment) and X the mid and the side of a frame:
//
//   Z_t = m X_t                      the stem, as its masks have it
//   R_t = d R_(t-1) + Z_t Z_t^H      its covariance of mid and side, d = exp(-hop / memory); neighbouring bins are
//                                    added by half
//   C_t                              the energies that the masks give it in this frame, moved towards R_t's proportion
//                                    of mid and side, with R_t's coherence between them
//
// The vocals are C_v (C_v + C_a)^-1 X. This is a step of the algorithm of Duong, Vincent and Gribonval,
// "Under-determined reverberant audio source separation using a full-rank spatial covariance model" (2010), from the
// masks of a network as in Nugraha, Liutkus and Vincent, "Multichannel audio source separation with deep neural
// networks" (2016), and causal. Where the side is silent, it is the masks.
#pragma once

#include <cstddef>

#include "base/buffer.h"
#include "base/thread_team.h"
#include "dsp/grid.h"
#include "kernels/kernels.h"

namespace pyvocsep {

class SpatialFilter {
 public:
  // For streams on this grid, whose hops last `hop_seconds`; a call takes up to `max_frames` frames.
  SpatialFilter(const Kernels& kernels, const Grid& grid, double memory_seconds, double hop_seconds, int max_frames);

  void reset() noexcept { moments_.clear(); }

  // Puts the vocals of the next frames in place of their spectra. The bits of a frame depend neither on how the stream
  // is cut into calls nor on the number of threads.
  void process(const StereoFrame* frames, int count, ThreadTeam& team) noexcept;

 private:
  static constexpr int kRows = 8;  // of moments, see MomentsArgs

  float* moments(int slot) { return moments_.data() + slot * kRows * stride_; }

  const Kernels& kernels_;
  int bins_;
  float scale_, decay_;
  ptrdiff_t stride_;
  Buffer moments_;  // [1 + max_frames][kRows][stride], slot 0 as they were before the first frame of a call
};

}  // namespace pyvocsep
