# The compilers that will do, and the flags for all sources.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang|IntelLLVM")
  message(FATAL_ERROR "pyvocsep is written with the vector types of GCC and Clang, which ${CMAKE_CXX_COMPILER_ID} lacks. "
                      "On Windows take clang-cl, which Visual Studio has as the component \"C++ Clang tools\": "
                      "-G Ninja -DCMAKE_CXX_COMPILER=clang-cl, or -T ClangCL with the generator of Visual Studio")
endif()
list(LENGTH CMAKE_OSX_ARCHITECTURES architectures)
if(architectures GREATER 1)
  message(FATAL_ERROR "CMAKE_OSX_ARCHITECTURES is ${CMAKE_OSX_ARCHITECTURES}, but kernels are compiled for one processor "
                      "at a time: build for each, and join the files with lipo")
endif()

# Exactness: an operation is fused only where the source says fma(), so every path gives the same bits.
set(flags -O3 -ffp-contract=off -fno-math-errno)
set(warnings -Wall -Wextra)
set(errors -Werror)
if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")  # clang-cl: Clang with the options of Microsoft's compiler
  list(TRANSFORM flags PREPEND /clang:)
  set(warnings /W4)  # what Clang elsewhere calls -Wall -Wextra
  set(errors /WX)
endif()
if(SKBUILD)
  set(CMAKE_MSVC_RUNTIME_LIBRARY MultiThreaded)  # Python brings a C library, but no C++ library
endif()
add_compile_options(${flags} ${warnings})
if(PYVOCSEP_WERROR)
  add_compile_options(${errors})
endif()
