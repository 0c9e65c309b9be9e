// One layer by itself: memory for its parameters, for a pass and for its ports. Knows no kind of
// layer.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/layer.h"

namespace lstmfast::test {

template <class T>
class LayerRun {
 public:
  using Values = std::vector<T>;
  using Layer = layers::Layer<T>;

  // Values of all ports, [batch][shape]; gradients of inputs are written, those of outputs read.
  // Not `wanted`: the pass gets null.
  struct Port {
    Values values, gradient;
    bool wanted = true, wants_gradient = true;
  };

  LayerRun(std::shared_ptr<Layer> built, const std::vector<layers::Shape>& inputs, index batch)
      : layer(std::move(built)), batch(batch) {
    const auto ports = [batch](const std::vector<layers::Shape>& shapes, std::vector<Port>& to) {
      for (const layers::Shape& shape : shapes) {
        Port port;
        port.values = port.gradient = Values(static_cast<std::size_t>(batch * shape.count()));
        to.push_back(std::move(port));
      }
    };
    ports(inputs, in);
    ports(layer->connect(inputs), out);
    layers::for_each_layer(*layer, "", [&](const std::string& path, Layer& each) {
      layers::Parameters<T>& parameters = each.parameters();
      if (parameters.size() == 0) return;
      if (parameters.values() == nullptr) {
        parameters.place(std::make_shared<base::Buffer<T>>(parameters.size()), 0);
      }
      layout_.add(parameters);
      paths_.push_back(path);
    });
    gradients_.resize(layout_.size());
    state = layer->make_state(&layout_);
    base::Planner planner;
    layer->declare(*state, planner, {inputs, batch, true});
    arena_.reserve(planner);
    pass.arena = &arena_;
    pass.batch = batch;
    pass.gradients = gradients_.data();
    pass.seed = 5;
    pass.step = 3;
    ins_.resize(in.size());
    outs_.resize(out.size());
  }

  // f(path.name, parameter, its owner) for all parameters.
  template <class F>
  void for_parameters(F f) {
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      for (const layers::Parameter& each : layout_.entries()[i].parameters->list()) {
        f((paths_[i].empty() ? "" : paths_[i] + ".") + each.name, each, layout_.entries()[i]);
      }
    }
  }
  // Logical; the name may have a path before it.
  Values gradient(const std::string& wanted) {
    Values found;
    for_parameters([&](const std::string& name, const layers::Parameter& each, const auto& entry) {
      if (name != wanted) return;
      found.resize(static_cast<std::size_t>(each.count()));
      each.export_to(gradients_.data() + entry.offset, found.data());
    });
    return found;
  }
  Values flat_gradients() const {
    return Values(gradients_.data(), gradients_.data() + gradients_.size());
  }

  void forward(bool training, const unsigned char* mask = nullptr) {
    pass.training = training;
    for (std::size_t i = 0; i < in.size(); ++i) {
      ins_[i] = {};
      ins_[i].values = in[i].values.data();
    }
    ins_[0].mask = mask;
    for (std::size_t i = 0; i < out.size(); ++i) {
      outs_[i] = {};
      if (out[i].wanted) outs_[i].values = out[i].values.data();
    }
    layer->forward(pass, *state, ins_, outs_);
  }
  const unsigned char* mask(std::size_t output = 0) const { return outs_[output].mask; }

  // The gradients of parameters begin with zeros.
  void backward() {
    gradients_.zero();
    std::vector<Values> copies;  // may be overwritten
    for (const Port& port : out) copies.push_back(port.gradient);
    for (std::size_t i = 0; i < in.size(); ++i) {
      ins_[i].gradient = in[i].wants_gradient ? in[i].gradient.data() : nullptr;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      const bool given = out[i].wanted && out[i].wants_gradient;
      outs_[i].gradient = given ? copies[i].data() : nullptr;
    }
    layer->backward(pass, *state, ins_, outs_);
  }

  const std::shared_ptr<Layer> layer;
  const index batch;
  std::vector<Port> in, out;
  layers::Pass<T> pass;
  std::unique_ptr<layers::LayerState> state;

 private:
  layers::GradientLayout<T> layout_;
  std::vector<std::string> paths_;
  base::Buffer<T> gradients_;
  base::Arena arena_;
  std::vector<layers::In<T>> ins_;
  std::vector<layers::Out<T>> outs_;
};

}  // namespace lstmfast::test
