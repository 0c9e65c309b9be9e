// Model as Python holds it, and its arrays as the core takes them: shared by the files that bind
// its methods.
#pragma once

#include <string>
#include <utility>
#include <vector>

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
  std::vector<py::array> kept;
  model::Examples<T> examples;

  Inputs() = default;
  // A sequence with an item for each input: values, int32 ids, or a tuple of these, perhaps with a
  // mask, of bool, at its end.
  Inputs(const char* op, const py::sequence& x, const char* x_name = "x") {
    const std::size_t count = x.size();
    for (std::size_t k = 0; k < count; ++k) {
      const std::string name = model::numbered(x_name, k, count);
      const py::object item = x[k];
      model::InputArray<T>& input = examples.in.inputs.emplace_back();
      if (PyTuple_CheckExact(item.ptr())) {
        const auto both = py::reinterpret_borrow<py::tuple>(item);
        LF_CHECK(both.size() >= 2, "[" << op << "] " << name << " has " << both.size()
                                       << " items; expected values, ids or a mask");
        for (const auto& part : both)
          add(op, name, py::reinterpret_borrow<py::object>(part), input);
      } else {
        add(op, name, item, input);
      }
    }
  }
  // y: a sequence with an item for each output, or None where it has no loss; weights: empty, or
  // alike.
  Inputs(const char* op, const py::sequence& x, const py::sequence& y, const py::sequence& weights,
         const char* x_name = "x", const char* y_name = "y",
         const char* weights_name = "sample_weight")
      : Inputs(op, x, x_name) {
    LF_CHECK(weights.size() == 0 || weights.size() == y.size(),
             "[" << op << "] " << weights_name << " has " << weights.size() << " items; expected "
                 << y.size() << ", one for each output");
    for (std::size_t k = 0; k < y.size(); ++k) {
      model::Target<T>& target = examples.targets.emplace_back();
      const py::object item = y[k];
      if (item.is_none()) continue;
      const auto array = take_target<T>(op, model::numbered(y_name, k, y.size()).c_str(), item);
      target.y = array.data();
      target.shape = sizes_of(array);
      kept.push_back(array);
      if (weights.size() > 0)
        weigh(op, model::numbered(weights_name, k, y.size()), weights[k], target);
    }
  }

 private:
  void add(const char* op, const std::string& name, const py::object& value,
           model::InputArray<T>& input) {
    const bool ids = py::isinstance<py::array_t<std::int32_t>>(value);
    py::array array;
    if (py::isinstance<py::array_t<bool>>(value) && input.shape.rank > 0) {
      const auto mask = take<bool>(op, (name + "'s mask").c_str(), value);
      LF_CHECK(mask.ndim() > 0 && mask.shape(0) == examples.in.count &&
                   mask.size() == examples.in.count * input.mask_size(),
               "[" << op << "] " << name << "'s mask has shape " << shape_of(mask).text()
                   << "; expected one to match " << input.shape.text());
      input.mask = reinterpret_cast<const unsigned char*>(mask.data());
      kept.push_back(mask);
      return;
    }
    if (ids) {
      const auto taken = take<std::int32_t>(op, name.c_str(), value);
      input.ids = taken.data();
      array = taken;
    } else {
      const auto taken = take<T>(op, name.c_str(), value);
      input.values = taken.data();
      array = taken;
    }
    LF_CHECK(array.ndim() >= 1,
             "[" << op << "] " << name << " has no axes; expected samples first");
    const bool first = examples.in.inputs.size() == 1 && kept.empty();
    LF_CHECK(first || examples.in.count == array.shape(0),
             "[" << op << "] " << name << " has " << array.shape(0) << " samples; expected "
                 << examples.in.count << ", as many as the first input");
    examples.in.count = array.shape(0);
    input.shape = {};
    append_sizes(input.shape, array, 1);
    kept.push_back(std::move(array));
  }
  // [samples], or one for each row of the prediction; None: there are none.
  void weigh(const char* op, const std::string& name, const py::object& value,
             model::Target<T>& target) {
    const auto weights = Taker{op}.optional<T>(name.c_str(), value);
    if (!weights) return;
    LF_CHECK(weights.ndim() >= 1 && weights.shape(0) == examples.in.count,
             "[" << op << "] " << name << " has shape " << shape_of(weights).text()
                 << "; expected (" << examples.in.count << ", ...)");
    target.weights = weights.data();
    target.weights_each = examples.in.count > 0 ? weights.size() / examples.in.count : 1;
    kept.push_back(weights);
  }
};

void bind_training(py::class_<PythonModel>& model);
void bind_files(py::module_& module, py::class_<PythonModel>& model);

}  // namespace lstmfast::bindings
