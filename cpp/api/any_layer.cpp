#include "api/any_layer.h"

#include <memory>
#include <type_traits>

#include "base/check.h"
#include "base/text.h"
#include "model/definition.h"

namespace lstmfast::api {
namespace {

constexpr const char* kConfig = "model.config";

// Throws std::invalid_argument for a layer of the other type.
template <class T>
std::shared_ptr<layers::Layer<T>> layer_of(const AnyLayer& any) {
  return any.visit([&](auto& layer) -> std::shared_ptr<layers::Layer<T>> {
    if constexpr (std::is_same_v<Element<decltype(layer)>, T>) {
      return layer.shared_from_this();
    } else {
      LF_FAIL("[" << kConfig << "] a layer computes in " << any.dtype() << "; expected "
                  << (sizeof(T) == 4 ? "float32" : "float64") << ", the model's dtype");
    }
  });
}

}  // namespace

AnyLayer open_layer(const base::Options& config, const std::string& dtype,
                    const std::map<std::string, AnyLayer>& given) {
  return with_dtype(kConfig, dtype, [&](auto zero) {
    using T = decltype(zero);
    layers::Children children;
    for (const auto& [name, layer] : given) children.emplace(name, layer_of<T>(layer));
    return AnyLayer(model::open_layer<T>(config, children));
  });
}

AnyLayer make_graph(const std::vector<std::pair<std::string, layers::Shape>>& inputs,
                    const std::vector<AnyNode>& nodes, const std::vector<layers::Place>& outputs,
                    const std::string& dtype, index batch_size, bool in_a_row,
                    const std::vector<AnyLayer>& order) {
  return with_dtype(kConfig, dtype, [&](auto zero) {
    using T = decltype(zero);
    auto graph = std::make_shared<layers::Graph<T>>();
    LF_CHECK(!inputs.empty(), "[" << kConfig << "] there are no inputs; expected at least one");
    for (const auto& input : inputs) {
      LF_CHECK(input.second.rank > 0,
               "[" << kConfig << "] input " << base::in_quotes(input.first)
                   << " has samples of shape (); expected at least one axis");
      graph->add_input(input.second, input.first);
    }
    std::vector<std::shared_ptr<layers::Layer<T>>> ordered;
    for (const AnyLayer& layer : order) ordered.push_back(layer_of<T>(layer));
    graph->set_layers(ordered);
    for (const auto& [layer, values, training] : nodes) {
      graph->add_node(layer_of<T>(layer), values, training);
    }
    graph->set_outputs(outputs);
    graph->describe(in_a_row, batch_size);
    return AnyLayer(std::shared_ptr<layers::Layer<T>>(std::move(graph)));
  });
}

void set_trainable(const AnyLayer& any, bool trainable) {
  any.visit([&](auto& top) {
    layers::for_each_layer(top, "", [&](const std::string&, auto& layer) {
      layer.parameters().set_trainable(trainable);
    });
  });
}

bool is_trainable(const AnyLayer& any) {
  bool trainable = false;
  any.visit([&](auto& top) {
    layers::for_each_layer(top, "", [&](const std::string&, auto& layer) {
      trainable |= layer.children().empty() && layer.parameters().trainable();
    });
  });
  return trainable;
}

}  // namespace lstmfast::api
