// Calls and training steps of a size that was there before take no memory from the system.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/team.h"
#include "count_allocations.h"
#include "model/rnn.h"
#include "model_problem.h"

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
  // Starts the threads: the first call that shares them may be one of the warm ones.
  base::team::run(base::team::get_num_threads(), [](int, int) {});
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

// The most allocations in one step of a fit, but for the first three.
long most_in_a_step(Model<float>& model, const Examples<float>& examples, index batch_size) {
  struct Watch {
    long begin = 0, worst = 0, steps = 0;
  } watch;
  Callbacks callbacks;
  callbacks.context = &watch;
  callbacks.batch_begin = [](void* context, index) {
    static_cast<Watch*>(context)->begin = allocations;
    return false;
  };
  callbacks.batch_end = [](void* context, index, const Logs&) {
    Watch& w = *static_cast<Watch*>(context);
    if (++w.steps > 3) w.worst = std::max(w.worst, allocations - w.begin);
    return false;
  };
  FitOptions options;
  options.batch_size = batch_size;
  options.epochs = 2;
  options.shuffle = false;
  test::fit(model, examples, options, callbacks);
  CHECK(watch.steps > 3);
  return watch.worst;
}

// Of a model of samples (steps, 3) with two outputs.
void check_warm_steps(const base::Options& config, index steps) {
  auto model = test::make_model<float>(config);
  model->compile(test::compile_config("mean_squared_error"));
  const test::Problem<float> problem(12, steps, 2);
  CHECK(most_in_a_step(*model, problem.examples, 4) == 0);
}

TEST_CASE("a warm step of a stateful model takes no memory") {
  check_warm_steps({{"input_shape", base::Extents{base::kAnyExtent, 3}},
                    {"layers", 3},
                    {"layers.0.kind", "lstm"},
                    {"layers.0.units", 4},
                    {"layers.0.return_sequences", true},
                    {"layers.0.stateful", true},
                    {"layers.1.kind", "lstm"},
                    {"layers.1.units", 4},
                    {"layers.1.stateful", true},
                    {"layers.2.kind", "dense"},
                    {"layers.2.units", 2}},
                   5);
}

TEST_CASE("a warm step of cells other than the LSTM takes no memory") {
  check_warm_steps({{"input_shape", base::Extents{base::kAnyExtent, 3}},
                    {"layers", 3},
                    {"layers.0.kind", "gru"},
                    {"layers.0.units", 5},
                    {"layers.0.return_sequences", true},
                    {"layers.1.kind", "gru"},
                    {"layers.1.units", 5},
                    {"layers.1.reset_after", false},
                    {"layers.1.recurrent_dropout", 0.1},
                    {"layers.1.return_sequences", true},
                    {"layers.2.kind", "simple_rnn"},
                    {"layers.2.units", 2}},
                   5);
}

TEST_CASE("a warm step of convolutions and pooling takes no memory") {
  check_warm_steps({{"input_shape", base::Extents{9, 3}},
                    {"layers", 4},
                    {"layers.0.kind", "conv1d"},
                    {"layers.0.filters", 4},
                    {"layers.0.kernel_size", 3},
                    {"layers.0.padding", "same"},
                    {"layers.1.kind", "max_pooling1d"},
                    {"layers.2.kind", "conv1d"},
                    {"layers.2.filters", 2},
                    {"layers.2.kernel_size", 2},
                    {"layers.2.strides", 2},
                    {"layers.2.activation", "gelu"},
                    {"layers.3.kind", "global_average_pooling1d"}},
                   9);
}

TEST_CASE("a warm step of convolutional LSTMs takes no memory") {
  check_warm_steps({{"input_shape", base::Extents{12, 3}},
                    {"layers", 4},
                    {"layers.0.kind", "reshape"},
                    {"layers.0.target_shape", base::Extents{3, 4, 3}},
                    {"layers.1.kind", "conv_lstm1d"},
                    {"layers.1.filters", 4},
                    {"layers.1.kernel_size", 3},
                    {"layers.1.padding", "same"},
                    {"layers.1.dropout", 0.2},
                    {"layers.1.recurrent_dropout", 0.2},
                    {"layers.1.return_sequences", true},
                    {"layers.2.kind", "conv_lstm1d"},
                    {"layers.2.filters", 2},
                    {"layers.2.kernel_size", 2},
                    {"layers.3.kind", "global_average_pooling1d"}},
                   12);
}

