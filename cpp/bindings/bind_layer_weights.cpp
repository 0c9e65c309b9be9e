// The methods of class Layer about weights.
#include <pybind11/stl.h>

#include <set>
#include <string>
#include <vector>

#include "bindings/numpy.h"
#include "bindings/python_layer.h"
#include "model/model.h"

namespace lstmfast::bindings {
namespace {

// f(name, parameters, parameter) of all in a layer, outermost first; once of a layer that stands in
// several of the layers inside.
template <class L, class F>
void for_each_weight(L& layer, F f) {
  std::set<const void*> seen;
  layers::for_each_layer(layer, "", [&](const std::string& path, auto& each) {
    if (!seen.insert(&each).second) return;
    for (const layers::Parameter& parameter : each.parameters().list()) {
      f((path.empty() ? "" : path + ".") + parameter.name, each.parameters(), parameter);
    }
  });
}

py::list weight_names(const AnyLayer& self) {
  py::list out;
  visit(self, [&](auto& layer) {
    for_each_weight(layer, [&](const std::string& name, auto&, const layers::Parameter& parameter) {
      out.append(py::make_tuple(name, shape_tuple(parameter.shape)));
    });
  });
  return out;
}

py::list get_weights(const AnyLayer& self) {
  py::list out;
  visit(self, [&](auto& layer) {
    using T = ElementOf<decltype(layer)>;
    model::allocate_parameters(layer);
    for_each_weight(
        layer, [&](const std::string&, auto& owner, const layers::Parameter& parameter) {
          py::array_t<T> weight = new_array<T>(parameter.shape);
          parameter.export_to(static_cast<const T*>(owner.values()), weight.mutable_data());
          out.append(std::move(weight));
        });
  });
  return out;
}

void set_weights(AnyLayer& self, const py::sequence& weights) {
  visit(self, [&](auto& layer) {
    using T = ElementOf<decltype(layer)>;
    const char* const op = "layer.set_weights";
    model::allocate_parameters(layer);
    // All are checked before the first is set.
    std::vector<py::array_t<T>> arrays;
    std::vector<base::BusyFlag*> flags;
    std::size_t count = 0;
    for_each_weight(
        layer, [&](const std::string& name, auto& owner, const layers::Parameter& parameter) {
          if (count++ < weights.size()) {
            arrays.push_back(take<T>(op, name.c_str(), weights[count - 1]));
            LF_CHECK(sizes_of(arrays.back()) == parameter.shape,
                     "[" << op << "] " << name << " has shape " << shape_of(arrays.back()).text()
                         << "; expected " << layers::Shape(parameter.shape).text());
          }
          flags.push_back(&owner.busy());
        });
    LF_CHECK(weights.size() == count,
             "[" << op << "] weights has " << weights.size() << " arrays; expected " << count);
    base::sort_flags(flags);
    // callbacks of a fit may set weights
    const base::BusyGroup busy(flags, op, base::Busy::Kind::reading);
    std::size_t i = 0;
    for_each_weight(layer,
                    [&](const std::string&, auto& owner, const layers::Parameter& parameter) {
                      parameter.import_from(arrays[i++].data(), owner.values());
                    });
  });
}

}  // namespace

void bind_layer_weights(py::class_<AnyLayer>& layer) {
  layer.def("weight_names", &weight_names)
      .def("get_weights", &get_weights)
      .def("set_weights", &set_weights, py::arg("weights"));
}

}  // namespace lstmfast::bindings
