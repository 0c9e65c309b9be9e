// The submodule _core.testing: single kernels, for tests of their accuracy, and the measured peak.
#include <string>

#include "base/denormals.h"
#include "bindings/bindings.h"
#include "bindings/numpy.h"
#include "layers/options.h"
#include "model/runtime.h"
#include "ops/machine.h"
#include "ops/vector.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

Activation activation_by_name(const std::string& name) {
  for (int i = 0; i < static_cast<int>(Activation::softmax); ++i) {
    const Activation activation = static_cast<Activation>(i);
    if (name == layers::activation_name(activation)) return activation;
  }
  LF_FAIL("[testing.activate] activation is \"" << name << "\"; expected an element-wise one");
}

template <class T>
py::array activate(const std::string& name, py::handle x_object) {
  const py::array_t<T> x = take<T>("testing.activate", "x", x_object);
  py::array_t<T> y = new_array<T>(sizes_of(x));
  const base::FlushDenormals flush;  // as everywhere in the core
  ops::activate(activation_by_name(name), 1, x.size(), x.data(), x.size(), y.mutable_data(),
                x.size());
  return y;
}

}  // namespace

void bind_testing(py::module_& module) {
  py::module_ testing =
      module.def_submodule("testing", "Single kernels, for tests and benchmarks.");
  testing.def(
      "activate",
      [](const std::string& name, py::array x) {
        model::require_isa();
        return x.dtype().char_() == 'd' ? activate<double>(name, x) : activate<float>(name, x);
      },
      py::arg("name"), py::arg("x"));
  testing.def(
      "fma_peak",
      [](bool double_precision, double seconds) {
        model::require_isa();
        return double_precision ? ops::fma_peak<double>(seconds) : ops::fma_peak<float>(seconds);
      },
      py::arg("double_precision"), py::arg("seconds"));
}

}  // namespace lstmfast::bindings
