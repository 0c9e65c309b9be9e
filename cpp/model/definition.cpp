#include "model/definition.h"

#include "base/check.h"
#include "model/penalised_layer.h"

namespace lstmfast::model {
namespace {

constexpr const char* kSubject = "model.config";
constexpr index kMaxLayers = 1000;

std::string read_dtype(const base::FlatConfig& config) {
  return config.choice_or("dtype", {"float32", "float64"}, "float32");
}

layers::Shape read_input_shape(const base::FlatConfig& config) {
  const std::vector<index> sizes = config.shape("input_shape");
  const bool good =
      !sizes.empty() && sizes.size() <= layers::Shape::kMaxRank && sizes.back() != base::kAnyExtent;
  if (!good)
    config.fail("input_shape", "1 to 5 extents, of which the last, the features, is no \"?\"");
  return layers::Shape(sizes);
}

}  // namespace

std::string dtype_name_of(const base::FlatConfig::Map& config) {
  return read_dtype(base::FlatConfig(config, kSubject));
}

index top_layer(const layers::Parameter& parameter) {
  return std::stol(parameter.path.substr(sizeof("layers.") - 1));
}

template <class T>
Definition<T> read_definition(const base::FlatConfig::Map& map) {
  static_assert(base::kAnyExtent == layers::kAnySize);
  const base::FlatConfig config(map, kSubject);
  const char* const expected = sizeof(T) == 4 ? "float32" : "float64";
  if (read_dtype(config) != expected) config.fail("dtype", expected);

  Definition<T> out;
  out.config = map;
  out.config["dtype"] = expected;
  out.input = read_input_shape(config);
  out.batch_size = config.integer_or("batch_size", 0, 0);
  const index count = config.integer("layers", 1, kMaxLayers);
  for (index i = 0; i < count; ++i) {
    const base::FlatConfig part = config.part("layers." + std::to_string(i));
    auto layer = layers::make_layer<T>(part);
    auto regularizer = read_regularizer<T>(part, "activity_regularizer", {});
    if (regularizer != nullptr) layer = penalised_layer(std::move(layer), std::move(regularizer));
    out.chain.add(std::move(layer));
    const std::string kind = part.text("kind");
    out.layers.push_back({kind, part.text_or("name", kind), {}, 0});
  }
  out.chain.declare_parameters(out.input, out.declaration);
  out.rules.read(config, out.parameters());
  config.check_all_used();
  layers::Shape shape = out.input;
  for (index i = 0; i < count; ++i) {
    shape = out.chain.layer(i).output_shape(shape);
    out.layers[static_cast<std::size_t>(i)].output = shape;
  }
  out.output = shape;
  for (const layers::Parameter& parameter : out.parameters()) {
    out.layers[static_cast<std::size_t>(top_layer(parameter))].parameters += parameter.count();
  }
  return out;
}

template Definition<float> read_definition(const base::FlatConfig::Map& config);
template Definition<double> read_definition(const base::FlatConfig::Map& config);

}  // namespace lstmfast::model
