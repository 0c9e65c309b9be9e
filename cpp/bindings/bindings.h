// The parts of the extension module, one a file.
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

namespace lstmfast::bindings {

// The metaclass of our classes: plain `type`, since they have no static properties and stubs can
// then describe them.
inline pybind11::metaclass plain_type() {
  return pybind11::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
}

// A method of Self, one of the classes of api/any.h: f(the object that it holds, arguments...).
template <class Self, class... Args, class F>
auto visiting(F f) {
  return [f](const Self& self, Args... args) {
    return self.visit([&](auto& held) { return f(held, std::forward<Args>(args)...); });
  };
}

void bind_errors(pybind11::module_& module);
void bind_runtime(pybind11::module_& module);
void bind_initializers(pybind11::module_& module);
void bind_options(pybind11::module_& module);
void bind_losses(pybind11::module_& module);
void bind_layers(pybind11::module_& module);
void bind_metrics(pybind11::module_& module);
void bind_model(pybind11::module_& module);
void bind_rnn(pybind11::module_& module);
void bind_stream(pybind11::module_& module);
void bind_testing(pybind11::module_& module);

}  // namespace lstmfast::bindings