TEST_CASE("a warm step of normalisation takes no memory") {
  check_warm_steps({{"input_shape", base::Extents{5, 3}},
                    {"layers", 7},
                    {"layers.0.kind", "batch_normalization"},
                    {"layers.1.kind", "layer_normalization"},
                    {"layers.1.axis", 1},
                    {"layers.2.kind", "rms_normalization"},
                    {"layers.3.kind", "unit_normalization"},
                    {"layers.4.kind", "softmax"},
                    {"layers.5.kind", "dense"},
                    {"layers.5.units", 2},
                    {"layers.6.kind", "global_max_pooling1d"}},
                   5);
}

TEST_CASE("a warm step of attention takes no memory") {
  check_warm_steps({{"inputs", 1},
                    {"inputs.0.name", "x"},
                    {"inputs.0.shape", base::Extents{base::kAnyExtent, 3}},
                    {"layers", 6},
                    {"layers.0.kind", "lstm"},
                    {"layers.0.units", 4},
                    {"layers.0.return_sequences", true},
                    {"layers.1.kind", "multi_head_attention"},
                    {"layers.1.num_heads", 2},
                    {"layers.1.key_dim", 3},
                    {"layers.1.dropout", 0.1},
                    {"layers.2.kind", "attention"},
                    {"layers.2.use_scale", true},
                    {"layers.3.kind", "additive_attention"},
                    {"layers.3.dropout", 0.1},
                    {"layers.4.kind", "global_average_pooling1d"},
                    {"layers.5.kind", "dense"},
                    {"layers.5.units", 2},
                    {"nodes", 6},
                    {"nodes.0.layer", 0},
                    {"nodes.0.inputs", "0.0"},
                    {"nodes.1.layer", 1},
                    {"nodes.1.inputs", "1.0,1.0,1.0"},
                    {"nodes.2.layer", 2},
                    {"nodes.2.inputs", "2.0,1.0,1.0"},
                    {"nodes.3.layer", 3},
                    {"nodes.3.inputs", "3.0,1.0,2.0"},
                    {"nodes.4.layer", 4},
                    {"nodes.4.inputs", "4.0"},
                    {"nodes.5.layer", 5},
                    {"nodes.5.inputs", "5.0"},
                    {"outputs", "6.0"}},
                   9);
}

TEST_CASE("a warm step with clipped sparse gradients takes no memory") {
  constexpr index kBatches = 20, kSteps = kBatches;
  for (const char* const limit : {"clip.norm", "clip.global_norm", "clip.value"}) {
    CAPTURE(limit);
    auto model = test::make_model<float>({{"input_shape", base::Extents{base::kAnyExtent}},
                                          {"layers", 3},
                                          {"layers.0.kind", "embedding"},
                                          {"layers.0.input_dim", 2 * kSteps},
                                          {"layers.0.output_dim", 3},
                                          {"layers.1.kind", "lstm"},
                                          {"layers.1.units", 4},
                                          {"layers.2.kind", "dense"},
                                          {"layers.2.units", 2}});
    base::Options config = test::compile_config("mean_squared_error", "sgd");
    config[limit] = 0.01;
    model->compile(config);
    // batch b touches b + 1 rows of the table, no two of them neighbours
    std::vector<std::int32_t> ids;
    for (index b = 0; b < kBatches; ++b) {
      for (index t = 0; t < kSteps; ++t)
        ids.push_back(static_cast<std::int32_t>(2 * (t % (b + 1))));
    }
    const std::vector<float> y(2 * kBatches, 0.5F);
    Examples<float> examples;
    examples.in = {{{nullptr, ids.data(), {kSteps}}}, kBatches};
    examples.targets = {{y.data(), {kBatches, 2}}};
    CHECK(most_in_a_step(*model, examples, 1) == 0);
  }
}

}  // namespace
}  // namespace lstmfast::model
