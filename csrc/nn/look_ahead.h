// Look-ahead of `band-gru`: a GRU backwards along time over chunks at fixed places of the stream.
//
// With chunks of C frames and R frames of context, the states of frames kC to kC + C - 1 come from a way back that
// begins with zeros at frame kC + C + R - 1 and ends at frame kC. (Zhang et al. call this latency-controlled: "Highway
// long short-term memory RNNs for distant speech recognition", 2016.) Frames are counted from the beginning of the
// stream, so that the states do not depend on how it is cut into calls. Frame kC waits for the last frame of its
// context: every frame leaves C + R - 1 frames after it came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/buffer.h"
#include "nn/layers.h"

namespace pyvocsep {

// Frames of a chunk and of the context after it.
struct LookAhead {
  int chunk, context;

  int frames() const { return chunk + context; }
  int delay() const { return frames() - 1; }
};

// What the metadata of a file say, if one of the `blocks` blocks looks ahead; which of them do, their tensors say.
// Throws std::invalid_argument if the two contradict each other, or if the network would look too far ahead.
std::optional<LookAhead> read_look_ahead(const ModelFile& file, int blocks);

// Whether there are tensors for this block's look-ahead; one is enough, see count_blocks().
bool looks_ahead(const ModelFile& file, int block);

// The step that follows the causal GRU of a block: norm, backward GRU, and the frames that wait for it.
class BackwardStep {
 public:
  BackwardStep(const Kernels& kernels, const ModelFile& file, int block, int dim, int bands, const LookAhead& shape);

  int delay() const { return shape_.delay(); }
  void reset() noexcept { arrived_ = 0; }

  // Takes bands begin..end of the next `frames` frames: first x += states times the scale of the causal GRU. Gives as
  // many as leaving(frames), delay() frames earlier, in the place of the first of x, and their backward states. All
  // are [frames][bands][dim]. Different bands may be computed at the same time; advance() follows when all are.
  void process(float* x, const float* states, float* backward_states, int frames, int begin, int end) noexcept;

  // Frames that leave when `frames` more have come: as many, fewer at the beginning of a stream.
  int leaving(int frames) const;
  void advance(int frames) noexcept { arrived_ += frames; }

 private:
  float* row(Buffer& buffer, int64_t frame, int band) {
    return buffer.data() + (frame * bands_ + band) * static_cast<ptrdiff_t>(dim_);
  }
  int slot(int64_t frame) const { return static_cast<int>(frame % shape_.frames()); }
  void run_back(int64_t first, int begin, int end) noexcept;

  int dim_, bands_;
  LookAhead shape_;
  AddNorm norm_;
  Gru gru_;
  Buffer x_, normed_;    // rings of chunk + context frames
  Buffer states_;        // of the chunk whose frames are leaving
  Buffer scratch_;       // two states, in turns, of the context
  Buffer start_;         // a state of zeros
  int64_t arrived_ = 0;  // frames since the beginning of the stream
};

}  // namespace pyvocsep
