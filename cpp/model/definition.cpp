#include "model/definition.h"

#include "base/check.h"
#include "model/penalised_layer.h"

namespace lstmfast::model {
namespace {

constexpr const char* kSubject = "model.config";
constexpr index kMaxLayers = 1000;

const base::OptionTable& model_options() {
  static const base::OptionTable table{{
      base::text("dtype", "float32", {"float32", "float64"}),
      base::extents("input_shape", base::kRequired),
      base::integer("batch_size", 0, 0),
      base::integer("layers", base::kRequired, 1, kMaxLayers),
  }};
  return table;
}

layers::Shape read_input_shape(const base::Values& options) {
  const base::Extents& sizes = options["input_shape"].extents();
  const bool good =
      !sizes.empty() && sizes.size() <= layers::Shape::kMaxRank && sizes.back() != base::kAnyExtent;
  if (!good)
    options.fail("input_shape", "1 to 5 extents, of which the last, the features, is no None");
  return layers::Shape(sizes);
}

}  // namespace

std::string dtype_name_of(const base::Options& config) {
  return base::OptionReader(config, kSubject).read(model_options().rows[0]).text();
}

index top_layer(const layers::Parameter& parameter) {
  return std::stol(parameter.path.substr(sizeof("layers.") - 1));
}

template <class T>
Definition<T> read_definition(const base::Options& given) {
  static_assert(base::kAnyExtent == layers::kAnySize);
  const base::OptionReader config(given, kSubject);
  const base::Values options = config.read(model_options());
  const char* const expected = sizeof(T) == 4 ? "float32" : "float64";
  if (options["dtype"].text() != expected) options.fail("dtype", expected);

  Definition<T> out;
  out.input = read_input_shape(options);
  out.batch_size = options["batch_size"].integer();
  const index count = options["layers"].integer();
  for (index i = 0; i < count; ++i) {
    const base::OptionReader part = config.part("layers." + std::to_string(i));
    auto layer = layers::registry().make<T>(part);
    auto regularizer = read_regularizer<T>(part, "activity_regularizer", {});
    if (regularizer != nullptr) layer = penalised_layer(std::move(layer), std::move(regularizer));
    out.chain.add(std::move(layer));
    const std::string kind = part.read(base::text("kind", "")).text();
    out.layers.push_back({kind, part.read(base::text("name", kind)).text(), {}, 0});
  }
  out.chain.declare_parameters(out.input, out.declaration);
  out.rules.read(config, out.parameters());
  config.check_all_used();
  out.config = config.typed();
  out.config["dtype"] = expected;
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

template Definition<float> read_definition(const base::Options& config);
template Definition<double> read_definition(const base::Options& config);

}  // namespace lstmfast::model
