#include "api/any_layer.h"

#include "base/check.h"
#include "model/definition.h"

namespace lstmfast::api {
namespace {

void check_dtype(const std::string& dtype) {
  LF_CHECK(dtype == "float32" || dtype == "float64",
           "[model.config] dtype is \"" << dtype << "\"; expected one of \"float32\", \"float64\"");
}

template <class T>
AnyLayer open(const base::Options& config, const std::map<std::string, AnyLayer>& given) {
  layers::Children children;
  for (const auto& [name, layer] : given) children.emplace(name, layer.template as<T>());
  return AnyLayer(model::open_layer<T>(config, children));
}

template <class T>
AnyLayer make(const GraphSpec& spec) {
  auto graph = std::make_shared<layers::Graph<T>>();
  for (const auto& [name, shape] : spec.inputs) graph->add_input(shape, name);
  for (const NodeSpec& node : spec.nodes) {
    graph->add_node(node.layer.template as<T>(), node.inputs);
  }
  graph->set_outputs(spec.outputs);
  graph->set_batch_size(spec.batch_size);
  graph->describe(spec.in_a_row);
  return AnyLayer(std::shared_ptr<layers::Layer<T>>(std::move(graph)));
}

}  // namespace

template <class T>
std::shared_ptr<layers::Layer<T>> AnyLayer::as() const {
  const auto* const layer = std::get_if<std::shared_ptr<layers::Layer<T>>>(&held_);
  LF_CHECK(layer != nullptr, "[model.config] a layer computes in "
                                 << dtype() << "; expected "
                                 << (sizeof(T) == 4 ? "float32" : "float64")
                                 << ", the model's dtype");
  return *layer;
}
template std::shared_ptr<layers::Layer<float>> AnyLayer::as() const;
template std::shared_ptr<layers::Layer<double>> AnyLayer::as() const;

AnyLayer open_layer(const base::Options& config, const std::string& dtype,
                    const std::map<std::string, AnyLayer>& children) {
  check_dtype(dtype);
  return dtype == "float64" ? open<double>(config, children) : open<float>(config, children);
}

AnyLayer make_graph(const GraphSpec& spec, const std::string& dtype) {
  check_dtype(dtype);
  return dtype == "float64" ? make<double>(spec) : make<float>(spec);
}

void set_trainable(const AnyLayer& any, bool trainable) {
  any.visit([&](const auto& top) {
    layers::for_each_layer(*top, "", [&](const std::string&, auto& layer) {
      layer.parameters().set_trainable(trainable);
    });
  });
}

bool is_trainable(const AnyLayer& any) {
  bool trainable = false;
  any.visit([&](const auto& top) {
    layers::for_each_layer(*top, "", [&](const std::string&, auto& layer) {
      trainable |= layer.children().empty() && layer.parameters().trainable();
    });
  });
  return trainable;
}

}  // namespace lstmfast::api
