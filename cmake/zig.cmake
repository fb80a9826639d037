# A toolchain that compiles for other systems with Zig's Clang, which brings their headers and libraries along:
#
#   pip install ziglang
#   cmake -S . -B build --toolchain cmake/zig.cmake -DPYVOCSEP_ZIG=".../ziglang/zig" -DPYVOCSEP_TARGET=aarch64-linux-gnu.2.28
#
# PYVOCSEP_TARGET is what `zig c++ -target` takes: a processor, a system with its least version, a C library with its own.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PYVOCSEP_TARGET PYVOCSEP_ZIG)
if(NOT PYVOCSEP_TARGET MATCHES "^(x86_64|aarch64|arm)-(linux|macos|windows)")
  message(FATAL_ERROR "PYVOCSEP_TARGET is '${PYVOCSEP_TARGET}'; known are x86_64, aarch64 and arm, each followed by -linux-gnu, "
                      "-linux-musl, -macos or -windows-gnu and their versions, such as x86_64-linux-gnu.2.28")
endif()
set(processor ${CMAKE_MATCH_1})
set(system ${CMAKE_MATCH_2})
find_program(PYVOCSEP_ZIG zig REQUIRED)

string(REPLACE "linux" Linux CMAKE_SYSTEM_NAME ${system})
string(REPLACE "macos" Darwin CMAKE_SYSTEM_NAME ${CMAKE_SYSTEM_NAME})
string(REPLACE "windows" Windows CMAKE_SYSTEM_NAME ${CMAKE_SYSTEM_NAME})
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(cpu)
if(processor STREQUAL "arm")
  set(CMAKE_SYSTEM_PROCESSOR armv7l)
  set(cpu -mcpu=generic+v7a+vfp3d16-neon)  # as Debian's armhf
  set(PYVOCSEP_NEON_FLAGS -mcpu=cortex_a7 CACHE STRING "")  # zig takes no -mfpu
elseif(processor STREQUAL "aarch64")
  set(PYVOCSEP_NEONBF16_FLAGS -mcpu=generic+bf16 CACHE STRING "")  # nor these -march
  set(PYVOCSEP_NEONDOT_FLAGS -mcpu=generic+dotprod CACHE STRING "")
endif()
set(CMAKE_CXX_COMPILER ${PYVOCSEP_ZIG} c++ -target ${PYVOCSEP_TARGET} ${cpu})

if(system STREQUAL "macos")
  set(CMAKE_CXX_FLAGS_INIT -DDBL_EPSILON=__DBL_EPSILON__)  # Apple's float.h takes it away, after Clang's gave it
  # Zig links no bundles, which modules are on macOS: it makes libraries of them. Read after CMake's own choice.
  set(CMAKE_PROJECT_INCLUDE ${CMAKE_BINARY_DIR}/zig/modules.cmake)
  file(WRITE ${CMAKE_PROJECT_INCLUDE} "set(CMAKE_SHARED_MODULE_CREATE_CXX_FLAGS -dynamiclib)\n")
endif()

# CMake takes the names of these tools without arguments.
foreach(tool ar ranlib rc)
  string(TOUPPER ${tool} variable)
  set(script ${CMAKE_BINARY_DIR}/zig/${tool})
  if(NOT EXISTS ${script})
    file(WRITE ${script} "#!/bin/sh\nexec '${PYVOCSEP_ZIG}' ${tool} \"$@\"\n")
    file(CHMOD ${script} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  endif()
  set(CMAKE_${variable} ${script})
endforeach()
set(CMAKE_RC_COMPILER ${CMAKE_RC})
set(CMAKE_INSTALL_NAME_TOOL true)  # the command: nothing that is built here is renamed

# Nothing of this machine.
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
