// The Python binding. Python checks values and types; here only what would make memory unsafe is checked.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/processors.h"
#include "dsp/grid.h"
#include "kernels/kernels.h"
#include "python/errors.h"
#include "python/spectra.h"
#include "pyvocsep/limits.h"
#include "pyvocsep/separator.h"
#include "pyvocsep/stem_mixer.h"

namespace py = pybind11;

namespace pyvocsep {
namespace {

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

// The Python class of a stream, without process().
template <typename Stream>
py::class_<Stream> bind_stream(py::module_& m, const char* name) {
  return py::class_<Stream>(m, name)
      .def(py::init<const Model&, double, int, int>(), py::arg("model"), py::arg("sample_rate"), py::arg("channels"),
           py::arg("threads") = 1)
      .def_property_readonly("latency_samples", &Stream::latency)
      .def("reset", &Stream::reset);
}

}  // namespace
}  // namespace pyvocsep

PYBIND11_MODULE(_core, m) {
  using namespace pyvocsep;

  register_errors();

  m.def("isa", [] { return kernels().name; });
  m.def("available_isas", [] {
    std::vector<std::string> names;
    const KernelList list = available_kernels();
    for (int i = 0; i < list.count; ++i) names.emplace_back(list.table[i]->name);
    return names;
  });
  m.def(
      "scaled_grid",
      [](int n_fft, int hop, double model_rate, double rate) {
        const Grid grid = scaled_grid(n_fft, hop, model_rate, rate);
        return std::pair(grid.frame, grid.hop);
      },
      py::arg("n_fft"), py::arg("hop"), py::arg("model_rate"), py::arg("rate"));

  py::enum_<Precision>(m, "Precision")
      .value("float32", Precision::kFloat32)
      .value("bfloat16", Precision::kBfloat16)
      .value("int8", Precision::kInt8);
  m.def("has_precision", &has_precision, py::arg("precision"));
  m.def("usable_processors", [] { return usable_processors(); });

  py::class_<Model>(m, "Model")
      .def(py::init([](const py::object& path, Precision precision) { return Model(path_bytes(path), precision); }),
           py::arg("path"), py::arg("precision") = Precision::kFloat32)
      .def_property_readonly("metadata", &Model::metadata)
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

  m.def("analyse", &analyse, py::arg("audio").noconvert(), py::arg("frame"), py::arg("hop"));
  m.def("synthesise", &synthesise, py::arg("spectra").noconvert(), py::arg("frame"), py::arg("hop"));

  py::module_ limits = m.def_submodule("limits");
  limits.attr("MIN_SAMPLE_RATE") = PYVOCSEP_MIN_SAMPLE_RATE;
  limits.attr("MAX_SAMPLE_RATE") = PYVOCSEP_MAX_SAMPLE_RATE;
  limits.attr("MAX_CHANNELS") = PYVOCSEP_MAX_CHANNELS;
  limits.attr("MAX_THREADS") = PYVOCSEP_MAX_THREADS;
  limits.attr("LARGEST_SAMPLE") = PYVOCSEP_LARGEST_SAMPLE;
  limits.attr("MODEL_FORMAT") = PYVOCSEP_MODEL_FORMAT;
  limits.attr("MIN_FRAME") = PYVOCSEP_MIN_FRAME;
  limits.attr("MAX_FRAME") = PYVOCSEP_MAX_FRAME;
  limits.attr("MAX_FRAMES_AHEAD") = PYVOCSEP_MAX_FRAMES_AHEAD;
  limits.attr("MAX_VALUES_AHEAD") = PYVOCSEP_MAX_VALUES_AHEAD;
}
