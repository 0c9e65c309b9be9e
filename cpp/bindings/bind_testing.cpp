// The submodule _core.testing: single kernels for tests of their accuracy, and measurements for
// benchmarks.
#include <pybind11/stl.h>

#include <algorithm>
#include <string>

#include "base/denormals.h"
#include "base/options.h"
#include "base/team.h"
#include "bindings/bindings.h"
#include "bindings/numpy.h"
#include "layers/options.h"
#include "measure/machine.h"
#include "measure/training_parts.h"
#include "model/runtime.h"
#include "ops/vector.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

ActivationSpec parse_activation(const std::string& text) {
  const base::OptionReader config({{"activation", text}}, "testing");
  return layers::activation_of(
      config.read(layers::activation_option("activation", base::kRequired)).text());
}

// activation(x), or with `slope` its derivative.
template <class T>
py::array activate(const std::string& text, py::handle x_object, bool slope) {
  const ActivationSpec activation = parse_activation(text);
  const py::array_t<T> x = take<T>("testing.activate", "x", x_object);
  py::array_t<T> y = new_array<T>(sizes_of(x));
  const index n = x.size();
  const base::FlushDenormals flush;  // as everywhere in the core
  ops::activate(activation, 1, n, x.data(), n, y.mutable_data(), n);
  if (!slope) return y;
  py::array_t<T> dx = new_array<T>(sizes_of(x));
  std::fill_n(dx.mutable_data(), n, T(1));
  const T* kept = needs_input(activation) ? x.data() : y.data();
  ops::activate_backward(activation, 1, n, kept, n, dx.data(), n, dx.mutable_data(), n);
  return dx;
}

}  // namespace

void bind_testing(py::module_& module) {
  py::module_ testing =
      module.def_submodule("testing", "Single kernels, for tests and benchmarks.");
  testing.def(
      "activate",
      [](const std::string& text, py::array x, bool slope) {
        model::require_isa();
        return x.dtype().char_() == 'd' ? activate<double>(text, x, slope)
                                        : activate<float>(text, x, slope);
      },
      py::arg("activation"), py::arg("x"), py::arg("slope") = false);
  testing.def(
      "fma_peak",
      [](bool double_precision, double seconds) {
        model::require_isa();
        return double_precision ? measure::fma_peak<double>(seconds)
                                : measure::fma_peak<float>(seconds);
      },
      py::arg("double_precision"), py::arg("seconds"));
  testing.def("training_part_names", measure::training_part_names);
  testing.def(
      "time_training_part",
      [](const std::string& name, index batch, index input, index hidden, index count) {
        model::require_isa();
        return measure::time_training_part(name, batch, input, hidden, count);
      },
      py::arg("name"), py::arg("batch"), py::arg("input"), py::arg("hidden"), py::arg("count"));
  testing.def("time_barrier", measure::time_barrier, py::arg("threads"), py::arg("count"));
  testing.def("assume_wake_seconds", base::team::assume_wake_seconds, py::arg("seconds"));
}

}  // namespace lstmfast::bindings
