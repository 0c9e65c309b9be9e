// Layers as Python holds them: shared by the files that bind their methods.
#pragma once

#include <pybind11/pybind11.h>

#include "api/any_layer.h"

namespace lstmfast::bindings {

namespace py = pybind11;
using api::AnyLayer;
using api::Element;

void bind_layer_call(py::class_<AnyLayer>& layer);

}  // namespace lstmfast::bindings
