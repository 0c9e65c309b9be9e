// Lstm and Bidirectional against the LSTM one unit after the other: the same inputs and parameters.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "layer_run.h"
#include "lstm_cells.h"
#include "naive_lstm.h"

namespace lstmfast::test::recurrent {

using layers::Shape;
using Map = base::Options;
using Values = std::vector<double>;

constexpr index kSteps = 4, kBatch = 3, kInput = 2, kHidden = 4;

inline std::size_t at(index i) { return static_cast<std::size_t>(i); }

// Options of a layer besides its cell.
struct Way {
  bool all, backwards, masked, zero_masked, states;
};

inline Map config_of(const CellOptions& cell, const Way& way, bool backwards) {
  return {{"kind", "lstm"},
          {"units", kHidden},
          {"peephole", cell.peephole},
          {"coupled", cell.coupled},
          {"layer_norm", cell.layer_norm},
          {"proj_size", cell.projection},
          {"return_sequences", way.all},
          {"go_backwards", backwards},
          {"zero_output_for_mask", way.zero_masked}};
}

template <class T>
std::shared_ptr<layers::Layer<T>> make(const Map& map, const layers::Children& children = {}) {
  const base::OptionReader config(map, "model.config");
  auto layer = layers::Layer<T>::make(config, children);
  layer->keep_configs(config);
  return layer;
}

inline Map bidirectional_config(const Map& forward, const Map& backward, const std::string& merge) {
  Map map = {{"kind", "bidirectional"}, {"merge_mode", merge}};
  for (const auto& [key, value] : forward) map["forward." + key] = value;
  for (const auto& [key, value] : backward) map["backward." + key] = value;
  return map;
}

// One direction as the oracle sees it. Rows are contiguous in the layer's ports.
struct Direction {
  LstmProblem<double> p;

  Direction(const CellOptions& cell, const Way& way, bool reverse, double scale)
      : p([&] {
          LstmSizes s{kSteps, kBatch, kInput, kHidden, cell};
          s.states = way.states;
          s.mask = way.masked;
          s.hold = !way.zero_masked;
          s.reverse = reverse;
          s.cells = true;
          return s;
        }()) {
    for (auto& values : p.params)
      for (double& value : values) value *= scale;
    for (double& value : p.h0) value *= scale;
    std::fill_n(p.mask.begin() + 2 * kSteps, kSteps, static_cast<unsigned char>(0));
  }

  // y, h, c and the cells of all rows; those of steps from the last one on if against_time.
  std::vector<Values> ports(const Way& way, bool against_time) const {
    const index O = p.shape.outputs(), H = kHidden;
    const LstmResults<double> r = naive(p);
    const auto steps_of = [&](const Values& values, index width) {
      Values out;
      for (index b = 0; b < kBatch; ++b) {
        for (index i = 0; i < kSteps; ++i) {
          const index t = against_time ? kSteps - 1 - i : i;
          const auto from = values.begin() + b * p.stride(width) + t * width;
          out.insert(out.end(), from, from + width);
        }
      }
      return out;
    };
    Values y = way.all ? steps_of(r.y, O) : r.h_n;
    for (index b = 0; !way.all && way.masked && b < kBatch; ++b) {
      const unsigned char* const mask = p.mask.data() + b * kSteps;
      bool shown = mask[p.sizes.reverse ? 0 : kSteps - 1] != 0;
      for (index t = 0; !way.zero_masked && t < kSteps; ++t) shown = shown || mask[t] != 0;
      if (!shown) std::fill_n(y.begin() + b * O, O, 0.0);
    }
    return {y, r.h_n, r.c_n, steps_of(r.cells, H)};
  }
};

// A layer against the oracle: the same inputs and parameters.
struct Compared {
  std::vector<Direction> directions;
  Way way;
  std::string merge;  // empty: one direction
  std::unique_ptr<LayerRun<double>> run;

  Compared(const CellOptions& cell, const Way& way, const std::string& merge)
      : way(way), merge(merge) {
    const bool both = !merge.empty();
    directions.emplace_back(cell, way, way.backwards, 1);
    if (both) directions.emplace_back(cell, way, !way.backwards, -0.8);
    const Map forward = config_of(cell, way, way.backwards);
    const Map backward = config_of(cell, way, !way.backwards);
    std::vector<Shape> inputs{{kSteps, kInput}};
    for (const Direction& each : directions) {
      if (!way.states) break;
      inputs.push_back({each.p.shape.outputs()});
      inputs.push_back({kHidden});
    }
    const Map config = both ? bidirectional_config(forward, backward, merge) : forward;
    run = std::make_unique<LayerRun<double>>(make<double>(config), inputs, kBatch);
    Numbers numbers;
    for (auto& port : run->out)
      for (double& value : port.gradient) value = numbers.next();
    load();
  }

