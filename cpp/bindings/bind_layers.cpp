// class Layer: one layer, with the parameters that all models share in which it stands.
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/init.h"
#include "bindings/numpy.h"
#include "bindings/python_layer.h"
#include "bindings/values.h"
#include "model/model.h"
#include "ops/linear.h"

namespace lstmfast::bindings {
namespace {

using Children = std::map<std::string, AnyLayer>;

std::unique_ptr<AnyLayer> make_layer(const base::Options& options, const std::string& dtype,
                                     const std::optional<Children>& children) {
  return std::make_unique<AnyLayer>(api::open_layer(options, dtype, children.value_or(Children())));
}

template <class Layer>
auto child_of(Layer& layer, const std::string& name) {
  for (const auto& child : layer.children()) {
    if (child.name == name) return child.layer->shared_from_this();
  }
  LF_FAIL("[layer.child] there is no layer \"" << name << "\" in it");
}

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

template <class T>
py::list get_weights(layers::Layer<T>& layer) {
  py::list out;
  model::allocate_parameters(layer);
  for_each_weight(layer, [&](const std::string&, auto& owner, const layers::Parameter& parameter) {
    py::array_t<T> weight = new_array<T>(parameter.shape);
    owner.get(parameter, weight.mutable_data());
    out.append(std::move(weight));
  });
  return out;
}

template <class T>
void set_weights(layers::Layer<T>& layer, const py::sequence& weights) {
  const char* const op = "layer.set_weights";
  model::allocate_parameters(layer);
  // All is checked, and all memory allocated, before the first is set.
  std::vector<py::array_t<T>> arrays;
  std::vector<std::pair<const layers::Parameter*, T*>> places;
  std::vector<base::BusyFlag*> flags;
  std::size_t count = 0;
  for_each_weight(
      layer, [&](const std::string& name, auto& owner, const layers::Parameter& parameter) {
        LF_CHECK(!parameter.reduced,
                 "[" << op << "] " << name << " is in " << layers::name_of(owner.precision())
                     << "; expected float32: set the weights of the model that was "
                        "reduced, and reduce it again");
        if (count++ < weights.size()) {
          arrays.push_back(take<T>(op, name.c_str(), weights[count - 1]));
          check_shape(op, name.c_str(), arrays.back(), layers::Shape(parameter.shape));
        }
        places.emplace_back(&parameter, owner.values());
        flags.push_back(&owner.busy());
      });
  LF_CHECK(weights.size() == count,
           "[" << op << "] weights has " << weights.size() << " arrays; expected " << count);
  base::sort_flags(flags);
  // callbacks of a fit may set weights
  const base::BusyGroup busy(flags, op, base::Busy::Kind::reading);
  for (std::size_t i = 0; i < count; ++i) {
    places[i].first->import_from(arrays[i].data(), places[i].second);
  }
}

}  // namespace

void bind_layers(py::module_& module) {
  module.def(
      "makes_dot_products",
      [](index units) { return ops::LinearShape<float>(1, units).columns_size() > 0; },
      py::arg("units"));
  py::class_<AnyLayer> layer(module, "Layer", py::is_final(), plain_type());
  def_init(layer, &make_layer, py::arg("options"), py::arg("dtype"),
           py::arg("children") = py::none());
  const auto property = [&](const char* name, auto f) {
    layer.def_property_readonly(name, visiting<AnyLayer>(f));
  };
  property("kind", [](auto& layer) { return layer.kind(); });
  layer.def_property_readonly("precision", [](AnyLayer& self) {
    return self.visit([&](auto& layer) -> std::string {
      std::string found = self.dtype();
      layers::for_each_layer(layer, "", [&](const std::string&, const auto& each) {
        if (each.precision() != Precision::full) found = layers::name_of(each.precision());
      });
      return found;
    });
  });
  property("config", [](auto& layer) { return layer.whole_config(); });
  property("built", [](auto& layer) { return layer.built(); });
  property("state_sizes", [](auto& layer) { return layer.state_sizes(); });
  property("stateful", [](auto& layer) { return layer.carried() != nullptr; });
  property("carried_rows", [](auto& layer) {
    return layer.carried() == nullptr ? index{0} : layer.carried()->rows();
  });
  property("child_names", [](auto& layer) {
    std::vector<std::string> out;
    for (const auto& child : layer.children()) out.push_back(child.name);
    return out;
  });
  const auto set_text = [](const char* key) {
    return visiting<AnyLayer, const std::string&>([key](auto& layer, const std::string& text) {
      auto config = layer.config();
      config[key] = text;
      layer.set_config(std::move(config));
    });
  };
  const auto child = [](auto& layer, const std::string& name) {
    return AnyLayer(child_of(layer, name));
  };
  const auto connect = [](auto& layer, const layers::Shapes& shapes) {
    return layer.connect(shapes);
  };
  const auto reset_states = [](auto& layer) {
    const base::Busy busy(layer.parameters().busy(), "layer.reset_states",
                          base::Busy::Kind::nested);
    if (layer.carried() != nullptr) layer.carried()->reset();
  };
  const auto weight_names = [](auto& layer) {
    py::list out;
    for_each_weight(layer, [&](const std::string& name, auto&, const layers::Parameter& parameter) {
      out.append(py::make_tuple(name, layers::Shape(parameter.shape)));
    });
    return out;
  };
  layer.def_property_readonly("weight_types", [](AnyLayer& self) {
    return self.visit([&](auto& layer) {
      std::vector<std::string> out;
      for_each_weight(layer, [&](const std::string&, auto&, const layers::Parameter& parameter) {
        const ops::ReducedMatrix& reduced = parameter.reduced;
        out.push_back(reduced ? layers::name_of(reduced.precision) : self.dtype());
      });
      return out;
    });
  });
  property("trained_weights", [](auto& layer) {
    std::vector<bool> out;
    for_each_weight(layer, [&](const std::string&, auto&, const layers::Parameter& parameter) {
      out.push_back(parameter.trained);
    });
    return out;
  });
  layer
      .def_static("graph", &api::make_graph, py::arg("inputs"), py::arg("nodes"),
                  py::arg("outputs"), py::arg("dtype"), py::arg("batch_size") = 0,
                  py::arg("in_a_row") = false, py::arg("order") = std::vector<AnyLayer>())
      .def_property("name", visiting<AnyLayer>([](auto& layer) { return layer.name(); }),
                    set_text("name"))
      .def_property("trainable", &api::is_trainable, &api::set_trainable)
      .def_property_readonly("dtype", &AnyLayer::dtype)
      .def("child", visiting<AnyLayer, const std::string&>(child), py::arg("name"))
      .def("set_note", set_text("note"), py::arg("note"))
      .def("connect", visiting<AnyLayer, const layers::Shapes&>(connect), py::arg("shapes"))
      .def("reset_states", visiting<AnyLayer>(reset_states))
      .def("weight_names", visiting<AnyLayer>(weight_names))
      .def("get_weights", visiting<AnyLayer>([](auto& layer) { return get_weights(layer); }))
      .def("set_weights", visiting<AnyLayer, const py::sequence&>([](auto& layer, auto& weights) {
             set_weights(layer, weights);
           }),
           py::arg("weights"));
  bind_layer_call(layer);
}

}  // namespace lstmfast::bindings
