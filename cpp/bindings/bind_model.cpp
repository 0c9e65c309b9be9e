// class Model: the engine of lstmfast.models.Sequential. The methods that train it, and those that
// save and load it, have files of their own.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/fast_method.h"
#include "bindings/gil.h"
#include "bindings/hooks.h"
#include "bindings/init.h"
#include "bindings/python_model.h"
#include "bindings/values.h"

namespace lstmfast::bindings {
namespace {

std::unique_ptr<PythonModel> make_model(const py::dict& config,
                                        const std::optional<std::string>& dtype) {
  return std::make_unique<PythonModel>(api::make_model(to_options(config), dtype));
}

constexpr const char* kPredict = "model.predict";

template <class T>
py::object run_predict(const model::Model<T>& model, const Inputs<T>& data, index batch_size) {
  const model::Samples<T>& samples = data.examples.in;
  py::array_t<T> out =
      new_array<T>(model.output_shape(kPredict, samples).with_batch(samples.count));
  T* const pointer = out.mutable_data();
  {
    Hooks hooks;
    const MaybeRelease release(model::forward_flops(model, samples));
    model.predict(samples, batch_size, pointer, hooks.callbacks());
  }
  return out;
}

py::object predict(PythonModel& self, py::handle x, py::handle batch_size) {
  const index size = whole_number(batch_size);
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    return run_predict<T>(model, Inputs<T>(kPredict, x), size);
  });
}

// The plain call, for which a few samples would not wait: None unless x is as it must be.
// `batch_size`: where nothing carried on says how many samples go at a time.
py::object call(PythonModel& self, py::handle x, py::handle batch_size) {
  const index size = whole_number(batch_size);
  return self.visit([&](auto& model) -> py::object {
    using T = Element<decltype(model)>;
    if (!is_ready<T>(x)) return py::none();
    auto array = py::reinterpret_borrow<py::array_t<T>>(x);
    if (array.ndim() < 1) return py::none();
    const Inputs<T> data(kPredict, std::move(array), "x");
    if (!data.examples.in.shape.fits(model.definition().input)) return py::none();
    const index carried = model.carried().rows();
    return run_predict<T>(model, data, carried > 0 ? carried : size);
  });
}

py::list layer_dicts(const PythonModel& self) {
  return self.visit([](auto& model) {
    py::list out;
    for (const model::LayerInfo& layer : model.definition().layers) {
      py::dict item;
      item["kind"] = layer.kind;
      item["name"] = layer.name;
      item["output_shape"] = shape_tuple(layer.output);
      item["params"] = layer.parameters;
      out.append(item);
    }
    return out;
  });
}

py::list weight_names(const PythonModel& self) {
  return self.visit([](auto& model) {
    py::list out;
    for (const layers::Parameter& parameter : model.definition().parameters()) {
      const index layer = model::top_layer(parameter);
      // "kernel", or "forward.kernel" in a layer of layers
      const std::size_t top = ("layers." + std::to_string(layer)).size();
      const std::string inner = parameter.path.substr(std::min(top + 1, parameter.path.size()));
      out.append(py::make_tuple(layer,
                                inner.empty() ? parameter.name : inner + "." + parameter.name,
                                shape_tuple(parameter.shape)));
    }
    return out;
  });
}

py::list get_weights(const PythonModel& self) {
  return self.visit([](auto& model) {
    using T = Element<decltype(model)>;
    py::list out;
    for (const layers::Parameter& parameter : model.definition().parameters()) {
      py::array_t<T> weight = new_array<T>(parameter.shape);
      parameter.export_to(static_cast<const T*>(model.values()), weight.mutable_data());
      out.append(std::move(weight));
    }
    return out;
  });
}

void set_weights(PythonModel& self, const py::sequence& weights) {
  self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.set_weights";
    const auto& parameters = model.definition().parameters();
    LF_CHECK(weights.size() == parameters.size(), "[" << op << "] weights has " << weights.size()
                                                      << " arrays; expected " << parameters.size());
    // All are checked before the first is set.
    std::vector<py::array_t<T>> arrays;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const layers::Parameter& parameter = parameters[i];
      const std::string name = parameter.path + "." + parameter.name;
      arrays.push_back(take<T>(op, name.c_str(), weights[i]));
      LF_CHECK(sizes_of(arrays.back()) == parameter.shape,
               "[" << op << "] " << name << " has shape " << shape_of(arrays.back()).text()
                   << "; expected " << layers::Shape(parameter.shape).text());
    }
    // nested: callbacks of a fit may set weights
    const base::Busy busy(model.busy(), op, base::Busy::Kind::reading);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].import_from(arrays[i].data(), model.values());
    }
  });
}

// f(), while no other call trains the model or reads its training state.
py::object alone(const PythonModel& self, const std::string& op, const py::object& f) {
  return self.visit([&](auto& model) {
    const base::Busy busy(model.busy(), op.c_str());
    return call_python(f);
  });
}

// The garbage collector must see what a model holds of Python: a loss may well know its model.
PythonFunctions* functions_of(PyObject* self) {
  auto* const instance = reinterpret_cast<py::detail::instance*>(self);
  const bool made = instance->get_value_and_holder().holder_constructed();
  return made ? &py::cast<PythonModel&>(py::handle(self)).functions : nullptr;
}

void collect_garbage(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) -> int {
    Py_VISIT(Py_TYPE(self));
    const PythonFunctions* const functions = functions_of(self);
    return functions == nullptr ? 0 : functions->visit(visit, arg);
  };
  type.tp_clear = [](PyObject* self) -> int {
    if (PythonFunctions* const functions = functions_of(self)) functions->clear();
    return 0;
  };
}

}  // namespace

void bind_model(py::module_& module) {
  const auto none = py::none();
  py::class_<PythonModel> model(module, "Model", py::is_final(), plain_type(),
                                py::custom_type_setup(&collect_garbage));
  def_init(model, &make_model, py::arg("config"), py::arg("dtype") = none);
  model
      .def_property_readonly(
          "config",
          [](const PythonModel& self) {
            return self.visit([](auto& model) { return from_options(model.definition().config); });
          })
      .def_property_readonly("compile_config",
                             [](const PythonModel& self) -> std::optional<py::dict> {
                               return self.visit([](auto& model) -> std::optional<py::dict> {
                                 const auto training = model.training();
                                 if (training == nullptr) return std::nullopt;
                                 return from_options(training->config);
                               });
                             })
      .def_property_readonly(
          "input_shape",
          [](const PythonModel& self) {
            return self.visit([](auto& model) { return shape_tuple(model.definition().input); });
          })
      .def_property_readonly(
          "output_shape",
          [](const PythonModel& self) {
            return self.visit([](auto& model) { return shape_tuple(model.definition().output); });
          })
      .def("layers", &layer_dicts)
      .def("weight_names", &weight_names)
      .def("get_weights", &get_weights)
      .def("set_weights", &set_weights, py::arg("weights"))
      .def("alone", &alone, py::arg("op"), py::arg("f"));
  def_fast<&call>(model, "call", "call($self, x, batch_size, /)\n--\n\n");
  def_fast<&predict>(model, "predict", "predict($self, x, batch_size, /)\n--\n\n");
  bind_layers(model);
  bind_training(model);
  bind_files(module, model);
}

}  // namespace lstmfast::bindings
