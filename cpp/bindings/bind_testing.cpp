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
#include "bindings/python_stream.h"
#include "layers/options.h"
#include "measure/calls.h"
#include "measure/machine.h"
#include "measure/training_parts.h"
#include "model/runtime.h"
#include "ops/plan.h"
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

py::array array_of(const std::vector<double>& values) {
  return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

// Seconds of a step, as measure::time_calls() has them; x [n][rows][in_shape]: the inputs of n
// steps, which come round again.
py::array time_steps(PythonStream& self, py::handle x_object, index samples, index each) {
  constexpr const char* kOp = "testing.time_steps";
  check_free(self, kOp);
  LF_CHECK(samples >= 1 && each >= 1, "[" << kOp << "] samples and each are " << samples << " and "
                                          << each << "; expected 1 or more");
  return self.visit([&](auto& stream) -> py::array {
    using T = Element<decltype(stream)>;
    LF_CHECK(stream.inputs() == 1 && stream.outputs() == 1 && stream.ids(0) == 0,
             "[" << kOp << "] expected a stream with one input, of numbers, and one output");
    const py::array_t<T> x = take<T>(kOp, "x", x_object);
    const index taken = stream.rows() * stream.in_shape(0).count(), n = x.size() / taken;
    LF_CHECK(n >= 1 && x.size() == n * taken,
             "[" << kOp << "] x has " << x.size() << " values; expected " << taken << " a step");
    base::Buffer<T> y(stream.rows() * stream.out_shape(0).count());
    T* const output = y.data();
    model::StepInput<T> input;
    index t = 0;
    return array_of(measure::time_calls(samples, each, [&] {
      input.values = x.data() + t * taken;
      if (++t == n) t = 0;
      stream.step(&input, &output);
    }));
  });
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
  testing.def("time_steps", &time_steps, py::arg("stream"), py::arg("x"), py::arg("samples"),
              py::arg("each") = 1);
  testing.def(
      "time_idling",
      [](index samples, double seconds) {
        model::require_isa();
        return array_of(measure::time_idling(samples, seconds));
      },
      py::arg("samples"), py::arg("seconds"));
  py::class_<measure::Memory>(testing, "Memory")
      .def(py::init([](index bytes, bool turns) {
             model::require_isa();
             return measure::Memory(bytes, turns);
           }),
           py::arg("bytes"), py::arg("turns"))
      .def("read", &measure::Memory::read, py::arg("count"));
  testing.def("time_barrier", measure::time_barrier, py::arg("threads"), py::arg("count"));
  testing.def("set_plan", ops::set_plan, py::arg("text"));
  testing.def("assume_wake_seconds", base::team::assume_wake_seconds, py::arg("seconds"));
}

}  // namespace lstmfast::bindings
