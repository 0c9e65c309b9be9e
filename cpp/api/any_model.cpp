#include "api/any_model.h"

#include <memory>

#include "base/check.h"

namespace lstmfast::api {
namespace {

template <class T>
AnyModel make(std::shared_ptr<layers::Layer<T>> layer) {
  auto graph = std::dynamic_pointer_cast<layers::Graph<T>>(std::move(layer));
  LF_CHECK(graph != nullptr, "[model] the layer is no graph");
  return AnyModel(std::make_unique<model::Model<T>>(model::Definition<T>(std::move(graph))));
}

}  // namespace

AnyModel make_model(const AnyLayer& graph) {
  return graph.visit([](const auto& layer) { return make(layer); });
}

}  // namespace lstmfast::api
