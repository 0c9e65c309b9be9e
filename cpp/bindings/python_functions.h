// Losses, metrics and schedules written in Python, as the core's custom ones.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/no_copy.h"
#include "base/options.h"
#include "bindings/numpy.h"
#include "model/custom_functions.h"

namespace lstmfast::bindings {

namespace py = pybind11;

// One reference to a Python object that calls in any thread share; given back with the GIL held.
class PythonReference : base::NoCopy {
 public:
  explicit PythonReference(py::object object) : object_(object.release().ptr()) {}
  ~PythonReference();

  py::handle get() const;  // with the GIL; RuntimeError after clear()
  int visit(visitproc visit, void* arg) const { return object_ ? visit(object_, arg) : 0; }
  void clear();  // for the garbage collector

 private:
  PyObject* object_;
};

// The axes of a batch.
inline std::vector<index> all_sizes(const base::BatchShape& shape) {
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

// A number that Python code returned. `what`: "[pinball] value"
double number(py::handle value, const std::string& what);

// What a compiled model keeps of them. The functions are called with copies of the batch, (samples,
// ...) as the user shapes it, in the model's dtype:
//   loss: see python_loss.h
//   schedule(step) -> learning rate
//   metric: name, update_state(y_true, y_pred), with a third argument where rows have weights,
//   result(), reset_state(), and for_call(), the object that gathers for one call of fit or
//   evaluate
class PythonFunctions {
 public:
  PythonFunctions() = default;
  // `losses`: a sequence with an item for each output, None where there is none; `metrics`: a
  // sequence; `schedule` may be None. TypeError for what cannot be called.
  PythonFunctions(const char* op, const py::object& losses, const py::object& metrics,
                  const py::object& schedule);

  // `config`: that of compile, which names the losses in errors.
  template <class T>
  model::Custom<T> get(const base::Options& config) const;

  int visit(visitproc visit, void* arg) const;
  void clear();

 private:
  template <class F>
  void for_each(F f) const;

  std::vector<std::shared_ptr<PythonReference>> losses_;  // null: none
  std::vector<std::shared_ptr<PythonReference>> metrics_;
  std::vector<std::shared_ptr<PythonReference>> schedules_;  // one or none
};

// schedule(step), a number.
optim::Schedule schedule_of(std::shared_ptr<PythonReference> schedule);

}  // namespace lstmfast::bindings
