// What the core throws, as Python's exceptions; and paths, which need not be UTF-8.
#pragma once

#include <pybind11/pybind11.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

namespace pyvocsep {

// A message may hold a path of any bytes: they come through as Python's own messages have them.
inline pybind11::object message_of(const std::exception& error) {
  return pybind11::reinterpret_steal<pybind11::object>(PyUnicode_DecodeFSDefault(error.what()));
}

// For the module that is being defined alone: other modules have exceptions of their own.
inline void register_errors() {
  pybind11::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const pybind11::builtin_exception&) {
      throw;
    } catch (const std::system_error& error) {
      const int code = error.code().value();
      PyErr_SetObject(PyExc_OSError, pybind11::make_tuple(code, message_of(error)).ptr());
    } catch (const std::invalid_argument& error) {
      PyErr_SetObject(PyExc_ValueError, message_of(error).ptr());
    } catch (const std::runtime_error& error) {
      PyErr_SetObject(PyExc_RuntimeError, message_of(error).ptr());
    }
  });
}

// A str, bytes or os.PathLike as the system's bytes. TypeError and ValueError as from open().
inline std::string path_bytes(const pybind11::object& path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::bytes>(bytes);
}

}  // namespace pyvocsep
