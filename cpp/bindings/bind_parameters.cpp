// The methods of class Rnn about parameters and their gradients.
#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "bindings/any_rnn.h"
#include "bindings/numpy.h"

namespace lstmfast::bindings {
namespace {

py::list parameter_names(const AnyRnn& self) {
  return self.visit([](auto& engine) {
    py::list out;
    for (const auto& parameter : engine.rnn.parameters()) {
      out.append(py::make_tuple(parameter.layer, parameter.place.name,
                                shape_tuple(parameter.place.shape)));
    }
    return out;
  });
}

// Of the values or the gradients.
py::array get(const AnyRnn& self, index layer, const std::string& name, bool gradient) {
  return self.visit([&](auto& engine) -> py::array {
    using T = Element<decltype(engine)>;
    const auto& parameter = engine.rnn.parameter(gradient ? "lstm.grad" : "lstm.get", layer, name);
    py::array_t<T> out = new_array<T>(parameter.place.shape);
    if (gradient) {
      engine.rnn.get_gradient(parameter, out.mutable_data());
    } else {
      engine.rnn.get(parameter, out.mutable_data());
    }
    return out;
  });
}

using Named = std::tuple<index, std::string, py::object>;  // layer, name, value

void set(AnyRnn& self, const std::vector<Named>& values) {
  self.visit([&](auto& engine) {
    using T = Element<decltype(engine)>;
    const char* const op = "lstm.set";
    std::vector<py::array_t<T>> arrays;
    std::vector<typename model::Rnn<T>::Value> checked;
    for (const auto& [layer, name, value] : values) {
      const auto& parameter = engine.rnn.parameter(op, layer, name);
      const py::array_t<T>& array = arrays.emplace_back(take<T>(op, name.c_str(), value));
      LF_CHECK(sizes_of(array) == parameter.place.shape,
               "[" << op << "] " << name << " has shape " << shape_of(array).text() << "; expected "
                   << layers::Shape(parameter.place.shape).text());
      checked.push_back({&parameter, array.data()});
    }
    engine.rnn.set(checked);
    engine.let_go();  // no backward will read it
  });
}

}  // namespace

void bind_parameters(py::class_<AnyRnn>& rnn) {
  rnn.def("parameter_names", &parameter_names)
      .def(
          "get",
          [](const AnyRnn& self, index layer, const std::string& name) {
            return get(self, layer, name, false);
          },
          py::arg("layer"), py::arg("name"))
      .def("set", &set, py::arg("values"))
      .def(
          "grad",
          [](const AnyRnn& self, index layer, const std::string& name) {
            return get(self, layer, name, true);
          },
          py::arg("layer"), py::arg("name"))
      .def("zero_grad",
           [](AnyRnn& self) { self.visit([](auto& engine) { engine.rnn.zero_gradients(); }); });
}

}  // namespace lstmfast::bindings
