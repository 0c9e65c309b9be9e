// Rnn: a call of a size that was there before takes no memory from the system.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "base/buffer.h"
#include "count_allocations.h"
#include "model/rnn.h"

namespace lstmfast::model {
namespace {

using test::allocations;

struct Sizes {
  index steps, batch;
};

// Inference, training and backward on arrays of one size.
class Calls {
 public:
  explicit Calls(Rnn<float>& rnn, Sizes sizes, bool lengths) : rnn_(rnn), sizes_(sizes) {
    const RnnOptions& o = rnn.options();
    const index rows = sizes.steps * sizes.batch, states = o.layers * o.directions * sizes.batch;
    x_.assign(std::size_t(rows * o.input), 0.5F);
    dx_ = x_;
    y_.assign(std::size_t(rows * o.directions * o.outputs()), 0.0F);
    h_.assign(std::size_t(states * o.outputs()), 0.0F);
    c_.assign(std::size_t(states * o.hidden), 0.0F);
    dh0_ = h_;
    dc0_ = c_;
    if (lengths) {
      for (index b = 0; b < sizes.batch; ++b) lengths_.push_back(1 + b % sizes.steps);
    }
  }

  void run() {
    RnnInput<float> input;
    input.x = {x_.data(), {sizes_.batch, sizes_.steps, rnn_.options().input}};
    if (!lengths_.empty()) input.lengths = {lengths_.data(), {sizes_.batch}};
    ops::LstmCall<float> call = rnn_.check("test", input, kept_);
    call.y = y_.data();
    call.h_n = h_.data();
    call.c_n = c_.data();
    rnn_.infer(call);
    rnn_.train(call);
    ops::LstmGradients<float> gradients{};
    gradients.dy = y_.data();
    gradients.dx = dx_.data();
    gradients.dh0 = dh0_.data();
    gradients.dc0 = dc0_.data();
    rnn_.backward(gradients);
  }

 private:
  Rnn<float>& rnn_;
  Sizes sizes_;
  std::vector<float> x_, dx_, y_, h_, c_, dh0_, dc0_;
  std::vector<index> lengths_;
  RnnRows kept_;
};

TEST_CASE("warm calls take no memory, whatever the options and sizes before") {
  const std::vector<base::Options> cells = {
      {},
      {{"bidirectional", true}},
      {{"layer_norm", true}, {"peephole", true}},
      {{"proj_size", 3}, {"zoneout_h", 0.1}},
      {{"recurrent_dropout", 0.2}, {"input_dropout", 0.2}, {"weight_drop", 0.2}},
      {{"recompute_every", 4}}};
  for (const base::Options& cell : cells) {
    base::Options options = cell;
    options.insert({{"input_size", 3}, {"hidden_size", 20}, {"num_layers", 3}, {"dropout", 0.1}});
    for (const bool lengths : {false, true}) {
      CAPTURE(cell.empty() ? "plain" : cell.begin()->first);
      CAPTURE(lengths);
      Rnn<float> rnn(read_rnn_options(options, 1));
      std::vector<Calls> calls;
      for (const Sizes sizes : {Sizes{9, 40}, Sizes{30, 2}, Sizes{1, 1}, Sizes{17, 7}})
        calls.emplace_back(rnn, sizes, lengths);
      for (Calls& each : calls) each.run();
      const long before = allocations;
      const std::uint64_t buffers = base::allocation_count();
      for (int round = 0; round < 3; ++round)
        for (Calls& each : calls) each.run();
      CHECK(allocations == before);
      CHECK(base::allocation_count() == buffers);
    }
  }
}

}  // namespace
}  // namespace lstmfast::model
