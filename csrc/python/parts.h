// The core's parts one by one, as the tests and the benchmarks take them: transforms, a GRU layer, the network alone.
#pragma once

#include <pybind11/pybind11.h>

namespace pyvocsep {

void bind_parts(pybind11::module_& m);

}  // namespace pyvocsep
