// The binding: thin. Values and types are checked in Python; here only what would make memory unsafe.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <complex>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "core/separator.h"
#include "core/stem_mixer.h"

namespace py = pybind11;

namespace pyvocsep {
namespace {

using Floats = py::array_t<float, py::array::c_style>;
using Complexes = py::array_t<std::complex<float>, py::array::c_style>;

// stream.process(input, outputs..., samples) on arrays (channels, samples).
template <typename Stream, typename... Outputs>
void process(Stream& stream, const Floats& input, Outputs&... outputs) {
  const py::ssize_t channels = stream.channels();
  const auto fits = [&](const Floats& array) {
    return array.ndim() == 2 && array.shape(0) == channels && array.shape(1) == input.shape(1);
  };
  if (!(fits(input) && ... && fits(outputs)))
    throw std::invalid_argument("input and outputs must be float32 arrays of one shape, (" + std::to_string(channels) +
                                ", samples)");
  const py::ssize_t n = input.shape(1);
  const auto run = [&](const float* in, auto*... out) {
    const py::gil_scoped_release release;
    constexpr py::ssize_t kMost = 1 << 30;  // the core counts in int
    for (py::ssize_t done = 0; done < n; done += kMost) {
      const auto planes = [&](auto* x) { return std::array{x + done, x + done + (channels - 1) * n}; };
      stream.process(planes(in).data(), planes(out).data()..., static_cast<int>(std::min(kMost, n - done)));
    }
  };
  run(input.data(), outputs.mutable_data()...);
}

// A stream's class as Python sees it, but for process().
template <typename Stream>
py::class_<Stream> bind_stream(py::module_& m, const char* name) {
  return py::class_<Stream>(m, name)
      .def(py::init([](const std::shared_ptr<Model>& model, double sample_rate, int channels, int threads) {
             return std::make_unique<Stream>(*model, sample_rate, channels, threads);
           }),
           py::arg("model"), py::arg("sample_rate"), py::arg("channels"), py::arg("threads") = 1)
      .def_property_readonly("latency_samples", &Stream::latency)
      .def("reset", &Stream::reset);
}

// Frame by frame masks, for those who have spectra of their own; and for the tests.
class SpectrumMasker {
 public:
  SpectrumMasker(std::shared_ptr<const Model> model, double sample_rate, int channels)
      : model_(std::move(model)),
        grid_(model_->grid(sample_rate)),
        channels_(channels),
        masker_(*model_, grid_, channels, kFrames),
        team_(1) {}

  void reset() { masker_.reset(); }

  Floats masks(const Complexes& spectra) {
    if (spectra.ndim() != 3 || spectra.shape(0) != channels_ || spectra.shape(2) != grid_.bins())
      throw std::invalid_argument("spectra must be a complex64 array of shape (" + std::to_string(channels_) +
                                  ", frames, " + std::to_string(grid_.bins()) + ")");
    Floats result({spectra.shape(0), spectra.shape(1), spectra.shape(2)});
    const auto in = spectra.unchecked<3>();
    auto out = result.mutable_unchecked<3>();
    const int frames = static_cast<int>(spectra.shape(1));
    for (int first = 0; first < frames; first += kFrames) {
      const int count = std::min(kFrames, frames - first);
      for (int t = 0; t < count; ++t)
        for (int c = 0; c < channels_; ++c)
          for (int k = 0; k < grid_.bins(); ++k) {
            masker_.re(t, c)[k] = in(c, first + t, k).real();
            masker_.im(t, c)[k] = in(c, first + t, k).imag();
          }
      masker_.estimate(count, team_);
      for (int t = 0; t < count; ++t)
        for (int c = 0; c < channels_; ++c)
          for (int k = 0; k < grid_.bins(); ++k) out(c, first + t, k) = masker_.mask(t, c)[k];
    }
    return result;
  }

 private:
  static constexpr int kFrames = 8;
  std::shared_ptr<const Model> model_;
  Grid grid_;
  int channels_;
  Masker masker_;
  ThreadTeam team_;
};

// A window that only scales.
Buffer constant(int size, float value) {
  Buffer window(size);
  std::fill_n(window.data(), size, value);
  return window;
}

Complexes rfft(const Floats& x) {
  const RealFft fft(static_cast<int>(x.size()));
  RealFft::Workspace workspace(fft.size());
  const Buffer window = constant(fft.size(), 1.0f);
  Buffer in(fft.size()), re(fft.bins()), im(fft.bins());  // with the margins that kernels may touch
  std::copy_n(x.data(), fft.size(), in.data());
  fft.forward(in.data(), window.data(), re.data(), im.data(), workspace);
  Complexes result(fft.bins());
  for (int k = 0; k < fft.bins(); ++k) result.mutable_at(k) = {re[k], im[k]};
  return result;
}

Floats irfft(const Complexes& spectrum) {
  const RealFft fft(2 * (static_cast<int>(spectrum.size()) - 1));
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

}  // namespace
}  // namespace pyvocsep

PYBIND11_MODULE(_core, m) {
  using namespace pyvocsep;

  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const std::system_error& error) {
      errno = error.code().value();
      PyErr_SetObject(PyExc_OSError, py::make_tuple(error.code().value(), error.what()).ptr());
    }
  });

  m.def("isa", [] { return kernels().name; });
  m.def("available_isas", [] {
    std::vector<std::string> names;
    const KernelList list = available_kernels();
    for (int i = 0; i < list.count; ++i) names.emplace_back(list.table[i]->name);
    return names;
  });
  m.def("rfft", &rfft, py::arg("x").noconvert());
  m.def("irfft", &irfft, py::arg("spectrum").noconvert());
  m.def(
      "scaled_grid",
      [](int n_fft, int hop, double model_rate, double rate) {
        const Grid grid = scaled_grid(n_fft, hop, model_rate, rate);
        return std::pair(grid.frame, grid.hop);
      },
      py::arg("n_fft"), py::arg("hop"), py::arg("model_rate"), py::arg("rate"));

  py::enum_<Precision>(m, "Precision").value("float32", Precision::kFloat32).value("bfloat16", Precision::kBfloat16);
  m.def("has_bfloat16", &has_bfloat16);

  py::class_<Model, std::shared_ptr<Model>>(m, "Model")
      .def(py::init<const std::string&, Precision>(), py::arg("path"), py::arg("precision") = Precision::kFloat32)
      .def_property_readonly("metadata", [](const Model& model) { return model.file().metadata(); })
      .def_property_readonly("architecture", &Model::architecture)
      .def_property_readonly("sample_rate", &Model::sample_rate)
      .def_property_readonly("n_fft", &Model::n_fft)
      .def_property_readonly("hop", &Model::hop);

  bind_stream<Separator>(m, "Separator")
      .def("process", &process<Separator, Floats, Floats>, py::arg("input").noconvert(), py::arg("vocals").noconvert(),
           py::arg("accompaniment").noconvert());

  bind_stream<StemMixer>(m, "StemMixer")
      .def("set_gains", &StemMixer::set_gains, py::arg("vocals"), py::arg("accompaniment"))
      .def("process", &process<StemMixer, Floats>, py::arg("input").noconvert(), py::arg("output").noconvert());

  py::class_<SpectrumMasker>(m, "MaskEstimator")
      .def(py::init([](const std::shared_ptr<Model>& model, double sample_rate, int channels) {
             return std::make_unique<SpectrumMasker>(model, sample_rate, channels);
           }),
           py::arg("model"), py::arg("sample_rate"), py::arg("channels"))
      .def("reset", &SpectrumMasker::reset)
      .def("masks", &SpectrumMasker::masks, py::arg("spectra").noconvert());
}
