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

TEST_CASE("a model has the element type of its configuration or of the argument") {
  const base::Options config = {{"input_shape", base::Extents{3}},
                                {"layers", 1},
                                {"layers.0.kind", "dense"},
                                {"layers.0.name", "dense"},
                                {"layers.0.units", 2}};
  base::Options in_double = config;
  in_double["dtype"] = "float64";
  CHECK_FALSE(is_double(make_model(config, std::nullopt)));
  CHECK(is_double(make_model(config, "float64")));
  CHECK(is_double(make_model(in_double, std::nullopt)));
  CHECK_THROWS_AS(make_model(in_double, "float32"), std::invalid_argument);
  CHECK_THROWS_AS(make_model(config, "float16"), std::invalid_argument);
}

TEST_CASE("an Rnn has the element type that is asked for") {
  const base::Options sizes = {{"input_size", 2}, {"hidden_size", 3}};
  CHECK_FALSE(is_double(make_rnn(sizes, "float32", 0)));
  CHECK(is_double(make_rnn(sizes, "float64", 0)));
  CHECK_THROWS_AS(make_rnn(sizes, "float16", 0), std::invalid_argument);
}

}  // namespace
}  // namespace lstmfast::api
