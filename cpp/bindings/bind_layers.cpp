// class Layer: one layer, with the parameters that all models share in which it stands.
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/init.h"
#include "bindings/numpy.h"
#include "bindings/python_layer.h"
#include "bindings/values.h"

namespace lstmfast::bindings {
namespace {

using Shapes = std::vector<std::vector<std::optional<index>>>;

layers::Shape shape_from(const std::vector<std::optional<index>>& sizes) {
  layers::Shape out;
  for (const std::optional<index>& size : sizes) out.append(size.value_or(layers::kAnySize));
  return out;
}

py::list shape_tuples(const layers::Shapes& shapes) {
  py::list out;
  for (const layers::Shape& shape : shapes) out.append(shape_tuple(shape));
  return out;
}

std::unique_ptr<AnyLayer> make_layer(
    const py::dict& options, const std::string& dtype,
    const std::optional<std::map<std::string, AnyLayer>>& children) {
  return std::make_unique<AnyLayer>(api::open_layer(
      to_options(options), dtype, children.value_or(std::map<std::string, AnyLayer>())));
}

AnyLayer make_graph(
    const std::vector<std::pair<std::string, std::vector<std::optional<index>>>>& inputs,
    const std::vector<std::pair<AnyLayer, std::vector<std::pair<index, index>>>>& nodes,
    const std::vector<std::pair<index, index>>& outputs, const std::string& dtype, index batch_size,
    bool in_a_row) {
  api::GraphSpec spec;
  for (const auto& [name, shape] : inputs) spec.inputs.emplace_back(name, shape_from(shape));
  for (const auto& [layer, values] : nodes) spec.nodes.push_back({layer, values});
  spec.outputs = outputs;
  spec.batch_size = batch_size;
  spec.in_a_row = in_a_row;
  return api::make_graph(spec, dtype);
}

template <class Layer>
auto child_of(Layer& layer, const std::string& name) {
  for (const auto& child : layer.children()) {
    if (child.name == name) return child.layer->shared_from_this();
  }
  LF_FAIL("[layer.child] there is no layer \"" << name << "\" in it");
}

}  // namespace

void bind_layers(py::module_& module) {
  py::class_<AnyLayer> layer(module, "Layer", py::is_final(), plain_type());
  def_init(layer, &make_layer, py::arg("options"), py::arg("dtype"),
           py::arg("children") = py::none());
  const auto property = [&](const char* name, auto f) {
    layer.def_property_readonly(name, [f](const AnyLayer& self) { return visit(self, f); });
  };
  property("kind", [](auto& layer) { return layer.kind(); });
  property("config", [](auto& layer) { return from_options(layers::whole_config(layer)); });
  property("built", [](auto& layer) { return layer.built(); });
  property("state_sizes", [](auto& layer) { return layer.state_sizes(); });
  property("stateful", [](auto& layer) { return layer.carried() != nullptr; });
  property("carried_rows", [](auto& layer) {
    return layer.carried() == nullptr ? index{0} : layer.carried()->rows();
  });
  layer
      .def_static("graph", &make_graph, py::arg("inputs"), py::arg("nodes"), py::arg("outputs"),
                  py::arg("dtype"), py::arg("batch_size") = 0, py::arg("in_a_row") = false)
      .def_property(
          "name",
          [](const AnyLayer& self) {
            return visit(self, [](auto& layer) { return layer.name(); });
          },
          [](AnyLayer& self, const std::string& name) {
            visit(self, [&](auto& layer) {
              auto config = layer.config();
              config["name"] = name;
              layer.set_config(std::move(config));
            });
          })
      .def_property("trainable", &api::is_trainable, &api::set_trainable)
      .def_property_readonly("dtype", &AnyLayer::dtype)
      .def_property_readonly("child_names",
                             [](const AnyLayer& self) {
                               std::vector<std::string> out;
                               visit(self, [&](auto& layer) {
                                 for (const auto& child : layer.children())
                                   out.push_back(child.name);
                               });
                               return out;
                             })
      .def(
          "child",
          [](const AnyLayer& self, const std::string& name) {
            return visit(self, [&](auto& layer) { return AnyLayer(child_of(layer, name)); });
          },
          py::arg("name"))
      .def(
          "connect",
          [](const AnyLayer& self, const Shapes& shapes) {
            layers::Shapes inputs;
            for (const auto& shape : shapes) inputs.push_back(shape_from(shape));
            return visit(self, [&](auto& layer) { return shape_tuples(layer.connect(inputs)); });
          },
          py::arg("shapes"))
      .def("reset_states", [](AnyLayer& self) {
        visit(self, [](auto& layer) {
          const base::Busy busy(layer.parameters().busy(), "layer.reset_states",
                                base::Busy::Kind::nested);
          if (layer.carried() != nullptr) layer.carried()->reset();
        });
      });
  bind_layer_weights(layer);
  bind_layer_call(layer);
}

}  // namespace lstmfast::bindings
