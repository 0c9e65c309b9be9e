// Exceptions of the core as those of Python.
#include <exception>

#include "api/errors.h"
#include "bindings/bindings.h"

namespace lstmfast::bindings {

namespace py = pybind11;

namespace {

PyObject* type_of(api::ErrorKind kind) {
  switch (kind) {
    case api::ErrorKind::type:
      return PyExc_TypeError;
    case api::ErrorKind::value:
      return PyExc_ValueError;
    case api::ErrorKind::memory:
      return PyExc_MemoryError;
    case api::ErrorKind::os:
      return PyExc_OSError;
    case api::ErrorKind::floating_point:
      return PyExc_FloatingPointError;
    case api::ErrorKind::runtime:
      break;
  }
  return PyExc_RuntimeError;
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const py::error_already_set&) {
    throw;  // pybind11's own translator knows these two
  } catch (const py::builtin_exception&) {
    throw;
  } catch (const std::exception& error) {
    const api::ErrorKind kind = api::kind_of(error);
    if (kind == api::ErrorKind::os) {
      // OSError(errno, text) becomes FileNotFoundError, PermissionError, ... by its number.
      const py::object args = py::make_tuple(api::system_errno(error), error.what());
      PyErr_SetObject(PyExc_OSError, args.ptr());
    } else {
      PyErr_SetString(type_of(kind), error.what());
    }
  }
}

}  // namespace

void bind_errors(py::module_&) { py::register_exception_translator(&translate); }

}  // namespace lstmfast::bindings
