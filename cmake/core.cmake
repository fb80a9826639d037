# The library: pyvocsep::core for others, by its public headers; pyvocsep_core for the faces and tests of this project.
file(GLOB core_sources CONFIGURE_DEPENDS csrc/base/*.cpp csrc/dsp/*.cpp csrc/model/*.cpp csrc/nn/*.cpp csrc/engine/*.cpp)
add_library(pyvocsep_core STATIC ${core_sources} csrc/kernels/dispatch.cpp)
add_library(pyvocsep::core ALIAS pyvocsep_core)
set_target_properties(pyvocsep_core PROPERTIES OUTPUT_NAME pyvocsep EXPORT_NAME core)
target_include_directories(pyvocsep_core PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/csrc/include>
                                                $<INSTALL_INTERFACE:include>
                                         PRIVATE csrc)
target_compile_features(pyvocsep_core INTERFACE cxx_std_17)
set_source_files_properties(csrc/engine/c_api.cpp PROPERTIES COMPILE_DEFINITIONS PYVOCSEP_VERSION="${PROJECT_VERSION}")
target_link_libraries(pyvocsep_core PUBLIC Threads::Threads)
pyvocsep_add_kernels(pyvocsep_core csrc/kernels/kernels.cpp "${all_sets}")

if(PYVOCSEP_EMBED_WEIGHTS)
  set(default_model ${PROJECT_SOURCE_DIR}/pyvocsep/models/band-gru.safetensors)  # DEFAULT of pyvocsep.models
  set(embed_script ${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
  set(embedded_source ${PROJECT_BINARY_DIR}/embedded_model.cpp)
  add_custom_command(OUTPUT ${embedded_source} DEPENDS ${default_model} ${embed_script}
                     COMMAND ${CMAKE_COMMAND} -DINPUT=${default_model} -DOUTPUT=${embedded_source} -P ${embed_script})
  target_sources(pyvocsep_core PRIVATE ${embedded_source})
  set_source_files_properties(csrc/model/embedded.cpp PROPERTIES COMPILE_DEFINITIONS PYVOCSEP_EMBED_WEIGHTS)
endif()
