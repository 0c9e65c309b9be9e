// Graphs built by hand, passes through them with memory of their own, and their gradients by
// differences.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/graph.h"
#include "support.h"

namespace lstmfast::test {

using Graph = layers::Graph<double>;
using Doubles = std::vector<double>;
using Bytes = std::vector<unsigned char>;

inline std::shared_ptr<layers::Layer<double>> layer(base::Options config,
                                                    const layers::Children& children = {}) {
  return layers::Layer<double>::make(base::OptionReader(std::move(config), "model.config"),
                                     children);
}

// What one input has; arrays are [batch][shape].
struct Input {
  layers::Shape shape;
  Doubles values;
  std::vector<std::int32_t> ids;
  Bytes mask;
};

// Numbers of -1 .. 1, away from kinks and ties.
inline Input numbers(const layers::Shape& shape, index batch, int seed = 1) {
  Numbers source;
  for (int i = 0; i < 1000 * seed; ++i) source.next();
  Input out{shape, Doubles(static_cast<std::size_t>(batch * shape.count())), {}, {}};
  for (double& value : out.values) value = source.next();
  return out;
}

// One graph, with memory for passes of one size. Layers without values get some.
class Run {
 public:
  Run(Graph& graph, std::vector<Input> inputs, index batch, bool training = true)
      : inputs(std::move(inputs)), graph_(graph), batch_(batch), training_(training) {
    Numbers source;
    layers::for_each_layer<double>(graph, "", [&](const std::string&, auto& each) {
      layers::Parameters<double>& own = each.parameters();
      if (own.size() == 0) return;
      if (layout_.find(own) == nullptr) layout_.add(own);
      if (own.values() != nullptr) return;
      own.place(std::make_shared<base::Buffer<double>>(own.size()), 0);
      for (const layers::Parameter& parameter : own.list()) {
        Doubles logical(static_cast<std::size_t>(parameter.count()));
        for (double& value : logical) value = source.next();
        parameter.import_from(logical.data(), own.values());
      }
    });
    gradients.assign(static_cast<std::size_t>(layout_.size()), 0.0);
    state_ = graph.make_state(training ? &layout_ : nullptr);
    std::vector<layers::Shape> shapes;
    for (const Input& input : this->inputs) shapes.push_back(input.shape);
    base::Planner planner;
    graph.declare(*state_, planner, {shapes, batch, training});
    arena_.reserve(planner);
    for (const layers::Shape& shape : graph.output_shapes(shapes)) {
      y.emplace_back(static_cast<std::size_t>(batch * shape.count()), NAN);
    }
    in_.resize(this->inputs.size());
    out_.resize(y.size());
  }

  void forward() {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const Input& input = inputs[k];
      in_[k] = {input.values.empty() ? nullptr : input.values.data(),
                input.ids.empty() ? nullptr : input.ids.data(),
                input.mask.empty() ? nullptr : input.mask.data(), nullptr};
    }
    for (std::size_t k = 0; k < y.size(); ++k) out_[k] = {y[k].data(), nullptr, nullptr, nullptr};
    penalty = 0;
    graph_.forward(pass(), *state_, in_, out_);
  }
  // After forward, for dy of each output (empty: none); adds to gradients.
  void backward(std::vector<Doubles> dy) {
    dx.resize(inputs.size());
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      dx[k].assign(inputs[k].values.size(), NAN);
      in_[k].gradient = dx[k].empty() ? nullptr : dx[k].data();
    }
    for (std::size_t k = 0; k < y.size(); ++k) {
      out_[k].gradient = dy[k].empty() ? nullptr : dy[k].data();
    }
    graph_.backward(pass(), *state_, in_, out_);
  }
  // Of output k; empty: it has none.
  Bytes mask(std::size_t k, index rows) const {
    const unsigned char* const mask = out_[k].mask;
    return mask == nullptr ? Bytes{} : Bytes(mask, mask + batch_ * rows);
  }

  // Of a parameter, in logical order.
  Doubles gradient(layers::Layer<double>& of, std::size_t parameter = 0) const {
    const layers::Parameter& p = of.parameters().list()[parameter];
    Doubles out(static_cast<std::size_t>(p.count()));
    p.export_to(gradients.data() + layout_.find(of.parameters())->offset, out.data());
    return out;
  }
  const layers::GradientLayout<double>& layout() const { return layout_; }
  // Of the only sparse parameters.
  layers::TouchedRows& touched() const {
    layers::TouchedRows* found = nullptr;
    for (const auto& entry : layout_.entries()) {
      if (entry.touched == nullptr) continue;
      REQUIRE(found == nullptr);
      found = entry.touched.get();
    }
    REQUIRE(found != nullptr);
    return *found;
  }

  std::vector<Input> inputs;
  std::vector<Doubles> y, dx;  // by output, by input
  Doubles gradients;
  Bytes fused;
  double penalty = 0;
  bool with_penalty = false;

 private:
  layers::Pass<double> pass() {
    layers::Pass<double> out;
    out.gradients = training_ ? gradients.data() : nullptr;
    out.arena = &arena_;
    out.batch = batch_;
    out.training = training_;
    out.penalty = with_penalty ? &penalty : nullptr;
    out.fused = fused.empty() ? nullptr : fused.data();
    out.seed = 5;
    return out;
  }

  Graph& graph_;
  index batch_;
  bool training_;
  layers::GradientLayout<double> layout_;
  std::unique_ptr<layers::LayerState> state_;
  base::Arena arena_;
  std::vector<layers::In<double>> in_;
  std::vector<layers::Out<double>> out_;
};

