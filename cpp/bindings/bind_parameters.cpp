// The methods of class Rnn about parameters and their gradients.
#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/numpy.h"
#include "bindings/python_rnn.h"

namespace lstmfast::bindings {
namespace {

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
      check_shape(op, name.c_str(), array, layers::Shape(parameter.place.shape));
      checked.push_back({&parameter, array.data()});
    }
    rnn.set(checked);
  });
  self.release_arrays();  // no backward will read them
}

}  // namespace

void bind_parameters(py::class_<PythonRnn>& type) {
  const auto parameter_names = [](auto& rnn) {
    py::list out;
    for (const auto& [layer, place] : rnn.parameters()) {
      out.append(py::make_tuple(layer, place.name, layers::Shape(place.shape)));
    }
    return out;
  };
  // read(rnn, parameter, T*) copies what belongs to a parameter.
  const auto getter = [](const char* op, auto read) {
    return visiting<PythonRnn, index, const std::string&>(
        [=](auto& rnn, index layer, const std::string& name) {
          const auto& parameter = rnn.parameter(op, layer, name);
          auto out = new_array<Element<decltype(rnn)>>(parameter.place.shape);
          read(rnn, parameter, out.mutable_data());
          return py::array(std::move(out));
        });
  };
  const auto values = [](auto& rnn, const auto& of, auto* to) { rnn.get(of, to); };
  const auto gradients = [](auto& rnn, const auto& of, auto* to) { rnn.get_gradient(of, to); };
  type.def("parameter_names", visiting<PythonRnn>(parameter_names))
      .def("get", getter("lstm.get", values), py::arg("layer"), py::arg("name"))
      .def("set", &set, py::arg("values"))
      .def("grad", getter("lstm.grad", gradients), py::arg("layer"), py::arg("name"))
      .def("zero_grad", visiting<PythonRnn>([](auto& rnn) { rnn.zero_gradients(); }));
}

}  // namespace lstmfast::bindings
