#include "model/penalised_layer.h"

#include <utility>

namespace lstmfast::model {
namespace {

using layers::LayerState;
using layers::Pass;
using layers::Shape;

struct PenalisedState : LayerState {
  std::unique_ptr<LayerState> inner;
  index count = 0;  // outputs of one sample
};

PenalisedState& own(LayerState& state) { return static_cast<PenalisedState&>(state); }

// `count` neighbouring numbers as one run.
ops::PartLayout one_run(index count) {
  return {1, count, 1, count, 0, 1, count, count, count, false};
}

// Hands on all that a layer is asked.
template <class T>
class PenalisedLayer final : public layers::Layer<T> {
 public:
  PenalisedLayer(std::unique_ptr<layers::Layer<T>> layer,
                 std::unique_ptr<regularizers::Regularizer<T>> regularizer)
      : layer_(std::move(layer)), regularizer_(std::move(regularizer)) {}

  void declare_parameters(const Shape& input, layers::Declaration& declaration) override {
    layer_->declare_parameters(input, declaration);
  }
  Shape output_shape(const Shape& input) const override { return layer_->output_shape(input); }
  bool has_parameters() const override { return layer_->has_parameters(); }
  std::vector<index> carried() const override { return layer_->carried(); }
  bool stateful() const override { return layer_->stateful(); }
  bool masks(bool masked) const override { return layer_->masks(masked); }
  const unsigned char* mask_out(const Pass<T>& pass, const LayerState& state) const override {
    return layer_->mask_out(pass, *static_cast<const PenalisedState&>(state).inner);
  }
  double flops(const Shape& input) const override { return layer_->flops(input); }

  std::unique_ptr<LayerState> make_state() const override {
    auto state = std::make_unique<PenalisedState>();
    state->inner = layer_->make_state();
    return state;
  }
  void declare(LayerState& state, base::Planner& planner,
               const layers::Extent& extent) const override {
    own(state).count = layer_->output_shape(extent.input).count();
    layer_->declare(*own(state).inner, planner, extent);
  }

  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override {
    layer_->forward(whole(pass), *own(state).inner, x, y);
    if (pass.penalty == nullptr) return;
    *pass.penalty += regularizer_->value(one_run(pass.batch * own(state).count), y) /
                     static_cast<double>(pass.batch);
  }

  void backward(const Pass<T>& pass, LayerState& state, const T* x, const T* y, T* dy,
                T* dx) const override {
    regularizer_->add_gradient(one_run(pass.batch * own(state).count), y,
                               static_cast<T>(1.0 / static_cast<double>(pass.batch)), dy);
    layer_->backward(whole(pass), *own(state).inner, x, y, dy, dx);
  }

 private:
  static Pass<T> whole(Pass<T> pass) {
    pass.pre_activation = false;
    return pass;
  }

  std::unique_ptr<layers::Layer<T>> layer_;
  std::unique_ptr<regularizers::Regularizer<T>> regularizer_;
};

}  // namespace

template <class T>
std::unique_ptr<layers::Layer<T>> penalised_layer(
    std::unique_ptr<layers::Layer<T>> layer,
    std::unique_ptr<regularizers::Regularizer<T>> regularizer) {
  return std::make_unique<PenalisedLayer<T>>(std::move(layer), std::move(regularizer));
}

template std::unique_ptr<layers::Layer<float>> penalised_layer(
    std::unique_ptr<layers::Layer<float>>, std::unique_ptr<regularizers::Regularizer<float>>);
template std::unique_ptr<layers::Layer<double>> penalised_layer(
    std::unique_ptr<layers::Layer<double>>, std::unique_ptr<regularizers::Regularizer<double>>);

}  // namespace lstmfast::model
