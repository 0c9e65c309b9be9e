// Python callables as the callbacks of a long call of the core.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "model/callbacks.h"

namespace lstmfast::bindings {

namespace py = pybind11;

// Each is a callable or None. One that returns something true stops the call; one that raises ends
// it with that error. Every tick checks for signals. Must live as long as the call.
struct Hooks {
  py::object train_begin = py::none();  // ()
  py::object epoch_begin = py::none();  // (epoch)
  py::object epoch_end = py::none();    // (epoch, logs)
  py::object batch_begin = py::none();  // (batch)
  py::object batch_end = py::none();    // (batch, logs)
  py::object tick = py::none();         // (epoch, batch, batches, logs)

  Hooks() = default;
  // A tuple of all of them, in this order.
  explicit Hooks(py::handle tuple);

  model::Callbacks callbacks();
};

// The first `count` values by name: numbers, or arrays where a name comes several times in turn.
py::dict dict_of(const std::string* names, const double* values, std::size_t count);

}  // namespace lstmfast::bindings
