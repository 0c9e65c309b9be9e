// The methods of class Rnn about parameters and their gradients.
#include <pybind11/stl.h>

#include <string>

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

void set(AnyRnn& self, index layer, const std::string& name, const py::object& value) {
  self.visit([&](auto& engine) {
    using T = Element<decltype(engine)>;
    const char* const op = "lstm.set";
    const auto& parameter = engine.rnn.parameter(op, layer, name);
    const py::array_t<T> array = take<T>(op, name.c_str(), value);
    LF_CHECK(sizes_of(array) == parameter.place.shape,
             "[" << op << "] " << name << " has shape " << shape_of(array).text() << "; expected "
                 << layers::Shape(parameter.place.shape).text());
    engine.rnn.set(parameter, array.data());
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
      .def("set", &set, py::arg("layer"), py::arg("name"), py::arg("value"))
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
