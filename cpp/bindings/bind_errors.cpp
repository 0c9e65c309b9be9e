// C++ exceptions that pybind11 does not map by itself.
#include <exception>
#include <system_error>

#include "bindings/bindings.h"
#include "model/trainer.h"

namespace lstmfast::bindings {

namespace py = pybind11;

void bind_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const std::system_error& error) {
      // OSError(errno, text) becomes FileNotFoundError, PermissionError, ... by its number.
      const py::object args = py::make_tuple(error.code().value(), error.what());
      PyErr_SetObject(PyExc_OSError, args.ptr());
    } catch (const model::NonFinite& error) {
      PyErr_SetString(PyExc_FloatingPointError, error.what());
    }
  });
}

}  // namespace lstmfast::bindings
