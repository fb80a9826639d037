#include "python/spectra.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "dsp/stft.h"

namespace py = pybind11;

namespace pyvocsep {

namespace {

constexpr int kFrames = 8;  // of a step, at most

// One frame's spectrum, with the margins that kernels touch.
struct Spectrum {
  explicit Spectrum(int bins) : re(bins), im(bins) {}
  Buffer re, im;
};

// The whole of one channel; `frames` frames lie in x. The stream's first frames hold silence before x: they are
// skipped.
void analyse_channel(const float* x, py::ssize_t frames, StreamingStft& stft, std::complex<float>* spectra) {
  const Grid& grid = stft.grid();
  Spectrum spectrum(grid.bins());
  const py::ssize_t samples = (frames - 1) * grid.hop + grid.frame;
  py::ssize_t frame = 1 - grid.frame / grid.hop;
  stft.reset();
  for (py::ssize_t done = 0; done < samples;) {
    const int count = static_cast<int>(std::min<py::ssize_t>(samples - done, stft.room()));
    std::copy_n(x + done, count, stft.input(0));
    for (int t = 0; t < stft.frames(count); ++t, ++frame) {
      if (frame < 0) continue;
      stft.analyse(0, t, spectrum.re.data(), spectrum.im.data());
      for (int k = 0; k < grid.bins(); ++k) *spectra++ = {spectrum.re[k], spectrum.im[k]};
    }
    stft.advance(count);
    done += count;
  }
}

// The whole of one channel. The sums are one frame late, and frame 0 starts one hop after the stream does.
void synthesise_channel(const std::complex<float>* spectra, py::ssize_t frames, StreamingStft& stft, float* y) {
  const Grid& grid = stft.grid();
  Spectrum spectrum(grid.bins());
  stft.reset();
  for (py::ssize_t hop = 0; hop < frames + grid.frame / grid.hop; ++hop) {
    if (hop < frames) {
      for (int k = 0; k < grid.bins(); ++k, ++spectra) {
        spectrum.re[k] = spectra->real();
        spectrum.im[k] = spectra->imag();
      }
      stft.overlap_add(0, 0, spectrum.re.data(), spectrum.im.data());
    }
    if (hop > 0) y = std::copy_n(stft.sum(0), grid.hop, y);
    stft.advance(grid.hop);
  }
}

}  // namespace

Complexes analyse(const Floats& audio, int frame, int hop) {
  if (audio.ndim() != 2) throw std::invalid_argument("audio must be a float32 array of shape (channels, samples)");
  StreamingStft stft({frame, hop}, 1, kFrames);
  const py::ssize_t channels = audio.shape(0), samples = audio.shape(1), bins = stft.grid().bins();
  const py::ssize_t frames = samples < frame ? 0 : (samples - frame) / hop + 1;
  Complexes spectra({channels, frames, bins});
  const float* x = audio.data();
  std::complex<float>* out = spectra.mutable_data();
  const py::gil_scoped_release release;
  if (frames > 0)
    for (py::ssize_t c = 0; c < channels; ++c) analyse_channel(x + c * samples, frames, stft, out + c * frames * bins);
  return spectra;
}

Floats synthesise(const Complexes& spectra, int frame, int hop) {
  StreamingStft stft({frame, hop}, 1, 1);
  if (spectra.ndim() != 3 || spectra.shape(2) != stft.grid().bins())
    throw std::invalid_argument("spectra must be a complex64 array of shape (channels, frames, " +
                                std::to_string(stft.grid().bins()) + ")");
  const py::ssize_t channels = spectra.shape(0), frames = spectra.shape(1);
  const py::ssize_t samples = frames > 0 ? (frames - 1) * hop + frame : 0;
  Floats audio({channels, samples});
  const std::complex<float>* in = spectra.data();
  float* y = audio.mutable_data();
  const py::gil_scoped_release release;
  if (frames > 0)
    for (py::ssize_t c = 0; c < channels; ++c)
      synthesise_channel(in + c * frames * spectra.shape(2), frames, stft, y + c * samples);
  return audio;
}

}  // namespace pyvocsep
