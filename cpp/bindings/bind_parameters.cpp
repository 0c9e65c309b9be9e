// The methods of class Rnn about parameters and their gradients.
#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "bindings/numpy.h"
#include "bindings/python_rnn.h"

namespace lstmfast::bindings {
namespace {

py::list parameter_names(const PythonRnn& self) {
  return self.visit([](auto& rnn) {
    py::list out;
    for (const auto& parameter : rnn.parameters()) {
      out.append(py::make_tuple(parameter.layer, parameter.place.name,
                                shape_tuple(parameter.place.shape)));
    }
    return out;
  });
}

// A parameter's values, or its gradients.
py::array get(const PythonRnn& self, index layer, const std::string& name, bool gradient) {
  return self.visit([&](auto& rnn) -> py::array {
    using T = Element<decltype(rnn)>;
    const auto& parameter = rnn.parameter(gradient ? "lstm.grad" : "lstm.get", layer, name);
    py::array_t<T> out = new_array<T>(parameter.place.shape);
    if (gradient) {
      rnn.get_gradient(parameter, out.mutable_data());
    } else {
      rnn.get(parameter, out.mutable_data());
    }
    return out;
  });
}

using Named = std::tuple<index, std::string, py::object>;  // layer, name, value

void set(PythonRnn& self, const std::vector<Named>& values) {
  self.visit([&](auto& rnn) {
    using T = Element<decltype(rnn)>;
    const char* const op = "lstm.set";
    std::vector<py::array_t<T>> arrays;
    std::vector<typename model::Rnn<T>::Value> checked;
    for (const auto& [layer, name, value] : values) {
      const auto& parameter = rnn.parameter(op, layer, name);
      const py::array_t<T>& array = arrays.emplace_back(take<T>(op, name.c_str(), value));
      LF_CHECK(sizes_of(array) == parameter.place.shape,
               "[" << op << "] " << name << " has shape " << shape_of(array).text() << "; expected "
                   << layers::Shape(parameter.place.shape).text());
      checked.push_back({&parameter, array.data()});
    }
    rnn.set(checked);
  });
  self.release_arrays();  // no backward will read them
}

}  // namespace

void bind_parameters(py::class_<PythonRnn>& rnn) {
  rnn.def("parameter_names", &parameter_names)
      .def(
          "get",
          [](const PythonRnn& self, index layer, const std::string& name) {
            return get(self, layer, name, false);
          },
          py::arg("layer"), py::arg("name"))
      .def("set", &set, py::arg("values"))
      .def(
          "grad",
          [](const PythonRnn& self, index layer, const std::string& name) {
            return get(self, layer, name, true);
          },
          py::arg("layer"), py::arg("name"))
      .def("zero_grad",
           [](PythonRnn& self) { self.visit([](auto& rnn) { rnn.zero_gradients(); }); });
}

}  // namespace lstmfast::bindings
