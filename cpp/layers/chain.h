// Layers one behind the other, itself a layer. Knows no kind of layer.
#pragma once

#include <memory>
#include <vector>

#include "layers/layer.h"

namespace lstmfast::layers {

template <class T>
class Chain : public Layer<T> {
 public:
  // Before declare_parameters.
  void add(std::unique_ptr<Layer<T>> layer) { layers_.push_back(std::move(layer)); }

  index size() const { return static_cast<index>(layers_.size()); }
  const Layer<T>& layer(index i) const { return *layers_[static_cast<std::size_t>(i)]; }

  // Layer i declares under the path "layers.i", below the chain's own.
  void declare_parameters(const Shape& input, Declaration& declaration) override;
  Shape output_shape(const Shape& input) const override;
  bool has_parameters() const override { return first_trained_ < size(); }
  std::vector<index> carried() const override;  // of its stateful layers
  bool stateful() const override;
  bool masks(bool masked) const override;
  const unsigned char* mask_out(const Pass<T>& pass, const LayerState& state) const override;
  // Where the part of layer i in what the chain carries begins: values a row; layer i may be the
  // end.
  index carried_before(index i) const;
  Activation last_activation() const override;
  double flops(const Shape& input) const override;

  std::unique_ptr<LayerState> make_state() const override;
  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override;
  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override;
  void backward(const Pass<T>& pass, LayerState& state, const T* x, const T* y, T* dy,
                T* dx) const override;

 private:
  std::vector<std::unique_ptr<Layer<T>>> layers_;
  index first_trained_ =
      0;  // the first layer with parameters: backward ends there unless dx is wanted
};

}  // namespace lstmfast::layers
