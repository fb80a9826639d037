// Arrays as the binding takes them: C-contiguous, and without conversion where an argument says noconvert().
#pragma once

#include <pybind11/numpy.h>

#include <complex>

namespace pyvocsep {

using Floats = pybind11::array_t<float, pybind11::array::c_style>;
using Complexes = pybind11::array_t<std::complex<float>, pybind11::array::c_style>;

}  // namespace pyvocsep
