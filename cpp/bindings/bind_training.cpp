// The methods of class Model that train and score.
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/hooks.h"
#include "bindings/python_model.h"
#include "bindings/python_source.h"
#include "bindings/values.h"
#include "model/non_finite.h"

namespace lstmfast::bindings {
namespace {

constexpr double kStepFlops = 3;  // of a training step: so many times those of forward

py::dict scores_dict(const model::Scores& scores) {
  return dict_of(scores.names.data(), scores.values.data(), scores.names.size());
}

py::dict history_dict(const model::History& history) {
  py::dict out;
  for (const std::string& name : history.names) out[py::str(name)] = py::list();
  for (const std::vector<double>& epoch : history.epochs) {
    for (const auto& [name, value] : dict_of(history.names.data(), epoch.data(), epoch.size())) {
      out[name].cast<py::list>().append(value);
    }
  }
  return out;
}

void compile(PythonModel& self, const base::Options& config, const py::object& losses,
             const py::object& metrics, const py::object& schedule) {
  PythonFunctions functions("model.compile", losses, metrics, schedule);
  self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    model.compile(config, functions.get<T>(config));
  });
  std::swap(self.functions, functions);
}

const std::map<std::string, model::OnNonFinite> kOnNonFinite = {
    {"raise", model::OnNonFinite::raise},
    {"stop", model::OnNonFinite::stop},
    {"ignore", model::OnNonFinite::ignore}};

// y None: x is an object that gives batches, see PythonSource.
py::dict fit(PythonModel& self, const py::object& x, const py::object& y, index batch_size,
             index epochs, index initial_epoch, bool shuffle, const py::object& x_val,
             const py::sequence& y_val, std::optional<index> validation_batch_size,
             const py::sequence& weights, const py::sequence& weights_val, bool validate,
             const std::string& on_nonfinite, py::object on_train_begin, py::object on_epoch_begin,
             py::object on_epoch, py::object on_batch_begin, py::object on_batch,
             py::object on_tick) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.fit";
    std::optional<Inputs<T>> held_out;
    if (!x_val.is_none()) {
      held_out.emplace(op, x_val.cast<py::sequence>(), y_val, weights_val, "x_val", "y_val",
                       "weights_val");
    }
    model::FitOptions options;
    options.batch_size = batch_size;
    options.epochs = epochs;
    options.initial_epoch = initial_epoch;
    options.shuffle = shuffle;
    options.validation_batch_size = validation_batch_size.value_or(batch_size);
    options.validate = validate;
    options.on_nonfinite = kOnNonFinite.at(on_nonfinite);
    Hooks hooks{std::move(on_train_begin), std::move(on_epoch_begin), std::move(on_epoch),
                std::move(on_batch_begin), std::move(on_batch),       std::move(on_tick)};
    const model::Examples<T>* validation = held_out ? &held_out->examples : nullptr;
    model::History history;
    try {
      if (y.is_none()) {
        PythonSource<T> source(op, x);
        may_release(kReleaseFlops, [&] {
          model::fit(model, source.core(), validation, options, hooks.callbacks(), history);
        });
      } else {
        const Inputs<T> train(op, x, y, weights);
        double flops = kStepFlops * model.flops(op, train.examples.in);
        if (held_out) flops += model.flops(op, held_out->examples.in);
        may_release(flops * static_cast<double>(epochs - initial_epoch), [&] {
          model::fit(model, train.examples, validation, options, hooks.callbacks(), history);
        });
      }
    } catch (...) {
      // a fit that was refused has none, and leaves that of the one before
      if (!history.names.empty()) self.history = std::move(history);
      throw;
    }
    self.history = std::move(history);
    return history_dict(self.history);
  });
}

