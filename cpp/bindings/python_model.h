// Model as Python holds it, and its arrays as the core takes them: shared by the files that bind
// its methods.
#pragma once

#include <utility>

#include "api/any_model.h"
#include "bindings/numpy.h"
#include "bindings/python_functions.h"

namespace lstmfast::bindings {

using api::Element;

struct PythonModel : api::AnyModel {
  PythonFunctions functions;  // what the model was compiled with

  explicit PythonModel(api::AnyModel model, PythonFunctions functions_ = {})
      : api::AnyModel(std::move(model)), functions(std::move(functions_)) {}
};

// Arrays with the pointers the core takes; the arrays keep the memory alive.
template <class T>
struct Inputs {
  py::array_t<T> x, y, weights;
  model::Examples<T> examples;

  Inputs(const char* op, py::handle x_value, const char* x_name = "x")
      : Inputs(op, take<T>(op, x_name, x_value), x_name) {}
  Inputs(const char* op, py::array_t<T> taken, const char* x_name) : x(std::move(taken)) {
    LF_CHECK(x.ndim() >= 1, "[" << op << "] " << x_name << " has no axes; expected samples first");
    layers::Shape shape;
    for (py::ssize_t i = 1; i < x.ndim(); ++i) shape.append(x.shape(i));
    examples.in = {x.data(), x.shape(0), shape};
  }
  Inputs(const char* op, py::handle x_value, py::handle y_value, const char* x_name = "x",
         const char* y_name = "y")
      : Inputs(op, x_value, x_name) {
    y = take_target<T>(op, y_name, y_value);
    examples.y = y.data();
    examples.y_shape = sizes_of(y);
  }

  // sample_weight: [samples], or one for each row of the prediction; None: there are none.
  void weigh(const char* op, const char* name, py::handle value) {
    weights = take_optional<T>(op, name, value);
    if (!weights) return;
    LF_CHECK(weights.ndim() >= 1 && weights.shape(0) == examples.in.count,
             "[" << op << "] " << name << " has shape " << shape_of(weights).text()
                 << "; expected (" << examples.in.count << ", ...)");
    examples.weights = weights.data();
    examples.weights_each = examples.in.count > 0 ? weights.size() / examples.in.count : 1;
  }
};

void bind_layers(py::class_<PythonModel>& model);
void bind_training(py::class_<PythonModel>& model);
void bind_files(py::module_& module, py::class_<PythonModel>& model);

}  // namespace lstmfast::bindings
