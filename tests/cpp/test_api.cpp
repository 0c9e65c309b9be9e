// What bindings of every language need: opening by the element type's name.
#include <doctest/doctest.h>

#include <stdexcept>
#include <type_traits>

#include "api/any_model.h"

namespace lstmfast::api {
namespace {

template <class AnyOf>
bool is_double(const AnyOf& held) {
  return held.visit([](auto& one) { return std::is_same_v<Element<decltype(one)>, double>; });
}

TEST_CASE("layers, graphs and models have the element type that is asked for") {
  const base::Options config = {{"kind", "dense"}, {"name", "dense"}, {"units", 2}};
  const auto graph_of = [&](const std::string& dtype, const std::string& of_layer) {
    const std::vector<layers::Place> inputs = {{0, 0}};
    return make_graph({{"x", {3}}}, {{open_layer(config, of_layer, {}), inputs, {}}}, {{1, 0}},
                      dtype);
  };
  for (const std::string dtype : {"float32", "float64"}) {
    const AnyLayer graph = graph_of(dtype, dtype);
    CHECK(graph.dtype() == dtype);
    CHECK(is_double(make_model(graph)) == (dtype == "float64"));
  }
  CHECK_THROWS_WITH_AS(graph_of("float32", "float64"),
                       "[model.config] a layer computes in float64; expected float32, the model's "
                       "dtype",
                       std::invalid_argument);
  CHECK_THROWS_AS(open_layer(config, "float16", {}), std::invalid_argument);
  CHECK_THROWS_AS(make_model(open_layer(config, "float32", {})), std::invalid_argument);
}

TEST_CASE("a layer is frozen with all layers in it") {
  const AnyLayer layer = open_layer(
      {{"kind", "time_distributed"}, {"layer.kind", "dense"}, {"layer.units", 2}}, "float32", {});
  CHECK(is_trainable(layer));
  set_trainable(layer, false);
  CHECK_FALSE(is_trainable(layer));
  layer.visit([](auto& top) { CHECK_FALSE(top.children()[0].layer->parameters().trainable()); });
}

TEST_CASE("an Rnn has the element type that is asked for") {
  const base::Options sizes = {{"input_size", 2}, {"hidden_size", 3}};
  CHECK_FALSE(is_double(make_rnn(sizes, "float32", 0)));
  CHECK(is_double(make_rnn(sizes, "float64", 0)));
  CHECK_THROWS_AS(make_rnn(sizes, "float16", 0), std::invalid_argument);
}

}  // namespace
}  // namespace lstmfast::api
