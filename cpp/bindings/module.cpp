// The table of contents of lstmfast._core.
#include "bindings/bindings.h"

PYBIND11_MODULE(_core, module) {
  namespace bindings = lstmfast::bindings;
  module.doc() = "The compiled core of lstmfast.";
  module.attr("__version__") = LSTMFAST_VERSION;
  bindings::bind_errors(module);
  bindings::bind_runtime(module);
  bindings::bind_initializers(module);
  bindings::bind_options(module);
  bindings::bind_losses(module);
  bindings::bind_layers(module);
  bindings::bind_metrics(module);
  bindings::bind_model(module);
  bindings::bind_rnn(module);
  bindings::bind_stream(module);
  bindings::bind_testing(module);
}
