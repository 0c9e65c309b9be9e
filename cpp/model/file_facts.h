// What a model file holds and what the model will need, found from the file's header alone. Knows
// no Python.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "layers/shape.h"
#include "model/definition.h"

namespace lstmfast::model {

struct FileFacts {
  struct LayerFacts {
    std::string name, kind;
    index parameters;      // numbers, with those of layers inside it
    layers::Shape output;  // of a sample: the first one where there are several
  };
  struct Input {
    std::string name;
    layers::Shape shape;
    index ids;  // their bound; 0: numbers
  };

  std::vector<LayerFacts> layers;  // by node
  std::vector<Input> inputs;
  layers::Shapes outputs;
  index parameters = 0;           // numbers, each once
  std::size_t weight_bytes = 0;   // of the loaded model, as Parts::bytes()
  std::size_t loading_bytes = 0;  // the most in use while it is loaded: an array stands there twice
  std::string cannot_stream;      // why; empty: it can
  std::size_t stream_bytes = 0;   // of a stream of one row, right to a factor of 2
  index multiply_adds = 0;        // of a step and row, in products with weights
};

// definition: ModelFile::definition().
template <class T>
FileFacts facts_of(const Definition<T>& definition);

}  // namespace lstmfast::model
