// Lstm and Bidirectional as layers with ports: values against the LSTM one unit after the other,
// gradients of all ports against central differences of it.
#include <doctest/doctest.h>

#include "recurrent_problem.h"

namespace lstmfast::layers {
namespace {

using namespace test::recurrent;  // NOLINT: it is made for this
using test::LayerRun;

std::vector<Way> ways() {
  std::vector<Way> out;
  for (int bits = 0; bits < 32; ++bits) {
    const Way way{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0,
                  (bits & 16) != 0};
    if (way.masked || !way.zero_masked) out.push_back(way);
  }
  return out;
}

std::vector<test::Cell> few_cells() {
  std::vector<test::Cell> out(3);
  out[0] = {"plain", {}};
  out[1].name = "coupled, peephole, projection";
  out[1].options.coupled = out[1].options.peephole = true;
  out[1].options.projection = 3;
  out[2].name = "layer norm";
  out[2].options.layer_norm = true;
  return out;
}

TEST_CASE("recurrent layers: values of all ports, gradients of all ports") {
  for (const test::Cell& cell : few_cells()) {
    for (const Way& way : ways()) {
      // all ways with one cell, all cells with the fullest ways
      if (cell.name != std::string("plain") && !(way.masked && way.states)) continue;
      for (const std::string merge : {"", "concat", "sum", "mul", "ave", "none"}) {
        CAPTURE(cell.name);
        CAPTURE(merge);
        CAPTURE(way.all);
        CAPTURE(way.backwards);
        CAPTURE(way.masked);
        CAPTURE(way.zero_masked);
        CAPTURE(way.states);
        Compared compared(cell.options, way, merge);
        compared.check_values();
        compared.check_gradients();
      }
    }
  }
}

TEST_CASE("recurrent layers: any output may be without a gradient, any input without a use of it") {
  for (const bool all : {false, true}) {
    for (const std::string merge : {"", "concat", "mul", "none"}) {
      CAPTURE(all);
      CAPTURE(merge);
      Compared compared({}, {all, false, true, false, true}, merge);
      LayerRun<double>& run = *compared.run;
      for (std::size_t alone = 0; alone < run.out.size(); ++alone) {
        CAPTURE(alone);
        for (std::size_t k = 0; k < run.out.size(); ++k) run.out[k].wants_gradient = k == alone;
        compared.check_gradients();
      }
      for (auto& port : run.out) port.wants_gradient = true;
      run.forward(true, compared.mask());
      run.backward();
      const Values gradients = run.flat_gradients(), dx = run.in[0].gradient;
      for (auto& port : run.in) port.wants_gradient = false;
      run.forward(true, compared.mask());
      run.backward();
      CHECK(run.flat_gradients() == gradients);
      run.in[0].wants_gradient = true;
      run.forward(true, compared.mask());
      run.backward();
      CHECK(run.in[0].gradient == dx);
    }
  }
}

TEST_CASE("recurrent layers: outputs that are not wanted change no other one") {
  for (const bool all : {false, true}) {
    for (const std::string merge : {"", "concat", "ave", "none"}) {
      CAPTURE(all);
      CAPTURE(merge);
      Compared compared({}, {all, true, true, true, true}, merge);
      LayerRun<double>& run = *compared.run;
      run.forward(false, compared.mask());
      const auto whole = run.out;
      for (std::size_t alone = 0; alone < run.out.size(); ++alone) {
        CAPTURE(alone);
        for (std::size_t k = 0; k < run.out.size(); ++k) {
          run.out[k].wanted = k == alone;
          std::fill(run.out[k].values.begin(), run.out[k].values.end(), 0.0);
        }
        run.forward(false, compared.mask());
        CHECK(run.out[alone].values == whole[alone].values);
      }
    }
  }
}

TEST_CASE("recurrent layers: masks go on where every step is put out") {
  Compared all({}, {true, true, true, false, false}, "none"),
      last({}, {false, false, true, false, false}, "");
  all.run->forward(false, all.mask());
  CHECK(all.run->mask(0) == all.mask());
  CHECK(all.run->mask(1) == all.mask());
  CHECK(all.run->mask(2) == nullptr);
  CHECK(all.run->layer->masks(0, {true}));
  CHECK_FALSE(all.run->layer->masks(0, {false}));
  last.run->forward(false, last.mask());
  CHECK(last.run->mask(0) == nullptr);
  CHECK_FALSE(last.run->layer->masks(0, {true}));
}

}  // namespace
}  // namespace lstmfast::layers
