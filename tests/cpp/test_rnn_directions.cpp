// Rnn with two directions a layer: side by side on two threads, or one after the other.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "base/team.h"
#include "model/rnn.h"
#include "support.h"

namespace lstmfast::model {
namespace {

using test::Numbers;

constexpr index kInput = 20, kHidden = 128, kOutputs = 70, kLayers = 2, kBatch = 3, kSteps = 24;

template <class T>
struct Found {
  std::vector<T> y, cells, h_n, c_n, dx, dh0, dc0, gradients, traced;

  bool operator==(const Found& o) const {
    return y == o.y && cells == o.cells && h_n == o.h_n && c_n == o.c_n && dx == o.dx &&
           dh0 == o.dh0 && dc0 == o.dc0 && gradients == o.gradients && traced == o.traced;
  }
};

template <class T>
std::vector<T> numbers(index count, Numbers& source) {
  std::vector<T> out;
  for (index i = 0; i < count; ++i) out.push_back(static_cast<T>(0.2 * source.next()));
  return out;
}

// A training step and a trace, with all that is random.
template <class T>
Found<T> run(int threads) {
  const int before = base::team::get_num_threads();
  base::team::set_num_threads(threads);
  Rnn<T> rnn(read_rnn_options({{"input_size", kInput},
                               {"hidden_size", kHidden},
                               {"num_layers", kLayers},
                               {"dropout", 0.3},
                               {"bidirectional", true},
                               {"return_cell_states", true},
                               {"proj_size", kOutputs},
                               {"zoneout_h", 0.2},
                               {"weight_drop", 0.3},
                               {"recompute_every", "sqrt"}},
                              5));
  Numbers source;
  for (const auto& parameter : rnn.parameters()) {
    rnn.set({{&parameter, numbers<T>(parameter.place.count(), source).data()}});
  }
  const index rows = kBatch * kSteps, states = 2 * kLayers * kBatch;
  const auto x = numbers<T>(rows * kInput, source);
  const auto dy = numbers<T>(rows * 2 * kOutputs, source);
  const auto dcells = numbers<T>(rows * 2 * kHidden, source);
  const std::vector<index> lengths = {kSteps, 5, kSteps - 1};
  const auto room = [](index count) { return std::vector<T>(static_cast<std::size_t>(count)); };
  Found<T> f{room(rows * 2 * kOutputs),
             room(rows * 2 * kHidden),
             room(states * kOutputs),
             room(states * kHidden),
             room(rows * kInput),
             room(states * kOutputs),
             room(states * kHidden),
             {},
             room(states * kSteps * kHidden)};
  RnnInput<T> input;
  input.x = {x.data(), {kBatch, kSteps, kInput}};
  input.lengths = {lengths.data(), {kBatch}};
  RnnRows kept;
  ops::LstmCall<T> call = rnn.check("test", input, kept);
  call.y = f.y.data();
  call.cells = f.cells.data();
  call.h_n = f.h_n.data();
  call.c_n = f.c_n.data();
  rnn.train(call);
  ops::LstmGradients<T> g{};
  g.dy = dy.data();
  g.dcells = dcells.data();
  g.dx = f.dx.data();
  g.dh0 = f.dh0.data();
  g.dc0 = f.dc0.data();
  rnn.backward(g);
  for (const auto& parameter : rnn.parameters()) {
    std::vector<T> gradient = room(parameter.place.count());
    rnn.get_gradient(parameter, gradient.data());
    f.gradients.insert(f.gradients.end(), gradient.begin(), gradient.end());
  }
  // All gates into one array: the last written is o.
  std::vector<ops::LstmTrace<T>> traces;
  std::vector<T> c = room(states * kSteps * kHidden), h = room(states * kSteps * kOutputs);
  for (index n = 0; n < 2 * kLayers; ++n) {
    T* const gates = f.traced.data() + n * rows * kHidden;
    traces.push_back({{gates, gates, gates, gates},
                      c.data() + n * rows * kHidden,
                      h.data() + n * rows * kOutputs,
                      kSteps,
                      1});
  }
  call.y = call.cells = call.h_n = call.c_n = nullptr;
  rnn.trace(call, traces);
  base::team::set_num_threads(before);
  return f;
}

TEST_CASE_TEMPLATE("directions: the same bits side by side and in turn", T, float, double) {
  const Found<T> alone = run<T>(1);
  CHECK(run<T>(2) == alone);
  CHECK(run<T>(4) == alone);
}

}  // namespace
}  // namespace lstmfast::model
