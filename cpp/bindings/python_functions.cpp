#include "bindings/python_functions.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bindings/gil.h"
#include "bindings/numpy.h"

namespace lstmfast::bindings {
namespace {

std::vector<index> all_sizes(const base::BatchShape& shape) {
  std::vector<index> sizes(shape.axes, shape.axes + shape.rank);
  sizes.insert(sizes.begin(), shape.samples);
  return sizes;
}

// A copy, since Python code may keep it and write to it.
template <class T>
py::array_t<T> array_of(const T* data, const base::BatchShape& shape) {
  py::array_t<T> out = new_array<T>(all_sizes(shape));
  std::copy_n(data, shape.count(), out.mutable_data());
  return out;
}

std::string text(const std::vector<index>& sizes) {
  return base::shape_text(sizes.data(), static_cast<index>(sizes.size()));
}

// `what`: "[pinball] value"
double number(py::handle value, const std::string& what) {
  if (py::isinstance<py::array>(value)) {
    const auto array = py::reinterpret_borrow<py::array>(value);
    if (array.ndim() != 0) {
      throw py::type_error(what + " has shape " + text(sizes_of(array)) + "; expected a number");
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

// The gradient as an array, converted as the Python package converts arguments.
py::array gradient_array(const std::string& name, py::handle value) {
  const auto& numpy = py::detail::npy_api::get();
  if (reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())) ==
      reinterpret_cast<PyObject*>(numpy.PyArray_Type_)) {
    return py::reinterpret_borrow<py::array>(value);
  }
  const py::object arrays =
      result_until_exit([] { return PyImport_ImportModule("lstmfast._arrays"); });
  return py::reinterpret_borrow<py::array>(
      call_method(arrays, "as_array", value, py::str(name), py::str("gradient")));
}

template <class T>
void write_gradient(const std::string& name, py::handle value, const losses::LossBatch<T>& batch) {
  const std::string what = "[" + name + "] gradient";
  const std::vector<index> shape = all_sizes(batch.prediction_shape);
  const py::array any = gradient_array(name, value);
  const char kind = any.dtype().kind();
  if (kind != 'f' && kind != 'i' && kind != 'u') {
    throw py::type_error(what + " has dtype " + std::string(py::str(any.dtype())) +
                         "; expected real numbers");
  }
  LF_CHECK(sizes_of(any) == shape, what << " has shape " << text(sizes_of(any)) << "; expected "
                                        << text(shape) << ", the shape of y_pred");
  const py::array_t<T, py::array::c_style | py::array::forcecast> array(any);
  const T* const data = array.data();
  for (index r = 0; r < batch.rows; ++r) {
    std::copy_n(data + r * batch.columns, batch.columns,
                batch.gradient + r * batch.gradient_stride);
  }
}

template <class T>
double call_loss(const std::string& name, const PythonReference& loss,
                 const losses::LossBatch<T>& batch) {
  const WithGil gil;
  const py::object result = call_python(loss.get(), array_of(batch.target, batch.target_shape),
                                        array_of(batch.prediction, batch.prediction_shape));
  const bool several = py::isinstance<py::tuple>(result) || py::isinstance<py::list>(result);
  const Py_ssize_t count = several ? PySequence_Fast_GET_SIZE(result.ptr()) : 0;
  if (count != 2) {
    throw py::type_error("[" + name + "] returned " +
                         (several ? std::to_string(count) + " items" : type_text(result)) +
                         "; expected a pair (value, gradient)");
  }
  const auto item = [&](Py_ssize_t i) {
    return py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(result.ptr(), i));
  };
  const double value = number(item(0), "[" + name + "] value");
  if (batch.gradient != nullptr) write_gradient<T>(name, item(1), batch);
  return value;
}

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
        [loss = losses_[k], name = name == config.end() ? "loss" : base::file_text(name->second)](
            const losses::LossBatch<T>& batch) { return call_loss<T>(name, *loss, batch); };
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
