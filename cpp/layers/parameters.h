// The list of a model's parameters: names, logical shapes, and where each lies in the one flat
// block that holds them all. Knows the packed layout, no layers and no values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/plain.h"
#include "ops/panels.h"

namespace lstmfast::layers {

struct Parameter {
  std::string path;          // of its layer: "layers.0"
  std::string name;          // kernel, bias, ...
  std::vector<index> shape;  // logical
  ops::PartLayout layout;    // counts from the start of its layer's packed block
  index block = 0;           // element of the flat block at which that packed block starts

  index count() const { return layout.rows * layout.columns; }

  // `flat` is a block laid out as all parameters (values, gradients, an optimizer's slot);
  // `logical` [layout.rows][layout.columns] row-major.
  template <class T>
  void export_to(const T* flat, T* logical) const {
    ops::export_part(layout, flat + block, logical);
  }
  template <class T>
  void import_from(const T* logical, T* flat) const {
    ops::import_part(layout, logical, flat + block);
  }
};

// What the layers of a model ask for while it is built.
class Declaration {
 public:
  // Room for one packed block. Blocks start on cache lines; what lies between them stays zero.
  index add_block(index size) {
    const index first = size_;
    size_ += (size + kBlockGrain - 1) / kBlockGrain * kBlockGrain;
    return first;
  }

  // Order is that of the weight lists of users: by layer, then as the layer adds them.
  void add(std::string name, std::vector<index> shape, const ops::PartLayout& layout, index block) {
    parameters_.push_back({path_, std::move(name), std::move(shape), layout, block});
  }

  // A number that no other layer of the model has: names its streams of random numbers.
  std::uint32_t add_stream() { return streams_++; }

  const std::string& path() const { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }

  index size() const { return size_; }  // elements of the flat block
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  static constexpr index kBlockGrain = 16;  // elements: 64 bytes of float

  std::vector<Parameter> parameters_;
  std::string path_;
  index size_ = 0;
  std::uint32_t streams_ = 0;
};

}  // namespace lstmfast::layers