inline void check_close(const Doubles& got, const Doubles& expected, double tolerance) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(got[i] - expected[i]) <= tolerance * (1 + std::fabs(expected[i])));
  }
}

// Gradients of sum_k sum w_k y_k + penalty, with fixed w, for inputs and all parameters that are
// trained, against central differences. Their error is about h^2 + epsilon / h, h = 1e-5.
inline void check_gradients(Run& run) {
  constexpr double kStep = 1e-5, kTolerance = 2e-9;
  std::vector<Doubles> weights;
  Numbers source;
  for (const Doubles& y : run.y) {
    weights.emplace_back(y.size());
    for (double& w : weights.back()) w = source.next();
  }
  run.with_penalty = true;
  const auto loss = [&] {
    run.forward();
    double sum = run.penalty;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      for (std::size_t i = 0; i < weights[k].size(); ++i) sum += weights[k][i] * run.y[k][i];
    }
    return sum;
  };
  const auto slope = [&](double& value) {
    const double kept = value;
    value = kept + kStep;
    const double up = loss();
    value = kept - kStep;
    const double down = loss();
    value = kept;
    return (up - down) / (2 * kStep);
  };
  std::fill(run.gradients.begin(), run.gradients.end(), 0.0);
  run.forward();
  run.backward(weights);
  const std::vector<Doubles> dx = run.dx;
  const Doubles gradients = run.gradients;
  for (std::size_t k = 0; k < run.inputs.size(); ++k) {
    Doubles expected;
    for (double& value : run.inputs[k].values) expected.push_back(slope(value));
    CAPTURE(k);
    check_close(dx[k], expected, kTolerance);
  }
  for (const auto& entry : run.layout().entries()) {
    double* const values = entry.parameters->values();
    if (!entry.parameters->trainable()) continue;
    for (const layers::Parameter& parameter : entry.parameters->list()) {
      Doubles logical(static_cast<std::size_t>(parameter.count())), got = logical, expected;
      parameter.export_to(gradients.data() + entry.offset, got.data());
      parameter.export_to(values, logical.data());
      for (double& value : logical) {
        const double kept = value;
        double ends[2];
        for (int side = 0; side < 2; ++side) {
          value = kept + (side == 0 ? kStep : -kStep);
          parameter.import_from(logical.data(), values);
          ends[side] = loss();
        }
        value = kept;
        parameter.import_from(logical.data(), values);
        expected.push_back((ends[0] - ends[1]) / (2 * kStep));
      }
      CAPTURE(parameter.name);
      check_close(got, expected, kTolerance);
    }
  }
}

// A graph of one layer over inputs of these shapes.
inline std::unique_ptr<Graph> graph_of(std::shared_ptr<layers::Layer<double>> layer,
                                       const std::vector<layers::Shape>& inputs) {
  auto graph = std::make_unique<Graph>();
  std::vector<layers::Place> places;
  for (const layers::Shape& shape : inputs) {
    places.push_back({graph->add_input(shape, "x" + std::to_string(places.size())), 0});
  }
  const index node = graph->add_node(std::move(layer), places);
  graph->set_outputs({{node, 0}});
  return graph;
}

}  // namespace lstmfast::test
