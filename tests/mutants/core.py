"""Mutants of csrc/engine, csrc/dsp, csrc/base, and of what is around the networks in csrc/nn: tests see each.

An entry is (file below csrc, text, replacement); the text stands once in the file. Those in EQUIVALENT change
nothing that can be seen, and say why.
"""

SEPARATOR = "engine/separator.cpp"
MIXER = "engine/stem_mixer.cpp"
STFT = "dsp/stft.cpp"
STFT_H = "dsp/stft.h"
GRID = "dsp/grid.cpp"
FFT = "dsp/fft.cpp"
API = "engine/c_api.cpp"
TEAM = "base/thread_team.cpp"
TEAM_H = "base/thread_team.h"
PROCESSORS = "base/processors.cpp"
LOOK_AHEAD = "nn/look_ahead.cpp"
MASKER = "nn/masker.cpp"
SPATIAL = "nn/spatial_filter.cpp"
DELAY = "dsp/delay_line.h"

MUTANTS = [
    (SEPARATOR, "sample_rate >= PYVOCSEP_MIN_SAMPLE_RATE", "sample_rate >= 0"),
    (SEPARATOR, "sample_rate <= PYVOCSEP_MAX_SAMPLE_RATE", "sample_rate <= 2 * PYVOCSEP_MAX_SAMPLE_RATE"),
    (SEPARATOR, "channels < 1 || channels > PYVOCSEP_MAX_CHANNELS", "channels < 1"),
    (SEPARATOR, "threads < 1 || threads > PYVOCSEP_MAX_THREADS", "threads > PYVOCSEP_MAX_THREADS"),
    (SEPARATOR, "std::min(threads, usable_processors())", "threads"),
    (SEPARATOR, "std::min(threads, usable_processors())", "1"),
    (SEPARATOR, "  stft_.reset();\n", ""),
    (SEPARATOR, "  masker_.reset();\n", ""),
    (SEPARATOR, "before_start_ = latency();", "before_start_ = 0;"),
    (SEPARATOR, "before_start_ = latency();", "before_start_ = latency() + 1;"),
    (SEPARATOR, "  const FlushDenormals flush;\n", ""),
    (SEPARATOR, "std::min(n - done, stft_.room())", "std::min(n - done, 1)"),
    (SEPARATOR, "x >= -kLargest && x <= kLargest ? x : 0.0f", "x"),
    (SEPARATOR, "x >= -kLargest && x <= kLargest ? x : 0.0f", "x <= kLargest ? x : 0.0f"),
    (SEPARATOR, "x >= -kLargest && x <= kLargest ? x : 0.0f", "x >= -kLargest && x <= kLargest ? x : 1.0f"),
    (SEPARATOR, "frames > 0) run_frames", "frames > 1) run_frames"),
    (SEPARATOR, "std::fill_n(v, silent, 0.0f);", "std::copy_n(sum, silent, v);"),
    (SEPARATOR, "a[i] = mixture[i] - sum[i];", "a[i] = mixture[i] + sum[i];"),
    (SEPARATOR, "before_start_ -= silent;", "before_start_ = 0;"),
    (SEPARATOR, "left = latency(); left > 0", "left = latency() - 1; left > 0"),
    (SEPARATOR, "    left -= count;\n  }\n  reset();", "    left -= count;\n  }"),
    (
        SEPARATOR,
        "masker_.masked_re(t, c), masker_.masked_im(t, c))",
        "masker_.masked_re(t, 0), masker_.masked_im(t, 0))",
    ),
    (SEPARATOR, "overlap_add(c, without + t,", "overlap_add(c, t,"),
    (SEPARATOR, "        mixture_[c].process(a, count);\n", ""),
    (MASKER, "next_ -= oldest_;", "next_ = 0;"),
    (
        MASKER,
        "  if (spatial_) spatial_->reset();\n  oldest_ = next_ = 0;",
        "  if (spatial_) spatial_->reset();",
    ),
    (MASKER, "{mask(t, 0), mask(t, 1),", "{mask(t, 1), mask(t, 0),"),
    (MASKER, "  if (spatial_) spatial_->reset();\n", ""),
    (SPATIAL, "2.0f / static_cast<float>(grid.frame)", "1.0f"),
    (SPATIAL, "-hop_seconds / memory_seconds", "-memory_seconds"),
    (SPATIAL, "if (end * kPanel > bins_)", "if (false)"),
    (
        SPATIAL,
        "frames[t], moments(t + 1), stride_, scale_, bins_",
        "frames[t], moments(t), stride_, scale_, bins_",
    ),
    (SPATIAL, "  std::copy_n(moments(count), kRows * stride_, moments(0));\n", ""),
    (LOOK_AHEAD, "oldest % shape_.chunk == 0", "oldest % shape_.chunk == 1"),
    (LOOK_AHEAD, "row(states_, oldest % shape_.chunk, begin)", "row(states_, 0, begin)"),
    (
        LOOK_AHEAD,
        "count * shape.delay() > PYVOCSEP_MAX_FRAMES_AHEAD",
        "shape.delay() > PYVOCSEP_MAX_FRAMES_AHEAD",
    ),
    (LOOK_AHEAD, "size > PYVOCSEP_MAX_VALUES_AHEAD", "false"),
    (LOOK_AHEAD, "if (gru_.hidden() != dim)", "if (false)"),
    (DELAY, "at_ = (at_ + count) % size;", "at_ = 0;"),
    (DELAY, "    ring_.clear();\n", ""),
    (MIXER, "if (gain == target) return;", "return;"),
    (MIXER, "step = (gain - now) / static_cast<float>(samples)", "step = gain - now"),
    (MIXER, "--left > 0 ? now + step : target", "--left > 0 ? now + step : now"),
    (MIXER, "    separator_.reset();\n", ""),
    (MIXER, "vocals_ramp_ = {vocals, vocals};", ""),
    (MIXER, "  const FlushDenormals flush;\n", ""),
    (MIXER, "std::min(kBlock, n - done)", "std::min(kBlock / 2, n - done)"),
    (MIXER, "accompaniment_ramp_.aim(accompaniment_gain_", "accompaniment_ramp_.aim(vocals_gain_"),
    (MIXER, "+ accompaniment_gains[i] * accompaniment[c][i]", ""),
    (STFT, "grid.frame % grid.hop != 0", "false"),
    (STFT, "grid.frame < 2 * grid.hop", "grid.frame < grid.hop"),
    (STFT, "std::numbers::pi * n / grid.frame", "std::numbers::pi * (n + 0.5) / grid.frame"),
    (STFT, "2.0 * grid.hop / grid.frame / grid.frame", "1.0 / grid.frame"),
    (STFT, "    channel.sum.clear();\n", ""),
    (STFT, "    channel.input.clear();\n", ""),
    (STFT, "since_frame_ = 0;", ""),
    (STFT, "since_frame_ += n - done;", "since_frame_ += n;"),
    (STFT, "std::copy(sum + done, sum + done + grid_.frame, sum);", ""),
    (STFT, "std::fill_n(sum + grid_.frame, done, 0.0f);", ""),
    (STFT_H, "(frame + 1) * grid_.hop", "(frame) * grid_.hop"),
    (STFT_H, "return capacity_ - since_frame_;", "return capacity_;"),
    (GRID, "n_fft < 1 || hop < 1 || n_fft % hop != 0", "n_fft < 1 || hop < 1"),
    (GRID, "size % overlap == 0 && ", ""),
    (
        GRID,
        "std::abs(size - wanted) < std::abs(best - wanted)",
        "std::abs(size - wanted) <= std::abs(best - wanted)",
    ),
    (GRID, "> 0.07 * wanted", "> 0.7 * wanted"),
    (FFT, "for (int prime : {2, 3, 5, 7})", "for (int prime : {2, 3, 5})"),
    (FFT, "size <= kMaxSize && ", ""),
    (FFT, "z_re[n] = z_re[0];", ""),
    (API, "if (samples < 0) return fail", "if (false) return fail"),
    (API, "std::all_of(planes", "std::any_of(planes"),
    (TEAM, "if (is_forked()) {\n    for", "if (false) {\n    for"),
    (TEAM, "  if (is_forked())\n    workers_.release()", "  if (false)\n    workers_.release()"),
    (TEAM, "workers_->size() + 2;", "workers_->size();"),
    (TEAM_H, "count * (thread + 1) / size()", "count * (thread + 1) / size() - 1"),
    (PROCESSORS, "std::ceil(*least)", "std::floor(*least)"),
    (PROCESSORS, "std::min(mask, quota)", "mask"),
]

EQUIVALENT = {
    (SEPARATOR, "std::min(n - done, 1)"): "blocks of any size give the same bits: slower, and nothing else",
    (GRID, "std::abs(size - wanted) <= std::abs(best - wanted)"): "only for a tie of two sizes",
    (
        TEAM,
        "  if (false)\n    workers_.release()",
    ): "after a fork glibc joins threads that are not there at once",
}
