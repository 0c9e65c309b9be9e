// Layers as Python holds them: shared by the files that bind their methods.
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

#include "api/any_layer.h"

namespace lstmfast::bindings {

namespace py = pybind11;
using api::AnyLayer;

// f(layers::Layer<T>&).
template <class F>
decltype(auto) visit(const AnyLayer& self, F f) {
  return self.visit([&](const auto& layer) -> decltype(auto) { return f(*layer); });
}

template <class T>
T element(const layers::Layer<T>&);  // names T in unevaluated context
template <class L>
using ElementOf = decltype(element(std::declval<L&>()));

void bind_layer_weights(py::class_<AnyLayer>& layer);
void bind_layer_call(py::class_<AnyLayer>& layer);

}  // namespace lstmfast::bindings
