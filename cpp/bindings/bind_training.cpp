// The methods of class Model that train and score.
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/fast_method.h"
#include "bindings/gil.h"
#include "bindings/hooks.h"
#include "bindings/python_model.h"
#include "bindings/python_source.h"
#include "bindings/values.h"
#include "model/non_finite.h"

namespace lstmfast::bindings {
namespace {

constexpr double kStepFlops = 3;  // of a training step: so many times those of forward

py::object scores_dict(const model::Scores& scores) {
  return dict_of(scores.names.data(), scores.values.data(), scores.names.size());
}

py::object history_dict(const model::History& history) {
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

// The item of a tuple of that size.
py::handle item(py::handle tuple, Py_ssize_t size, Py_ssize_t place) {
  if (!PyTuple_CheckExact(tuple.ptr()) || PyTuple_GET_SIZE(tuple.ptr()) != size) {
    throw py::type_error("expected a tuple of " + std::to_string(size) + " items");
  }
  return PyTuple_GET_ITEM(tuple.ptr(), place);
}

// y None: x is an object that gives batches, see PythonSource. options: batch_size, epochs,
// initial_epoch, shuffle, on_nonfinite. validation: None, or x, y, weights, batch_size, whether the
// core validates. callbacks: see Hooks. (By position, for pybind11 looks names up one by one.)
py::object fit(PythonModel& self, py::handle x, py::handle y, py::handle weights,
               py::handle options, py::handle validation, py::handle callbacks) {
  const auto option = [&](Py_ssize_t k) { return item(options, 5, k); };
  const auto of_validation = [&](Py_ssize_t k) { return item(validation, 5, k); };
  const auto sequence = [](py::handle value) { return value.cast<py::sequence>(); };
  model::FitOptions own;
  own.batch_size = whole_number(option(0));
  own.epochs = whole_number(option(1));
  own.initial_epoch = whole_number(option(2));
  own.shuffle = is_true(option(3), "shuffle");
  own.on_nonfinite = kOnNonFinite.at(option(4).cast<std::string>());
  Hooks hooks(callbacks);
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.fit";
    std::optional<Inputs<T>> held_out;
    if (!validation.is_none()) {
      held_out.emplace(op, sequence(of_validation(0)), sequence(of_validation(1)),
                       sequence(of_validation(2)), "x_val", "y_val", "weights_val");
      own.validation_batch_size = whole_number(of_validation(3));
      own.validate = is_true(of_validation(4), "validate");
    }
    const model::Examples<T>* const held = held_out ? &held_out->examples : nullptr;
    model::History history;
    try {
      if (y.is_none()) {
        PythonSource<T> source(op, py::reinterpret_borrow<py::object>(x));
        may_release(kReleaseFlops, [&] {
          model::fit(model, source.core(), held, own, hooks.callbacks(), history);
        });
      } else {
        const Inputs<T> train(op, sequence(x), sequence(y), sequence(weights));
        double flops = kStepFlops * model.flops(op, train.examples.in);
        if (held_out) flops += model.flops(op, held_out->examples.in);
        may_release(flops * static_cast<double>(own.epochs - own.initial_epoch), [&] {
          model::fit(model, train.examples, held, own, hooks.callbacks(), history);
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

py::object evaluate(const PythonModel& self, const py::object& x, const py::object& y,
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

py::object train_on_batch(PythonModel& self, py::handle x, py::handle y, py::handle weights) {
  return self.visit([&](auto& model) {
    using T = Element<decltype(model)>;
    const char* const op = "model.train_on_batch";
    const Inputs<T> data(op, x.cast<py::sequence>(), y.cast<py::sequence>(),
                         weights.cast<py::sequence>());
    return scores_dict(may_release(kStepFlops * model.flops(op, data.examples.in),
                                   [&] { return model::train_on_batch(model, data.examples); }));
  });
}

}  // namespace

void bind_training(py::class_<PythonModel>& model) {
  const auto none = py::none();
  def_fast<&fit>(model, "fit",
                 "fit($self, x, y, weights, options, validation, callbacks, /)\n--\n\n");
  def_fast<&train_on_batch>(model, "train_on_batch",
                            "train_on_batch($self, x, y, weights, /)\n--\n\n");
  model
      .def("compile", &compile, py::arg("config"), py::arg("losses") = py::tuple(),
           py::arg("metrics") = py::tuple(), py::arg("schedule") = none)
      .def_property_readonly("history",
                             [](const PythonModel& self) { return history_dict(self.history); })
      .def("evaluate", &evaluate, py::arg("x"), py::arg("y"), py::arg("batch_size"),
           py::arg("weights") = py::tuple(), py::arg("op") = "model.evaluate",
           py::arg("on_batch_begin") = none, py::arg("on_batch") = none)
      .def("non_finite_text", &non_finite_text, py::arg("x"), py::arg("y"), py::arg("weights"),
           py::arg("names"))
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
