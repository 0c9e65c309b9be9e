// class Model: the engine of lstmfast.models.Sequential.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/hooks.h"
#include "bindings/numpy.h"
#include "model/model_file.h"
#include "model/trainer.h"

namespace lstmfast::bindings {
namespace {

using Map = model::FlatConfig::Map;

// One class in Python over the core's two.
struct AnyModel {
  std::variant<std::unique_ptr<model::Model<float>>, std::unique_ptr<model::Model<double>>> model;

  template <class T>
  explicit AnyModel(std::unique_ptr<model::Model<T>> m) : model(std::move(m)) {}

  // f(model::Model<T>&)
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit([&](const auto& pointer) -> decltype(auto) { return f(*pointer); }, model);
  }
};

template <class T>
T element(const model::Model<T>&);  // names T in unevaluated context

template <class M>
using Element = decltype(element(std::declval<M&>()));

std::unique_ptr<AnyModel> make_model(Map config, const std::optional<std::string>& dtype) {
  if (dtype) {
    const auto [at, is_new] = config.emplace("dtype", *dtype);
    LF_CHECK(is_new || at->second == *dtype, "[model.config] dtype is " << at->second << "; expected "
                                                                        << *dtype
                                                                        << " to match the argument");
  }
  if (model::dtype_name_of(config) == "float64") {
    return std::make_unique<AnyModel>(
        std::make_unique<model::Model<double>>(model::read_definition<double>(config)));
  }
  return std::make_unique<AnyModel>(
      std::make_unique<model::Model<float>>(model::read_definition<float>(config)));
}

// Arrays with the pointers the core takes; the arrays keep the memory alive.
template <class T>
struct Inputs {
  py::array_t<T> x, y;
  model::Examples<T> examples;

  Inputs(const char* op, py::handle x_value, const char* x_name = "x")
      : x(take<T>(op, x_name, x_value)) {
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
};

py::dict scores_dict(const model::Scores& scores) {
  return logs_dict({scores.names.data(), scores.values.data(),
                    static_cast<index>(scores.names.size())});
}

model::OnNonFinite on_nonfinite_of(const std::string& text) {
  if (text == "raise") return model::OnNonFinite::raise;
  if (text == "stop") return model::OnNonFinite::stop;
  LF_CHECK(text == "ignore", "[model.fit] on_nonfinite is '"
                                 << text << "'; expected one of 'raise', 'stop', 'ignore'");
  return model::OnNonFinite::ignore;
}

py::dict fit(AnyModel& self, const py::object& x, const py::object& y, index batch_size, index epochs,
             index initial_epoch, bool shuffle, const py::object& x_val, const py::object& y_val,
             std::optional<index> validation_batch_size, const std::string& on_nonfinite,
             py::object on_epoch_begin, py::object on_epoch, py::object on_batch_begin,
             py::object on_batch, py::object on_tick) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.fit";
    const Inputs<T> train(op, x, y);
    std::optional<Inputs<T>> held_out;
    if (!x_val.is_none()) held_out.emplace(op, x_val, y_val, "x_val", "y_val");
    model::FitOptions options;
    options.batch_size = batch_size;
    options.epochs = epochs;
    options.initial_epoch = initial_epoch;
    options.shuffle = shuffle;
    options.validation_batch_size = validation_batch_size.value_or(batch_size);
    options.on_nonfinite = on_nonfinite_of(on_nonfinite);
    Hooks hooks{std::move(on_epoch_begin), std::move(on_epoch), std::move(on_batch_begin),
                std::move(on_batch), std::move(on_tick)};
    hooks.check(op);
    const model::Examples<T>* validation = held_out ? &held_out->examples : nullptr;
    model::History history;
    {
      const MaybeRelease release(
          model::fit_flops(model, train.examples, validation, epochs - initial_epoch));
      history = model::fit(model, train.examples, validation, options, hooks.callbacks());
    }
    py::dict out;
    for (std::size_t i = 0; i < history.names.size(); ++i) {
      out[py::str(history.names[i])] = py::cast(history.values[i]);
    }
    return out;
  });
}

py::dict evaluate(const AnyModel& self, const py::object& x, const py::object& y,
                  std::optional<index> batch_size, const char* op) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const Inputs<T> data(op, x, y);
    Hooks hooks;
    model::Scores scores;
    {
      const MaybeRelease release(model::forward_flops(model, data.examples.in));
      const index size = batch_size.value_or(std::max<index>(1, data.examples.in.count));
      scores = model::evaluate(model, data.examples, size, hooks.callbacks(), op);
    }
    return scores_dict(scores);
  });
}

py::dict train_on_batch(AnyModel& self, const py::object& x, const py::object& y) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const Inputs<T> data("model.train_on_batch", x, y);
    model::Scores scores;
    {
      const MaybeRelease release(model::fit_flops<T>(model, data.examples, nullptr, 1));
      scores = model::train_on_batch(model, data.examples);
    }
    return scores_dict(scores);
  });
}

