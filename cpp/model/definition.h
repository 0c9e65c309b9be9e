// What a model is besides training: its graph, and what each layer of it asks for. Small whatever
// the configuration says, so that a file can be compared with it before memory is taken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/options.h"
#include "layers/graph.h"
#include "model/carried.h"
#include "model/weight_rules.h"

namespace lstmfast::model {

// The parameters of one layer, whose names in files begin with the path: "layers.0.forward".
template <class T>
struct Owned {
  std::string path;
  std::string layer;  // the name of the top layer that they belong to
  layers::Parameters<T>* parameters;
};

template <class T>
struct Definition {
  std::shared_ptr<layers::Graph<T>> graph;
  std::vector<Owned<T>> parameters;   // each once, in the order of users' weight lists
  CarriedStates<T> carried;           // of the stateful layers
  std::vector<base::BusyFlag*> busy;  // of all these, sorted: one order for all models
  WeightRules<T> rules;

  explicit Definition(std::shared_ptr<layers::Graph<T>> graph);

  base::Options config() const;  // with the dtype
};

// A layer by its configuration, with what it asks of its outputs: layers::make_layer, and then the
// output penalties of all layers in it. Throws std::invalid_argument naming a key that is unknown,
// missing or wrong.
template <class T>
std::shared_ptr<layers::Layer<T>> open_layer(const base::Options& config,
                                             const layers::Children& children = {});

// Keys: dtype and those of layers::read_graph. Throws as open_layer does.
template <class T>
Definition<T> read_definition(const base::Options& config);

// "float32" or "float64": the key dtype, which is float32 where it is absent.
std::string dtype_name_of(const base::Options& config);

}  // namespace lstmfast::model
