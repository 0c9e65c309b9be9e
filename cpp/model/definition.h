// A model without its training: the graph, and the parameters, states and rules of its layers.
// Takes little memory for any configuration, so that a file can be compared with it before the
// weights' memory is allocated.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/options.h"
#include "layers/decoder_input.h"
#include "layers/graph.h"
#include "model/carried.h"
#include "model/weight_rules.h"

namespace lstmfast::model {

// The parameters of one layer. Their names in files begin with the path: "layers.0.forward".
template <class T>
struct Owned {
  std::string path;
  std::string layer;  // name of the graph's layer that contains them
  const layers::Layer<T>* owner;
  layers::Parameters<T>* parameters;
};

// What calls of some layers, and of those in them, use.
template <class T>
struct Parts {
  std::vector<Owned<T>> parameters;   // each once, in the order of users' weight lists
  CarriedStates<T> carried;           // of the stateful layers
  std::vector<base::BusyFlag*> busy;  // of both, sorted by address: one order for all models

  void add(layers::Layer<T>& layer, const std::string& path);
  // Of the memory of the parameters' values.
  std::size_t bytes() const {
    std::size_t bytes = 0;
    for (const Owned<T>& each : parameters) bytes += each.parameters->bytes();
    return bytes;
  }
};

template <class T>
struct Definition : Parts<T> {
  std::shared_ptr<layers::Graph<T>> graph;
  WeightRules<T> rules;
  // The layer through which the graph takes targets, as input `targets`; null: there is none.
  const layers::DecoderInput<T>* decoder = nullptr;
  index targets = 0;

  explicit Definition(std::shared_ptr<layers::Graph<T>> graph);

  base::Options config() const;  // with the dtype
};

// Makes a layer by its configuration, with the output penalties of all layers in it, which
// layers::Layer::make does not read. Throws std::invalid_argument that names a key that is unknown,
// missing or wrong.
template <class T>
std::shared_ptr<layers::Layer<T>> open_layer(const base::Options& config,
                                             const layers::Children& children = {});

// Keys: dtype and those of layers::Graph. Throws as open_layer does.
template <class T>
Definition<T> read_definition(const base::Options& config);

// "float32" or "float64": the key dtype, by default float32.
std::string dtype_name_of(const base::Options& config);

}  // namespace lstmfast::model
