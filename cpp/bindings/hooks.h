// Python callables as the callbacks of a long call of the core.
#pragma once

#include <pybind11/pybind11.h>

#include "model/callbacks.h"
#include "model/trainer.h"

namespace lstmfast::bindings {

namespace py = pybind11;

// Each is a callable or None. One that returns something true stops the call; one that raises ends
// it with that error. Every tick checks for signals. Must live as long as the call.
class Hooks {
 public:
  py::object train_begin = py::none();  // ()
  py::object epoch_begin = py::none();  // (epoch)
  py::object epoch_end = py::none();    // (epoch, logs)
  py::object batch_begin = py::none();  // (batch)
  py::object batch_end = py::none();    // (batch, logs)
  py::object tick = py::none();         // (epoch, batch, batches, logs)

  // Throws TypeError for a hook that cannot be called.
  void check(const char* op) const;

  model::Callbacks callbacks();
};

py::dict logs_dict(const model::Logs& logs);
py::dict history_dict(const model::History& history);

}  // namespace lstmfast::bindings