py::dict evaluate(const PythonModel& self, const py::object& x, const py::object& y,
                  index batch_size, const py::sequence& weights, const char* op,
                  py::object on_batch_begin, py::object on_batch) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    Hooks hooks;
    hooks.batch_begin = on_batch_begin;
    hooks.batch_end = on_batch;
    if (y.is_none()) {
      PythonSource<T> source(op, x);
      return scores_dict(may_release(kReleaseFlops, [&] {
        return model::evaluate(model, source.core(), hooks.callbacks(), op);
      }));
    }
    const Inputs<T> data(op, x, y, weights);
    return scores_dict(may_release(model.flops(op, data.examples.in), [&] {
      return model::evaluate(model, data.examples, batch_size, hooks.callbacks(), op);
    }));
  });
}

std::string non_finite_text(const PythonModel& self, const py::sequence& x, const py::sequence& y,
                            const py::sequence& weights, const std::array<std::string, 3>& names) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.non_finite_text";
    const Inputs<T> data(op, x, y, weights);
    const auto shapes = model.shapes(op, data.examples.in);
    return model::non_finite_text(data.examples, shapes->outputs, nullptr, index{0},
                                  data.examples.in.count, {names[0], names[1], names[2]});
  });
}

py::dict train_on_batch(PythonModel& self, const py::sequence& x, const py::sequence& y,
                        const py::sequence& weights) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.train_on_batch";
    const Inputs<T> data(op, x, y, weights);
    return scores_dict(may_release(kStepFlops * model.flops(op, data.examples.in),
                                   [&] { return model::train_on_batch(model, data.examples); }));
  });
}

}  // namespace

void bind_training(py::class_<PythonModel>& model) {
  const auto none = py::none();
  model
      .def("compile", &compile, py::arg("config"), py::arg("losses") = py::tuple(),
           py::arg("metrics") = py::tuple(), py::arg("schedule") = none)
      .def("fit", &fit, py::arg("x"), py::arg("y"), py::kw_only(), py::arg("batch_size"),
           py::arg("epochs"), py::arg("initial_epoch") = 0, py::arg("shuffle") = true,
           py::arg("x_val") = none, py::arg("y_val") = py::tuple(),
           py::arg("validation_batch_size") = none, py::arg("weights") = py::tuple(),
           py::arg("weights_val") = py::tuple(), py::arg("validate") = true,
           py::arg("on_nonfinite") = "raise", py::arg("on_train_begin") = none,
           py::arg("on_epoch_begin") = none, py::arg("on_epoch") = none,
           py::arg("on_batch_begin") = none, py::arg("on_batch") = none, py::arg("on_tick") = none)
      .def_property_readonly("history",
                             [](const PythonModel& self) { return history_dict(self.history); })
      .def("evaluate", &evaluate, py::arg("x"), py::arg("y"), py::arg("batch_size"),
           py::arg("weights") = py::tuple(), py::arg("op") = "model.evaluate",
           py::arg("on_batch_begin") = none, py::arg("on_batch") = none)
      .def("non_finite_text", &non_finite_text, py::arg("x"), py::arg("y"), py::arg("weights"),
           py::arg("names"))
      .def("train_on_batch", &train_on_batch, py::arg("x"), py::arg("y"),
           py::arg("weights") = py::tuple())
      .def("sample_order", visiting<PythonModel, index>([](auto& model, index count) {
             std::vector<index> order;
             model::order_samples(*model.training("model.sample_order"), count, order);
             return py::array_t<index>(static_cast<py::ssize_t>(count), order.data());
           }))
      .def_property("learning_rate", visiting<PythonModel>([](auto& model) {
                      return model.training("model.learning_rate")->optimizer->current_rate();
                    }),
                    visiting<PythonModel, double>([](auto& model, double value) {
                      model.training("model.learning_rate")->optimizer->set_learning_rate(value);
                    }))
      .def_property_readonly("iterations", visiting<PythonModel>([](auto& model) {
                               return model.training("model.iterations")->optimizer->updates();
                             }))
      .def("take_average", visiting<PythonModel>([](auto& model) { model::take_average(model); }));
}

}  // namespace lstmfast::bindings
