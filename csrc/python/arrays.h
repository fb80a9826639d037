// Arrays as the binding takes them: C-contiguous, aligned and never converted. What does not fit is a TypeError.
#pragma once

#include <pybind11/numpy.h>

#include <complex>

namespace pyvocsep {

// numpy makes arrays that are not aligned from bytes at odd offsets; C++ may not read floats from there.
template <typename T>
class AlignedArray : public pybind11::array_t<T, pybind11::array::c_style> {
  using Base = pybind11::array_t<T, pybind11::array::c_style>;

 public:
  using Base::Base;
  static bool check_(pybind11::handle object) {
    return Base::check_(object) && (pybind11::reinterpret_borrow<pybind11::array>(object).flags() &
                                    pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  }
};

using Floats = AlignedArray<float>;
using Complexes = AlignedArray<std::complex<float>>;

}  // namespace pyvocsep

namespace pybind11::detail {

template <typename T>
struct handle_type_name<pyvocsep::AlignedArray<T>> {
  static constexpr auto name =
      const_name("numpy.ndarray[") + npy_format_descriptor<T>::name + const_name(", C-contiguous and aligned]");
};

}  // namespace pybind11::detail
