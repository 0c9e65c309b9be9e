#include "bindings/python_functions.h"

#include <cmath>
#include <utility>

#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/python_loss.h"

namespace lstmfast::bindings {
namespace {

template <class T>
metrics::MetricFunctions<T> metric_functions(const PythonReference& original) {
  const WithGil gil;
  const py::object copy = call_method(original.get(), "for_call");
  const auto metric = std::make_shared<const PythonReference>(copy);
  const std::string what = "[" + std::string(py::str(copy.attr("name"))) + "] result";
  return {[metric] {
            const WithGil gil;
            call_method(metric->get(), "reset_state");
          },
          [metric](const metrics::MetricBatch<T>& batch) {
            const WithGil gil;
            const auto y = array_of(batch.target, batch.target_shape);
            const auto p = array_of(batch.prediction, batch.prediction_shape);
            if (batch.weights == nullptr) {
              call_method(metric->get(), "update_state", y, p);
            } else {
              base::BatchShape rows = batch.prediction_shape;
              --rows.rank;
              call_method(metric->get(), "update_state", y, p, array_of(batch.weights, rows));
            }
          },
          [metric, what] {
            const WithGil gil;
            const py::object result = call_method(metric->get(), "result");
            return number(result, what);
          }};
}

}  // namespace

// `what`: "[pinball] value"
double number(py::handle value, const std::string& what) {
  if (py::isinstance<py::array>(value)) {
    const auto array = py::reinterpret_borrow<py::array>(value);
    if (array.ndim() != 0) {
      throw py::type_error(what + " has shape " + base::shape_text(sizes_of(array)) +
                           "; expected a number");
    }
  }
  const double number = until_exit([value] { return PyFloat_AsDouble(value.ptr()); });
  if (number == -1.0 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    throw py::type_error(what + " is " + type_text(value) + "; expected a number");
  }
  return number;
}

optim::Schedule schedule_of(std::shared_ptr<PythonReference> schedule) {
  return [schedule = std::move(schedule)](double step) {
    const WithGil gil;
    const bool whole = std::abs(step) < 1e15 && std::floor(step) == step;
    const py::object given =
        whole ? py::object(py::int_(static_cast<long long>(step))) : py::float_(step);
    return number(call_python(schedule->get(), given), "[schedule] learning rate");
  };
}

PythonReference::~PythonReference() {
  if (object_ == nullptr) return;
  const WithGil gil;
  drop_until_exit(object_);
}

void PythonReference::clear() { drop_until_exit(std::exchange(object_, nullptr)); }

py::handle PythonReference::get() const {
  if (object_ == nullptr) throw std::runtime_error("the model of this function is gone");
  return object_;
}

PythonFunctions::PythonFunctions(const char* op, const py::object& losses,
                                 const py::object& metrics, const py::object& schedule) {
  const auto reference = [op](const char* name, py::handle function) {
    if (PyCallable_Check(function.ptr()) == 0) {
      throw py::type_error(std::string("[") + op + "] " + name + " is " + type_text(function) +
                           "; expected a callable or None");
    }
    return std::make_shared<PythonReference>(py::reinterpret_borrow<py::object>(function));
  };
  for (const py::handle loss : losses) {
    losses_.push_back(loss.is_none() ? nullptr : reference("loss", loss));
  }
  if (!schedule.is_none()) schedules_.push_back(reference("schedule", schedule));
  for (const py::handle metric : metrics) {
    for (const char* name : {"name", "update_state", "result", "reset_state", "for_call"}) {
      if (py::hasattr(metric, name)) continue;
      throw py::type_error(std::string("[") + op + "] a metric of type " + type_text(metric) +
                           " has no " + name);
    }
    metrics_.push_back(
        std::make_shared<PythonReference>(py::reinterpret_borrow<py::object>(metric)));
  }
}

template <class T>
model::Custom<T> PythonFunctions::get(const base::Options& config) const {
  model::Custom<T> out;
  for (std::size_t k = 0; k < losses_.size(); ++k) {
    out.losses.emplace_back();
    if (losses_[k] == nullptr) continue;
    const std::string prefix = losses_.size() == 1 ? "" : "outputs." + std::to_string(k) + ".";
    const auto name = config.find(prefix + "loss.name");
    out.losses.back() =
        loss_function<T>(name == config.end() ? "loss" : base::file_text(name->second), losses_[k]);
  }
  for (const std::shared_ptr<PythonReference>& metric : metrics_) {
    out.metrics.push_back([metric] { return metric_functions<T>(*metric); });
  }
  if (!schedules_.empty()) out.schedule = schedule_of(schedules_[0]);
  return out;
}

template <class F>
void PythonFunctions::for_each(F f) const {
  for (const auto* references : {&losses_, &metrics_, &schedules_}) {
    for (const std::shared_ptr<PythonReference>& each : *references) {
      if (each != nullptr) f(*each);
    }
  }
}

int PythonFunctions::visit(visitproc visit, void* arg) const {
  int found = 0;
  for_each([&](PythonReference& each) { found = found == 0 ? each.visit(visit, arg) : found; });
  return found;
}

void PythonFunctions::clear() {
  for_each([](PythonReference& each) { each.clear(); });
}

template model::Custom<float> PythonFunctions::get(const base::Options&) const;
template model::Custom<double> PythonFunctions::get(const base::Options&) const;

}  // namespace lstmfast::bindings