py::array predict(const AnyModel& self, const py::object& x, index batch_size) {
  return self.visit([&](auto& model) -> py::array {
    using T = Element<decltype(model)>;
    const char* const op = "model.predict";
    const Inputs<T> data(op, x);
    const model::Samples<T>& samples = data.examples.in;
    py::array_t<T> out =
        new_array<T>(model.output_shape(op, samples).with_batch(samples.count));
    T* const pointer = out.mutable_data();
    Hooks hooks;
    const MaybeRelease release(model::forward_flops(model, samples));
    model.predict(samples, batch_size, pointer, hooks.callbacks());
    return out;
  });
}

py::list layer_dicts(const AnyModel& self) {
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

py::list weight_names(const AnyModel& self) {
  return self.visit([](auto& model) {
    py::list out;
    for (const layers::Parameter& parameter : model.definition().parameters()) {
      out.append(py::make_tuple(model::top_layer(parameter), parameter.name,
                                shape_tuple(parameter.shape)));
    }
    return out;
  });
}

py::list get_weights(const AnyModel& self) {
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

void set_weights(AnyModel& self, const py::sequence& weights) {
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
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].import_from(arrays[i].data(), model.values());
    }
  });
}

using Path = std::filesystem::path;

void save(const AnyModel& self, const Path& path, const Map& extra, bool include_optimizer) {
  const py::gil_scoped_release release;  // the disk may take long
  self.visit([&](auto& model) { model::save_model(model, path.string(), extra, include_optimizer); });
}

py::tuple load(const Path& path) {
  std::unique_ptr<AnyModel> model;
  Map extra;
  {
    const py::gil_scoped_release release;
    const model::ModelFile file(path.string());
    extra = file.extra();
    model = file.dtype() == "float64" ? std::make_unique<AnyModel>(file.load<double>())
                                      : std::make_unique<AnyModel>(file.load<float>());
  }
  return py::make_tuple(std::move(model), extra);
}

template <class F>
auto with_optimizer(AnyModel& self, const char* op, F f) {
  return self.visit([&](auto& model) { return f(*model.training(op).optimizer); });
}

}  // namespace

void bind_model(py::module_& module) {
  const auto none = py::none();
  py::class_<AnyModel>(module, "Model", py::is_final(), plain_type())
      .def(py::init(&make_model), py::arg("config"), py::arg("dtype") = none)
      .def_property_readonly(
          "config",
          [](const AnyModel& self) {
            return self.visit([](auto& model) { return model.definition().config; });
          })
      .def_property_readonly(
          "compile_config",
          [](const AnyModel& self) -> std::optional<Map> {
            return self.visit([](auto& model) -> std::optional<Map> {
              if (!model.compiled()) return std::nullopt;
              return model.training("model.compile_config").config;
            });
          })
      .def_property_readonly(
          "input_shape",
          [](const AnyModel& self) {
            return self.visit([](auto& model) { return shape_tuple(model.definition().input); });
          })
      .def_property_readonly(
          "output_shape",
          [](const AnyModel& self) {
            return self.visit([](auto& model) { return shape_tuple(model.definition().output); });
          })
      .def("layers", &layer_dicts)
      .def("weight_names", &weight_names)
      .def("get_weights", &get_weights)
      .def("set_weights", &set_weights, py::arg("weights"))
      .def(
          "compile",
          [](AnyModel& self, const Map& config) {
            self.visit([&](auto& model) { model.compile(config); });
          },
          py::arg("config"))
      .def("fit", &fit, py::arg("x"), py::arg("y"), py::kw_only(), py::arg("batch_size"),
           py::arg("epochs"), py::arg("initial_epoch") = 0, py::arg("shuffle") = true,
           py::arg("x_val") = none, py::arg("y_val") = none,
           py::arg("validation_batch_size") = none, py::arg("on_nonfinite") = "raise",
           py::arg("on_epoch_begin") = none, py::arg("on_epoch") = none,
           py::arg("on_batch_begin") = none, py::arg("on_batch") = none,
           py::arg("on_tick") = none)
      .def(
          "evaluate",
          [](const AnyModel& self, const py::object& x, const py::object& y, index batch_size) {
            return evaluate(self, x, y, batch_size, "model.evaluate");
          },
          py::arg("x"), py::arg("y"), py::arg("batch_size"))
      .def("predict", &predict, py::arg("x"), py::arg("batch_size"))
      .def("train_on_batch", &train_on_batch, py::arg("x"), py::arg("y"))
      .def(
          "test_on_batch",
          [](const AnyModel& self, const py::object& x, const py::object& y) {
            return evaluate(self, x, y, std::nullopt, "model.test_on_batch");
          },
          py::arg("x"), py::arg("y"))
      .def_property(
          "learning_rate",
          [](AnyModel& self) {
            return with_optimizer(self, "model.learning_rate",
                                  [](auto& optimizer) { return optimizer.learning_rate(); });
          },
          [](AnyModel& self, double value) {
            with_optimizer(self, "model.learning_rate",
                           [value](auto& optimizer) { optimizer.set_learning_rate(value); });
          })
      .def_property_readonly("iterations",
                             [](AnyModel& self) {
                               return with_optimizer(
                                   self, "model.iterations",
                                   [](auto& optimizer) { return optimizer.iterations(); });
                             })
      .def("save", &save, py::arg("path"), py::arg("extra"), py::arg("include_optimizer"))
      .def_static("load", &load, py::arg("path"));
}

}  // namespace lstmfast::bindings
