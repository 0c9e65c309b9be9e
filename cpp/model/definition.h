// What a model is, without its weights: configuration, layers, shapes, parameters. Small whatever
// the configuration says, so that a file can be compared with it before memory is taken.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"
#include "layers/chain.h"
#include "model/weight_rules.h"

namespace lstmfast::model {

struct LayerInfo {
  std::string kind, name;
  layers::Shape output;
  index parameters;  // elements, logical
};

template <class T>
struct Definition {
  base::Options config;  // as given, with its dtype
  layers::Shape input, output;
  index batch_size = 0;  // of every batch, for stateful layers; 0: the first one says
  layers::Chain<T> chain;
  layers::Declaration declaration;
  WeightRules<T> rules;
  std::vector<LayerInfo> layers;

  const std::vector<layers::Parameter>& parameters() const { return declaration.parameters(); }
};

// Keys: dtype, input_shape, batch_size, layers, layers.N.kind, layers.N.name and each kind's own.
// Throws std::invalid_argument naming the key that is unknown, missing or wrong.
template <class T>
Definition<T> read_definition(const base::Options& config);

// "float32" or "float64": the key dtype, which is float32 where it is absent.
std::string dtype_name_of(const base::Options& config);

// Index of the top layer that a parameter belongs to.
index top_layer(const layers::Parameter& parameter);

}  // namespace lstmfast::model
