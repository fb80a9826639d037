# The C++ tests.
find_package(doctest REQUIRED)

function(pyvocsep_add_tests name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE csrc)
  target_link_libraries(${name} PRIVATE pyvocsep_core doctest::doctest ${CMAKE_DL_LIBS})
  target_compile_definitions(${name} PRIVATE PYVOCSEP_MODELS="${PROJECT_SOURCE_DIR}/pyvocsep/models")
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# Small hosts, which load the plugins as any host does.
if(PYVOCSEP_VST3)
  pyvocsep_add_tests(vst3_tests csrc/tests/main.cpp csrc/tests/allocations.cpp csrc/tests/vst3_host.cpp)
  target_compile_definitions(vst3_tests PRIVATE PYVOCSEP_VST3="$<TARGET_FILE:pyvocsep_vst3>")
  add_dependencies(vst3_tests pyvocsep_vst3)
endif()
if(PYVOCSEP_LV2)
  pyvocsep_add_tests(lv2_tests csrc/tests/main.cpp csrc/tests/allocations.cpp csrc/tests/lv2_host.cpp
                     csrc/plugins/common/parameters.cpp)
  target_compile_definitions(lv2_tests PRIVATE PYVOCSEP_LV2="$<TARGET_FILE:pyvocsep_lv2>")
  add_dependencies(lv2_tests pyvocsep_lv2)
endif()

file(GLOB test_sources CONFIGURE_DEPENDS csrc/tests/*.cpp)
list(FILTER test_sources EXCLUDE REGEX _host)
pyvocsep_add_tests(core_tests ${test_sources})
if(PYVOCSEP_EMBED_WEIGHTS)
  target_compile_definitions(core_tests PRIVATE PYVOCSEP_EMBED_WEIGHTS)
endif()
# The kernels are tested for every instruction set; what is built on them, for each that can be forced.
foreach(isa baseline avx2 avx512 neon)
  add_test(NAME core_tests_${isa} COMMAND core_tests --source-file=*test_separator*,*test_fft*,*test_stft*)
  set_tests_properties(core_tests_${isa} PROPERTIES ENVIRONMENT PYVOCSEP_ISA=${isa} SKIP_REGULAR_EXPRESSION
                                                    "is not an instruction set of this machine")
endforeach()
