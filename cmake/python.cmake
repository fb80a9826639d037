# The Python package's native modules.
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 CONFIG REQUIRED)

# pybind11 would turn link-time optimisation on: the binding has no hot loop, and linking would take longer than compiling.
if(NOT DEFINED CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)
endif()

function(pyvocsep_add_module name)
  pybind11_add_module(${name} ${ARGN})
  target_include_directories(${name} PRIVATE csrc)
  target_link_libraries(${name} PRIVATE pyvocsep_core)
  install(TARGETS ${name} LIBRARY DESTINATION pyvocsep)
endfunction()

pyvocsep_add_module(_core csrc/python/module.cpp csrc/python/spectra.cpp)
if(PYVOCSEP_TEST_MODULE)
  pyvocsep_add_module(_testing csrc/python/testing.cpp)
endif()

# Training's kernels, a plain library for ctypes. Without OpenMP they are left out: training is slower then.
find_package(OpenMP COMPONENTS CXX)
if(OpenMP_CXX_FOUND)
  add_library(_kernels MODULE csrc/training/interface.cpp)
  set_target_properties(_kernels PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET default)
  target_include_directories(_kernels PRIVATE csrc)
  target_link_libraries(_kernels PRIVATE OpenMP::OpenMP_CXX)
  pyvocsep_add_kernels(_kernels "csrc/training/recurrence_kernels.cpp;csrc/training/loss_kernels.cpp" "${instruction_sets}"
                       ${OpenMP_CXX_FLAGS})
  install(TARGETS _kernels LIBRARY DESTINATION pyvocsep/training)
endif()
