// The parts of the extension module, one a file.
#pragma once

#include <pybind11/pybind11.h>

namespace lstmfast::bindings {

// The metaclass of our classes: plain `type`, since they have no static properties and stubs can
// then describe them.
inline pybind11::metaclass plain_type() {
  return pybind11::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
}

void bind_errors(pybind11::module_& module);
void bind_runtime(pybind11::module_& module);
void bind_initializers(pybind11::module_& module);
void bind_options(pybind11::module_& module);
void bind_layers(pybind11::module_& module);
void bind_model(pybind11::module_& module);
void bind_rnn(pybind11::module_& module);
void bind_testing(pybind11::module_& module);

}  // namespace lstmfast::bindings
