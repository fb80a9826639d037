// The core's parts one by one, for tests and benchmarks: transforms, a GRU layer, the network alone. Wheels lack it.
#include <pybind11/pybind11.h>

#include <algorithm>
#include <complex>
#include <memory>
#include <stdexcept>
#include <string>

#include "dsp/fft.h"
#include "nn/layers.h"
#include "nn/masker.h"
#include "python/arrays.h"
#include "python/errors.h"
#include "pyvocsep/limits.h"

namespace py = pybind11;

namespace pyvocsep {
namespace {

// Masks of spectra, by the network alone: of as many frames as come, or fewer at the beginning, if it looks ahead.
class SpectrumMasker {
 public:
  SpectrumMasker(const Model& model, double sample_rate, int channels)
      : grid_(model.impl().grid(sample_rate)),
        channels_(checked(channels)),
        masker_(model.impl(), grid_, channels, kFrames),
        team_(1) {}

  int look_ahead() const { return masker_.look_ahead(); }

  void reset() {
    masker_.reset();
    waiting_ = 0;
  }

  Floats masks(const Complexes& spectra) {
    if (spectra.ndim() != 3 || spectra.shape(0) != channels_ || spectra.shape(2) != grid_.bins())
      throw std::invalid_argument("spectra must be a complex64 array of shape (" + std::to_string(channels_) +
                                  ", frames, " + std::to_string(grid_.bins()) + ")");
    const int frames = static_cast<int>(spectra.shape(1));
    const int all = std::max(0, waiting_ + frames - look_ahead());
    Floats result({spectra.shape(0), static_cast<py::ssize_t>(all), spectra.shape(2)});
    const auto in = spectra.unchecked<3>();
    auto out = result.mutable_unchecked<3>();
    int done = 0;
    for (int first = 0; first < frames; first += kFrames) {
      const int count = std::min(kFrames, frames - first);
      for (int t = 0; t < count; ++t)
        for (int c = 0; c < channels_; ++c)
          for (int k = 0; k < grid_.bins(); ++k) {
            masker_.re(t, c)[k] = in(c, first + t, k).real();
            masker_.im(t, c)[k] = in(c, first + t, k).imag();
          }
      const int masked = masker_.estimate(count, team_);
      for (int t = 0; t < masked; ++t)
        for (int c = 0; c < channels_; ++c)
          for (int k = 0; k < grid_.bins(); ++k) out(c, done + t, k) = masker_.mask(t, c)[k];
      masker_.advance(count, masked);
      done += masked;
    }
    waiting_ += frames - all;
    return result;
  }

 private:
  static int checked(int channels) {
    if (channels < 1 || channels > PYVOCSEP_MAX_CHANNELS)
      throw std::invalid_argument(std::to_string(channels) + " channels: only mono and stereo can be separated");
    return channels;
  }