  Direction& of(const std::string& path) {
    return directions[path.rfind("backward.", 0) == 0 ? 1 : 0];
  }
  Values& parameter(const std::string& path) {
    LstmProblem<double>& p = of(path).p;
    const std::string name = path.substr(path.rfind('.') + 1);
    std::size_t i = 0;
    while (p.parts[i].name != name) ++i;
    return p.params[i];
  }

  // Inputs and parameters of the oracle into the layer.
  void load() {
    const LstmProblem<double>& p = directions[0].p;
    for (index b = 0; b < kBatch; ++b) {
      std::copy_n(p.x.begin() + b * p.stride(kInput), kSteps * kInput,
                  run->in[0].values.begin() + b * kSteps * kInput);
    }
    for (std::size_t d = 0; way.states && d < directions.size(); ++d) {
      run->in[1 + 2 * d].values = directions[d].p.h0;
      run->in[2 + 2 * d].values = directions[d].p.c0;
    }
    run->for_parameters(
        [&](const std::string& path, const layers::Parameter& each, const auto& entry) {
          each.import_from(parameter(path).data(), entry.parameters->values());
        });
  }
  const unsigned char* mask() const { return way.masked ? directions[0].p.mask.data() : nullptr; }

  // Of all output ports.
  std::vector<Values> expected() const {
    const std::vector<Values> first = directions[0].ports(way, way.backwards);
    if (merge.empty()) return first;
    const std::vector<Values> second = directions[1].ports(way, way.backwards);
    const index O = directions[0].p.shape.outputs();
    Values y;
    for (std::size_t i = 0; i < first[0].size(); ++i) {
      const double a = first[0][i], b = second[0][i];
      y.push_back(merge == "sum" ? a + b : merge == "mul" ? a * b : (a + b) / 2);
    }
    if (merge == "concat") {
      y.clear();
      for (std::size_t i = 0; i < first[0].size(); i += at(O)) {
        for (const Values* half : {&first[0], &second[0]}) {
          y.insert(y.end(), half->begin() + index(i), half->begin() + index(i) + O);
        }
      }
    }
    std::vector<Values> out{y};
    if (merge == "none") out = {first[0], second[0]};
    out.insert(out.end(), {first[1], first[2], second[1], second[2], first[3], second[3]});
    return out;
  }

  // What the gradients are gradients of.
  double loss() const {
    const std::vector<Values> values = expected();
    double sum = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (!run->out[k].wants_gradient) continue;
      for (std::size_t i = 0; i < values[k].size(); ++i)
        sum += values[k][i] * run->out[k].gradient[i];
    }
    return sum;
  }

  void check_values() {
    run->forward(true, mask());
    const std::vector<Values> values = expected();
    REQUIRE(values.size() == run->out.size());
    for (std::size_t k = 0; k < values.size(); ++k) {
      CAPTURE(k);
      CHECK(distance(run->out[k].values, values[k]) <= tolerance<double>(directions[0].p.sizes));
    }
  }
  // Of elements `stride` apart.
  void check_differences(Values& values, const Values& gradient, std::size_t stride) const {
    constexpr double kStep = 1e-5;
    for (std::size_t i = 0; i < values.size(); i += stride) {
      const double before = values[i];
      values[i] = before + kStep;
      const double above = loss();
      values[i] = before - kStep;
      const double below = loss();
      values[i] = before;
      // Truncation is kStep^2 times a third derivative, steep where a norm has few units.
      CHECK(gradient[i] == doctest::Approx((above - below) / (2 * kStep)).epsilon(1e-6));
    }
  }
  void check_gradients() {
    run->forward(true, mask());
    run->backward();
    // x is one array to the layer and one for each direction of the oracle
    Values& x = directions[0].p.x;
    for (index b = 0; b < kBatch; ++b) {
      for (index i = 0; i < kSteps * kInput; ++i) {
        const std::size_t from = at(b * directions[0].p.stride(kInput) + i);
        constexpr double kStep = 1e-5;
        const double before = x[from];
        const auto loss_at = [&](double value) {
          for (Direction& each : directions) each.p.x[from] = value;
          return loss();
        };
        const double above = loss_at(before + kStep), below = loss_at(before - kStep);
        loss_at(before);
        CHECK(run->in[0].gradient[at(b * kSteps * kInput + i)] ==
              doctest::Approx((above - below) / (2 * kStep)).epsilon(1e-6));
      }
    }
    for (std::size_t d = 0; way.states && d < directions.size(); ++d) {
      check_differences(directions[d].p.h0, run->in[1 + 2 * d].gradient, 1);
      check_differences(directions[d].p.c0, run->in[2 + 2 * d].gradient, 1);
    }
    run->for_parameters([&](const std::string& path, const layers::Parameter&, const auto&) {
      CAPTURE(path);
      check_differences(parameter(path), run->gradient(path), 5);
    });
  }
};

}  // namespace lstmfast::test::recurrent
