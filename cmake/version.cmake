# Sets `version`, three numbers: those of the last tag, v1.2.3, as pip (setuptools-scm), git or an archive made by git
# tells, and where none of them does, fallback_version of pyproject.toml.
set(version ${SKBUILD_PROJECT_VERSION})
if(NOT version)
  execute_process(COMMAND git describe --tags --match "v[0-9]*" WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
                  OUTPUT_VARIABLE version ERROR_QUIET)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/.git_archival.txt)
    file(STRINGS .git_archival.txt archived REGEX "^describe-name: v[0-9]")
  endif()
  file(STRINGS pyproject.toml fallback REGEX "^fallback_version = ")
  string(APPEND version ${archived} ${fallback})
endif()
string(REGEX MATCH "[0-9]+(\\.[0-9]+)*" version "${version}")
while(NOT version MATCHES "\\..*\\.")
  string(APPEND version .0)
endwhile()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS pyproject.toml)
