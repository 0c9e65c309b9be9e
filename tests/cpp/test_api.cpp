// What bindings of every language need: opening by the element type's name, and kinds of errors.
#include <doctest/doctest.h>

#include <cerrno>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <type_traits>

#include "api/any_model.h"
#include "api/any_rnn.h"
#include "api/errors.h"
#include "base/buffer.h"

namespace lstmfast::api {
namespace {

template <class AnyOf>
bool is_double(const AnyOf& held) {
  return held.visit([](auto& one) { return std::is_same_v<Element<decltype(one)>, double>; });
}

TEST_CASE("exceptions have kinds") {
  CHECK(kind_of(std::invalid_argument("x")) == ErrorKind::value);
  CHECK(kind_of(base::WrongType("x")) == ErrorKind::type);
  CHECK(kind_of(std::length_error("x")) == ErrorKind::value);
  CHECK(kind_of(std::bad_alloc()) == ErrorKind::memory);
  CHECK(kind_of(base::OutOfMemory(8)) == ErrorKind::memory);
  CHECK(kind_of(model::NonFinite("x")) == ErrorKind::floating_point);
  CHECK(kind_of(std::runtime_error("x")) == ErrorKind::runtime);
  const std::system_error missing(ENOENT, std::generic_category());
  CHECK(kind_of(missing) == ErrorKind::os);
  CHECK(system_errno(missing) == ENOENT);
  CHECK(system_errno(std::runtime_error("x")) == 0);
}

TEST_CASE("layers, graphs and models have the element type that is asked for") {
  const base::Options config = {{"kind", "dense"}, {"name", "dense"}, {"units", 2}};
  const auto graph_of = [&](const std::string& dtype, const std::string& of_layer) {
    GraphSpec spec;
    spec.inputs = {{"x", {3}}};
    spec.nodes = {{open_layer(config, of_layer, {}), {{0, 0}}}};
    spec.outputs = {{1, 0}};
    return make_graph(spec, dtype);
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
  layer.visit(
      [](const auto& top) { CHECK_FALSE(top->children()[0].layer->parameters().trainable()); });
}

TEST_CASE("an Rnn has the element type that is asked for") {
  const base::Options sizes = {{"input_size", 2}, {"hidden_size", 3}};
  CHECK_FALSE(is_double(make_rnn(sizes, "float32", 0)));
  CHECK(is_double(make_rnn(sizes, "float64", 0)));
  CHECK_THROWS_AS(make_rnn(sizes, "float16", 0), std::invalid_argument);
}

}  // namespace
}  // namespace lstmfast::api
