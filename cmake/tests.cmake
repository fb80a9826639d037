# The C++ tests.

# doctest is one header. It is copied, because the folder where a system keeps it may have the headers of the C library,
# too, which are wrong ones when the tests are compiled for another system.
find_path(doctest_folder doctest/doctest.h REQUIRED NO_CMAKE_FIND_ROOT_PATH)
file(COPY ${doctest_folder}/doctest/doctest.h DESTINATION ${PROJECT_BINARY_DIR}/include/doctest)

function(pyvocsep_add_tests name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE csrc)
  target_include_directories(${name} SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/include)
  target_link_libraries(${name} PRIVATE pyvocsep_core ${CMAKE_DL_LIBS})
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
if(PYVOCSEP_COMPILES_FOR__x86_64__)
  # The kernels of AVX-VNNI and AVX512-BF16 once more, for processors that have AVX-512 without them.
  pyvocsep_add_kernels(core_tests csrc/kernels/kernels.cpp "avx2vnni_evex;avx512bf16_by_hand")
endif()
# Once more for each instruction set that can be forced: what is built on the kernels, and the kernels' products of other
# precisions, which go with the set in use.
foreach(isa baseline avx2 avx512 neon)
  add_test(NAME core_tests_${isa} COMMAND core_tests --source-file=*test_kernels*,*test_separator*,*test_fft*,*test_stft*)
  set_tests_properties(core_tests_${isa} PROPERTIES ENVIRONMENT PYVOCSEP_ISA=${isa} SKIP_REGULAR_EXPRESSION
                                                    "is not an instruction set of this machine")
endforeach()
