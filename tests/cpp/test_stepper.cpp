// A model one step at a time: the bits of passes over whole sequences, what is carried from step to
// step, layers that cannot step.
#include <doctest/doctest.h>

#include "base/buffer.h"
#include "count_allocations.h"
#include "model/stepper.h"
#include "model_problem.h"

namespace lstmfast::model {
namespace {

using test::allocations;
using test::Map;

constexpr index kRows = 3, kSteps = 6, kInputs = 4;

// A row of layers on (steps, kInputs), or on ids below kInputs. Its weights are all different.
std::unique_ptr<Model<float>> made(const std::vector<Map>& layers, bool ids = false,
                                   index steps = base::kAnyExtent) {
  Map config = {{"layers", static_cast<index>(layers.size())},
                {"input_shape", ids ? base::Extents{steps} : base::Extents{steps, kInputs}}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const auto& [key, value] : layers[i]) {
      config["layers." + std::to_string(i) + "." + key] = value;
    }
  }
  return test::make_model<float>(config);
}

struct Sequences {
  std::vector<float> values;      // [kRows][kSteps][kInputs]
  std::vector<std::int32_t> ids;  // [kRows][kSteps]

  Sequences() {
    test::Numbers numbers;
    for (index i = 0; i < kRows * kSteps * kInputs; ++i) {
      const bool masked = i / kInputs % 4 == 1;  // of Masking
      values.push_back(masked ? 0.0F : static_cast<float>(numbers.next()));
    }
    for (index i = 0; i < kRows * kSteps; ++i) ids.push_back(static_cast<int>(i * 7 % kInputs));
  }
};

// The last row of predict() on the first steps of each row.
std::vector<float> predicted(const Model<float>& model, const Sequences& x, index steps) {
  const bool takes_ids = model.definition().graph->elements(0).ids > 0;
  const index width = takes_ids ? 1 : kInputs;
  std::vector<float> values;
  std::vector<std::int32_t> ids;
  for (index i = 0; i < kRows * kSteps * width; ++i) {
    if (i / width % kSteps >= steps) continue;
    takes_ids ? ids.push_back(x.ids[std::size_t(i)]) : values.push_back(x.values[std::size_t(i)]);
  }
  Samples<float> samples;
  samples.count = kRows;
  samples.inputs.push_back({takes_ids ? nullptr : values.data(), takes_ids ? ids.data() : nullptr,
                            takes_ids ? layers::Shape{steps} : layers::Shape{steps, kInputs}});
  const layers::Shape shape = model.shapes("test", samples)->outputs[0];
  std::vector<float> all(std::size_t(kRows * shape.count())), out;
  model.predict(samples, kRows, {all.data()});
  const index features = shape.features();
  for (index b = 0; b < kRows; ++b) {
    const auto end = all.begin() + (b + 1) * shape.count();
    out.insert(out.end(), end - features, end);
  }
  return out;
}

// Runs step t of all rows; returns its output.
std::vector<float> stepped(Stepper<float>& stepper, const Sequences& x, index t) {
  std::vector<float> values;
  std::vector<std::int32_t> ids;
  for (index b = 0; b < kRows; ++b) {
    ids.push_back(x.ids[std::size_t(b * kSteps + t)]);
    const auto from = x.values.begin() + (b * kSteps + t) * kInputs;
    values.insert(values.end(), from, from + kInputs);
  }
  stepper.in(0).values = values.data();
  stepper.in(0).ids = ids.data();
  stepper.step();
  const float* const y = stepper.out(0);
  return {y, y + kRows * stepper.out_shape(0).count()};
}

const Map kLstm = {{"kind", "lstm"}, {"units", 20}, {"return_sequences", true}};
const Map kLast = {{"kind", "lstm"}, {"units", 7}};
const Map kCausal = {{"kind", "conv1d"},
                     {"filters", 3},
                     {"kernel_size", 3},
                     {"dilation_rate", 2},
                     {"padding", "causal"}};
const Map kDense = {{"kind", "dense"}, {"units", 5}, {"activation", "softmax"}};

Map with(Map map, const Map& more) {
  for (const auto& [key, value] : more) map[key] = value;
  return map;
}

TEST_CASE("steps have the bits of passes over the whole sequence") {
  const Map gru = {{"kind", "gru"}, {"units", 9}, {"return_sequences", true}};
  const Map words = {{"kind", "embedding"}, {"input_dim", kInputs}, {"output_dim", 17}};
  const Map masking = {{"kind", "masking"}};
  const std::vector<std::vector<Map>> of_values = {
      {kLstm, kDense},
      {kLstm, kLast, kDense},
      {with(kLstm, {{"stateful", true}, {"proj_size", 3}, {"peephole", true}}), kLast},
      {with(kLstm, {{"layer_norm", true}, {"zoneout_h", 0.2}}), {{"kind", "layer_normalization"}}},
      {gru, with(gru, {{"reset_after", false}})},
      {{{"kind", "simple_rnn"}, {"units", 6}}, kDense},
      {with(kLstm, {{"learn_initial_state", true}}), with(gru, {{"learn_initial_state", true}})},
      {masking, kLstm, kLast, kDense},
      {kCausal, with(kCausal, {{"activation", "gelu"}}), kLast},
      {masking, with(kLstm, {{"zero_output_for_mask", true}}), gru},
      {{{"kind", "time_distributed"}, {"layer.kind", "dense"}, {"layer.units", 3}}, kLstm},
      {{{"kind", "conv1d"}, {"filters", 3}, {"kernel_size", 1}},
       kLast,
       {{"kind", "dropout"}, {"rate", 0.5}}},
      {kLast, {{"kind", "repeat_vector"}, {"n", 1}}, kLstm},  // from zeros, of the latest h
  };
  const auto check = [](const Model<float>& model) {
    const Sequences x;
    Stepper<float> stepper(model.definition().graph);
    for (const index rows : {kRows - 1, kRows + 2, kRows}) stepper.plan(rows);
    for (int round = 0; round < 2; ++round) {
      for (index t = 0; t < kSteps; ++t) {
        CAPTURE(t);
        REQUIRE(stepped(stepper, x, t) == predicted(model, x, t + 1));
        CHECK_FALSE(model.carried_rows() > kRows);
        if (model.is_stateful()) model.reset_carried();
      }
      stepper.begin();
    }
  };
  for (std::size_t i = 0; i < of_values.size(); ++i) {
    CAPTURE(i);
    check(*made(of_values[i]));
  }
  check(*made({words, kLstm, kDense}, true));
  check(*made({with(words, {{"mask_zero", true}}), kLstm, kLast, kDense}, true));
  const auto inside =
      with({{"kind", "graph"}, {"input_shape", base::Extents{base::kAnyExtent, kInputs}}},
           {{"layers", 1},
            {"layers.0.kind", "lstm"},
            {"layers.0.units", 5},
            {"layers.0.return_sequences", true}});
  check(*made({inside, kLast}));
}

TEST_CASE("a stateful layer keeps what it carries") {
  const auto model = made({with(kLstm, {{"stateful", true}}), kDense});
  const Sequences x;
  const std::vector<float> first = predicted(*model, x, 2), second = predicted(*model, x, 2);
  model->reset_carried();
  CHECK(predicted(*model, x, 2) == first);
  Stepper<float> stepper(model->definition().graph);
  stepper.plan(kRows);
  stepped(stepper, x, 4);
  CHECK(predicted(*model, x, 2) == second);
}

TEST_CASE("states are read, set, copied and gathered by row") {
  const auto model = made({kLstm, kLast, kDense});
  const Sequences x;
  Stepper<float> a(model->definition().graph), b(model->definition().graph);
  a.plan(kRows);
  b.plan(kRows);
  CHECK(a.state_size() == 2 * 20 + 2 * 7);
  std::vector<float> state(std::size_t(a.state_size()), 1.0F);
  a.get(1, state.data());
  CHECK(state == std::vector<float>(state.size()));
  stepped(a, x, 0);
  const std::vector<float> next = stepped(a, x, 1);
  stepped(b, x, 0);
  for (index r = 0; r < kRows; ++r) {
    b.get(r, state.data());
    b.begin(r);
    b.set(r, state.data());
  }
  CHECK(stepped(b, x, 1) == next);

  const index from[kRows] = {2, 0, 2};
  a.gather(from);
  for (index r = 0; r < kRows; ++r) {
    std::vector<float> moved(state.size());
    a.get(r, moved.data());
    b.get(from[r], state.data());
    CHECK(moved == state);
  }
  b.begin(0);
  b.copy(2, a, 1);
  b.copy(1, b, 0);
  std::vector<float> moved(state.size());
  b.get(2, moved.data());
  a.get(1, state.data());
  CHECK(moved == state);
  const std::vector<float> y = stepped(b, x, 3);
  Stepper<float> fresh(model->definition().graph);
  fresh.plan(kRows);
  const std::vector<float> begun = stepped(fresh, x, 3);
  CHECK(std::equal(y.begin(), y.begin() + 2, begun.begin()));  // rows 0 and 1 begin
  CHECK(std::equal(y.begin() + 5, y.begin() + 10, begun.begin() + 5));
  CHECK_FALSE(std::equal(y.begin() + 10, y.end(), begun.begin() + 10));
}

TEST_CASE("initial states come from fixed inputs when a row begins") {
  auto graph = std::make_shared<layers::Graph<float>>();
  graph->add_input({layers::kAnySize, kInputs}, "x");
  graph->add_input({20}, "h");
  graph->add_input({20}, "c");
  const auto layer = layers::Layer<float>::make(base::OptionReader(kLstm, "test"));
  graph->set_outputs({{graph->add_node(layer, {{0, 0}, {1, 0}, {2, 0}}), 0}});
  const Model<float> model{Definition<float>(graph)};
  test::Numbers numbers;
  for (const auto& each : model.definition().parameters) {
    for (index i = 0; i < each.parameters->size(); ++i) {
      each.parameters->values()[i] = static_cast<float>(numbers.next());
    }
  }
  const Sequences x;
  std::vector<float> h(kRows * 20), c(kRows * 20), all(kRows * kSteps * 20);
  for (float& each : h) each = static_cast<float>(numbers.next());
  for (float& each : c) each = static_cast<float>(numbers.next());
  Samples<float> samples;
  samples.count = kRows;
  samples.inputs = {{x.values.data(), nullptr, {kSteps, kInputs}},
                    {h.data(), nullptr, {20}},
                    {c.data(), nullptr, {20}}};
  model.predict(samples, kRows, {all.data()});
  Stepper<float> stepper(graph);
  stepper.plan(kRows);
  stepper.in(1).values = h.data();
  stepper.in(2).values = c.data();
  for (int round = 0; round < 2; ++round) {
    for (index t = 0; t < kSteps; ++t) {
      const std::vector<float> y = stepped(stepper, x, t);
      for (index b = 0; b < kRows; ++b) {
        CHECK(std::equal(y.begin() + b * 20, y.begin() + b * 20 + 20,
                         all.begin() + (b * kSteps + t) * 20));
      }
    }
    for (index b = 0; b < kRows; ++b) stepper.begin(b);
  }
}

TEST_CASE("a warm step takes no memory") {
  const Map gru = {{"kind", "gru"}, {"units", 9}};
  const auto model = made({{{"kind", "masking"}}, kLstm, kCausal, gru, kDense});
  const Sequences x;
  Stepper<float> stepper(model->definition().graph);
  stepper.plan(kRows);
  stepper.in(0).values = x.values.data();
  stepper.step();
  stepper.step();  // is prepared
  const index from[kRows] = {1, 1, 0};
  const long before = allocations;
  const std::uint64_t buffers = base::allocation_count();
  stepper.step();
  CHECK(stepper.prepared());
  for (int i = 0; i < 5; ++i) {
    stepper.step();
    stepper.gather(from);
    stepper.begin(2);
    stepper.plan(kRows - i % 2);
  }
  CHECK(allocations == before);
  CHECK(base::allocation_count() == buffers);
}

TEST_CASE("layers that need the whole sequence are named") {
  const auto refused = [](const std::vector<Map>& layers, const std::string& problem) {
    const auto model = made(layers, false, kSteps);
    const auto graph = model->definition().graph;
    CHECK(test::message_of([&] { Stepper<float>(graph).plan(1); }).find(problem) !=
          std::string::npos);
  };
  const std::string whole =
      "needs all steps at once, and the model runs step by step; expected "
      "layers that need no later step";
  refused({{{"kind", "flatten"}, {"name", "flat"}}, kDense},
          "[steps] layer \"flat\" (flatten) " + whole);
  refused({{{"kind", "bidirectional"},
            {"forward.kind", "lstm"},
            {"forward.units", 2},
            {"backward.kind", "lstm"},
            {"backward.units", 2},
            {"backward.go_backwards", true}}},
          whole);
  refused({{{"kind", "conv1d"}, {"filters", 2}, {"kernel_size", 2}, {"padding", "same"}}},
          "needs all steps at once, and the model runs step by step; expected padding=\"causal\"");
  refused({{{"kind", "softmax"}, {"axis", 1}}}, whole);
  refused({{{"kind", "global_max_pooling1d"}}}, whole);
  refused({with(kLstm, {{"go_backwards", true}})}, "begins at the last step");
  // steps that look at all steps, or whose place counts
  for (const bool causal : {false, true}) {
    const auto graph = std::make_shared<layers::Graph<float>>();
    graph->add_input({kSteps, kInputs}, "x");
    graph->add_input({2, kInputs}, "value");
    const auto layer = layers::Layer<float>::make(
        base::OptionReader({{"kind", "attention"}, {"use_causal_mask", causal}}, "test"));
    const layers::Place looked{causal ? 1 : 0, 0};
    graph->set_outputs({{graph->add_node(layer, {{0, 0}, looked, looked}), 0}});
    const layers::Shape value{2, kInputs};
    CHECK(test::message_of([&] {
            Stepper<float>(graph).plan(1, {{}, value});
          }).find(causal ? "takes steps together with another value" : whole) != std::string::npos);
  }
}

}  // namespace
}  // namespace lstmfast::model