  static constexpr int kFrames = 8;
  Grid grid_;
  int channels_;
  Masker masker_;
  ThreadTeam team_;
  int waiting_ = 0;  // frames without masks so far
};

// A number of samples or bins; throws std::invalid_argument if no transform is as long.
int checked_size(py::ssize_t size) {
  if (size > PYVOCSEP_MAX_FRAME) throw std::invalid_argument(std::to_string(size) + " values: no FFT is as long");
  return static_cast<int>(size);
}

// A constant window, which only scales.
Buffer constant(int size, float value) {
  Buffer window(size);
  std::fill_n(window.data(), size, value);
  return window;
}

// The transform of every row of x (frames, size).
Complexes rfft(const Floats& x) {
  if (x.ndim() != 2) throw std::invalid_argument("x must be a float32 array of shape (frames, size)");
  const RealFft fft(checked_size(x.shape(1)));
  RealFft::Workspace workspace(fft.size());
  const Buffer window = constant(fft.size(), 1.0f);
  Buffer in(fft.size()), re(fft.bins()), im(fft.bins());  // with the margins that kernels may touch
  Complexes result({x.shape(0), static_cast<py::ssize_t>(fft.bins())});
  for (py::ssize_t t = 0; t < x.shape(0); ++t) {
    std::copy_n(x.data(t), fft.size(), in.data());
    fft.forward(in.data(), window.data(), re.data(), im.data(), workspace);
    std::complex<float>* spectrum = result.mutable_data(t);
    for (int k = 0; k < fft.bins(); ++k) spectrum[k] = {re[k], im[k]};
  }
  return result;
}

Floats irfft(const Complexes& spectrum) {
  if (spectrum.ndim() != 1) throw std::invalid_argument("the spectrum must be a complex64 array of shape (bins,)");
  const RealFft fft(2 * (checked_size(spectrum.size()) - 1));
  RealFft::Workspace workspace(fft.size());
  const Buffer window = constant(fft.size(), 1.0f / static_cast<float>(fft.size()));
  Buffer re(fft.bins()), im(fft.bins()), y(fft.size());
  for (int k = 0; k < fft.bins(); ++k) {
    re[k] = spectrum.at(k).real();
    im[k] = spectrum.at(k).imag();
  }
  fft.inverse_add(re.data(), im.data(), window.data(), y.data(), workspace);
  Floats result(fft.size());
  std::copy_n(y.data(), fft.size(), result.mutable_data());
  return result;
}

// Inputs or units of a GRU layer; throws std::invalid_argument for more than the kernels' buffers hold.
int step_size(int size, const char* what) {
  if (size < 1 || size > kChunk)
    throw std::invalid_argument(std::to_string(size) + " " + what + ": a step of a GRU takes 1 to " +
                                std::to_string(kChunk));
  return size;
}

// One GRU layer on many rows, as the time GRU of `band-gru` runs it on bands.
class GruLayer {
 public:
  // Throws std::invalid_argument for sizes that a step of the kernels does not take.
  GruLayer(const py::object& path, const std::string& prefix, int inputs, Precision precision)
      : inputs_(step_size(inputs, "inputs")),
        gru_(kernels(precision), ModelFile(path_bytes(path)), prefix, "_l0", inputs_) {
    step_size(gru_.hidden(), "units");
  }

  // From zero states, x (steps, rows, inputs) to states (steps, rows, padded(hidden)).
  Floats run(const Floats& x) const {
    if (x.ndim() != 3 || x.shape(2) != inputs_)
      throw std::invalid_argument("x must be a float32 array of shape (steps, rows, " + std::to_string(inputs_) + ")");
    const int rows = static_cast<int>(x.shape(1)), width = gru_.width();
    Floats result({x.shape(0), x.shape(1), static_cast<py::ssize_t>(width)});
    Buffer input(static_cast<size_t>(rows) * inputs_);  // with the margins that kernels may touch
    Buffer before(static_cast<size_t>(rows) * width), after(before.size());
    for (py::ssize_t t = 0; t < x.shape(0); ++t) {
      std::copy_n(x.data(t), input.size(), input.data());
      gru_.step(input.data(), inputs_, before.data(), width, rows, after.data(), width);
      std::copy_n(after.data(), after.size(), result.mutable_data(t));
      std::swap(before, after);
    }
    return result;
  }

 private:
  int inputs_;
  Gru gru_;
};

double multiply_adds(int64_t rounds, Precision precision) {
  Buffer operand(kPanel);
  return kernels(precision).peak(rounds, operand.data());
}

}  // namespace
}  // namespace pyvocsep

PYBIND11_MODULE(_testing, m) {
  using namespace pyvocsep;

  register_errors();
  py::module_::import("pyvocsep._core");  // Model and Precision are its classes
  m.def("rfft", &rfft, py::arg("x").noconvert());
  m.def("irfft", &irfft, py::arg("spectrum").noconvert());
  m.def("multiply_adds", &multiply_adds, py::arg("rounds"), py::arg("precision") = Precision::kFloat32);

  py::class_<GruLayer>(m, "GruLayer")
      .def(py::init<const py::object&, const std::string&, int, Precision>(), py::arg("path"), py::arg("prefix"),
           py::arg("inputs"), py::arg("precision") = Precision::kFloat32)
      .def("run", &GruLayer::run, py::arg("x").noconvert());

  py::class_<SpectrumMasker>(m, "MaskEstimator")
      .def(py::init<const Model&, double, int>(), py::arg("model"), py::arg("sample_rate"), py::arg("channels"))
      .def_property_readonly("look_ahead", &SpectrumMasker::look_ahead)
      .def("reset", &SpectrumMasker::reset)
      .def("masks", &SpectrumMasker::masks, py::arg("spectra").noconvert());
}
