#include "nn/look_ahead.h"

#include <algorithm>

#include "base/profile.h"
#include "pyvocsep/limits.h"

namespace pyvocsep {

namespace {

std::string prefix_of(int block) { return "blocks." + std::to_string(block) + ".ahead."; }

// The floats of one ring.
size_t ring_size(const ModelFile& file, int dim, int bands, const LookAhead& shape) {
  const int64_t size = int64_t{dim} * bands * shape.frames();
  if (size > PYVOCSEP_MAX_VALUES_AHEAD)
    file.fail(std::to_string(bands) + " bands of " + std::to_string(dim) + " values are too many to look " +
              std::to_string(shape.frames()) + " frames ahead");
  return static_cast<size_t>(size);
}

}  // namespace

bool looks_ahead(const ModelFile& file, int block) { return file.has_any(prefix_of(block)); }

std::optional<LookAhead> read_look_ahead(const ModelFile& file, int blocks) {
  int count = 0;
  for (int i = 0; i < blocks; ++i) count += looks_ahead(file, i);
  if (count == 0) {
    for (const char* key : {"look_ahead_chunk", "look_ahead_context"})
      if (file.metadata().count(key) > 0)
        file.fail(std::string("metadata '") + key + "' is there, but no tensors 'blocks.*.ahead.*' that look ahead");
    return std::nullopt;
  }
  const LookAhead shape{file.integer("look_ahead_chunk", 1, PYVOCSEP_MAX_FRAMES_AHEAD),
                        file.integer("look_ahead_context", 0, PYVOCSEP_MAX_FRAMES_AHEAD)};
  if (count * shape.delay() > PYVOCSEP_MAX_FRAMES_AHEAD)
    file.fail("metadata 'look_ahead_chunk' and 'look_ahead_context' are " + std::to_string(shape.chunk) + " and " +
              std::to_string(shape.context) + ": " + std::to_string(count) + " blocks look " +
              std::to_string(count * shape.delay()) + " frames ahead, and at most " +
              std::to_string(PYVOCSEP_MAX_FRAMES_AHEAD) + " are possible");
  return shape;
}

BackwardStep::BackwardStep(const Kernels& kernels, const ModelFile& file, int block, int dim, int bands,
                           const LookAhead& shape)
    : dim_(dim),
      bands_(bands),
      shape_(shape),
      norm_(kernels, file, "blocks." + std::to_string(block) + ".time_scale", prefix_of(block) + "norm.weight", dim),
      gru_(kernels, file, prefix_of(block) + "gru.", "_l0", dim),
      x_(ring_size(file, dim, bands, shape)),
      normed_(x_.size()),
      states_(static_cast<size_t>(shape.chunk) * bands * dim),
      scratch_(size_t{2} * bands * dim),
      start_(dim) {
  if (gru_.hidden() != dim)
    file.fail("block " + std::to_string(block) + ": its backward states do not have the " + std::to_string(dim) +
              " values of the vectors that they are added to");
}

int BackwardStep::leaving(int frames) const {
  return static_cast<int>(std::clamp<int64_t>(arrived_ + frames - delay(), 0, frames));
}

void BackwardStep::process(float* x, const float* states, float* backward_states, int frames, int begin,
                           int end) noexcept {
  const int rows = end - begin;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(bands_) * dim_, first = static_cast<ptrdiff_t>(begin) * dim_;
  const size_t size = static_cast<size_t>(rows) * dim_;
  float *out = x + first, *out_states = backward_states + first;
  for (int t = 0; t < frames; ++t) {
    const int64_t newest = arrived_ + t, oldest = newest - delay();
    float* own = x + t * stride + first;
    {
      const Timed timed(Stage::kNorm);
      norm_.forward(own, states + t * stride + first, rows, row(normed_, slot(newest), begin));
      std::copy_n(own, size, row(x_, slot(newest), begin));
    }
    if (oldest < 0) continue;
    if (oldest % shape_.chunk == 0) run_back(oldest, begin, end);
    std::copy_n(row(x_, slot(oldest), begin), size, out);
    std::copy_n(row(states_, oldest % shape_.chunk, begin), size, out_states);
    out += stride, out_states += stride;
  }
}

// The way back through the chunk that begins with frame `first`, whose last frame of context has just come.
void BackwardStep::run_back(int64_t first, int begin, int end) noexcept {
  const int rows = end - begin, chunk = shape_.chunk;
  const Timed timed(Stage::kAheadGru, gru_.flops(rows) * shape_.frames());
  const auto state = [&](int step) {
    return step < chunk ? row(states_, step, begin) : row(scratch_, step % 2, begin);
  };
  const float* before = start_.data();
  ptrdiff_t before_stride = 0;
  for (int step = shape_.frames() - 1; step >= 0; --step) {
    gru_.step(row(normed_, slot(first + step), begin), dim_, before, before_stride, rows, state(step), dim_);
    before = state(step);
    before_stride = dim_;
  }
}

}  // namespace pyvocsep
