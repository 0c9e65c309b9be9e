// Cells and calls for the tests of the LSTM ops, and how far results may be apart.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "lstm_problem.h"

namespace lstmfast::test {

struct Cell {
  const char* name;
  CellOptions options;
};

inline std::vector<Cell> cells() {
  const ActivationSpec tanh{Activation::tanh}, sigmoid{Activation::sigmoid};
  const ActivationSpec softsign{Activation::softsign}, softplus{Activation::softplus};
  const ActivationSpec elu{Activation::elu, 0.7}, silu{Activation::silu};
  const ActivationSpec scaled{Activation::scaled_tanh, 0.9, 0.8};
  const auto with = [](auto change) {
    CellOptions options;
    change(options);
    return options;
  };
  return {
      {"plain", {}},
      {"peephole", {tanh, sigmoid, tanh, true, false, false}},
      {"coupled", {tanh, sigmoid, tanh, false, true, false}},
      {"coupled, peephole", {tanh, sigmoid, tanh, true, true, false}},
      {"layer norm", {tanh, sigmoid, tanh, false, false, true}},
      {"layer norm, peephole", {tanh, sigmoid, tanh, true, false, true}},
      {"layer norm, coupled, peephole", {tanh, sigmoid, tanh, true, true, true}},
      {"softsign", {softsign, sigmoid, softsign, false, false, false}},
      {"softplus", {softplus, softsign, softplus, true, false, false}},
      {"elu", {elu, tanh, elu, false, true, false}},
      {"three activations", {softsign, sigmoid, softplus, true, false, false}},
      {"slopes of the input", {silu, scaled, scaled, true, false, false}},
      {"slopes of the input, coupled", {scaled, scaled, silu, true, true, false}},
      {"slopes of the input, layer norm", {silu, scaled, silu, true, false, true}},
      {"clips", with([](CellOptions& o) {
         o.preact_clip = 0.9;
         o.cell_clip = 0.7;
       })},
      {"clips, layer norm, coupled, peephole", with([](CellOptions& o) {
         o.preact_clip = 1.1;
         o.cell_clip = 0.8;
         o.layer_norm = o.coupled = o.peephole = true;
       })},
      {"no input gate", with([](CellOptions& o) { o.input_gate = false; })},
      {"no forget and output gate, peephole", with([](CellOptions& o) {
         o.forget_gate = o.output_gate = false;
         o.peephole = true;
       })},
      {"no gate, layer norm", with([](CellOptions& o) {
         o.input_gate = o.forget_gate = o.output_gate = false;
         o.layer_norm = true;
       })},
      {"projection", with([](CellOptions& o) { o.projection = 5; })},
      {"wide projection, clipped", with([](CellOptions& o) {
         o.projection = 19;
         o.proj_clip = 0.4;
       })},
      {"projection, zoneout, clipped, layer norm", with([](CellOptions& o) {
         o.projection = 3;
         o.proj_clip = 0.5;
         o.zoneout_h = 0.3;
         o.zoneout_c = 0.2;
         o.layer_norm = true;
       })},
      {"zoneout", with([](CellOptions& o) {
         o.zoneout_h = 0.25;
         o.zoneout_c = 0.4;
       })},
  };
}

// Around one and two vectors, and a call with and without lengths, resets and states.
inline std::vector<LstmSizes> problems(const CellOptions& options, index lanes) {
  return {
      {1, 1, 1, 1, options, false, false, false},
      {3, 2, 2, 3, options, false, false, true},
      {4, 5, 1, lanes - 1, options, true, false, false},
      {2, 7, 3, lanes, options, false, true, true},
      {4, 6, 2, lanes + 1, options, true, true, true},
      {3, 1, 17, 2 * lanes + 1, options, false, false, true},
      {3, 3, 18, 2 * lanes - 1, options, true, true, false},
      {2, 13, 5, 7, options, true, false, true},
      // one row, with one and with two whole panels before the last
      {4, 1, 5, lanes + lanes / 2, options, true, false, true},
      {3, 1, 2, 2 * lanes + lanes / 2 + 1, options, false, true, false},
      // y held or not where masked, in either direction, with cells and in chunks of steps
      {5, 4, 2, lanes + 3, options, false, true, true, true, true, false, true},
      {6, 5, 3, lanes - 1, options, true, true, true, true, true, true, true, 0, 2},
      {5, 6, 2, 5, options, true, true, false, true, false, true, true},
      {4, 3, 2, lanes + 1, options, true, false, true, false, true, true, false, 0, 1},
      {7, 3, 2, 9, options, false, true, true, false, false, true, true, 0, 3},
  };
}

// Each of the T steps adds sums of I + H terms, rounded at random, and some function values; a norm
// of few units divides by a small deviation.
template <class T>
double tolerance(const LstmSizes& s) {
  const double eps = std::numeric_limits<T>::epsilon();
  const double sums = std::sqrt(double(s.input + 2 * s.hidden + s.options.projection)) + 8;
  return 8 * eps * sums * double(s.steps) * (s.options.layer_norm ? 16 : 1);
}

template <class T, class U>
double distance(const std::vector<T>& a, const std::vector<U>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::fabs(double(a[i]) - double(b[i])) / (1 + std::fabs(double(b[i])));
    most = gap <= most ? most : gap;  // a NaN stays
  }
  return most;
}

}  // namespace lstmfast::test
