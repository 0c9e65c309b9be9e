// Exceptions of the core as those of Python.
#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>

#include "base/options.h"
#include "bindings/bindings.h"
#include "model/trainer.h"

namespace lstmfast::bindings {

namespace py = pybind11;

namespace {

template <class E>
bool is(const std::exception& error) {
  return dynamic_cast<const E*>(&error) != nullptr;
}

// What was wrong with an argument is a TypeError or a ValueError; a RuntimeError is a call at the
// wrong time.
PyObject* type_of(const std::exception& error) {
  if (is<std::bad_alloc>(error)) return PyExc_MemoryError;
  if (is<model::NonFinite>(error)) return PyExc_FloatingPointError;
  if (is<base::WrongType>(error)) return PyExc_TypeError;
  if (is<std::logic_error>(error)) return PyExc_ValueError;  // std::invalid_argument is one
  return PyExc_RuntimeError;
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const py::error_already_set&) {
    throw;  // pybind11's own translator knows these two
  } catch (const py::builtin_exception&) {
    throw;
  } catch (const std::system_error& error) {
    // OSError(errno, text) becomes FileNotFoundError, PermissionError, ... by its number.
    const py::object args = py::make_tuple(error.code().value(), error.what());
    PyErr_SetObject(PyExc_OSError, args.ptr());
  } catch (const std::exception& error) {
    PyErr_SetString(type_of(error), error.what());
  }
}

}  // namespace

void bind_errors(py::module_&) { py::register_exception_translator(&translate); }

}  // namespace lstmfast::bindings
