// Lstm and Bidirectional: states that go on, frozen parameters, threads, layers inside, errors.
#include <doctest/doctest.h>

#include "layers/lstm_directions.h"
#include "recurrent_problem.h"
#include "team_helpers.h"

namespace lstmfast::layers {
namespace {

using namespace test::recurrent;  // NOLINT: it is made for this
using test::LayerRun;
using test::message_of;

template <class T>
void fill(LayerRun<T>& run, double scale = 0.4) {
  test::Numbers numbers;
  const auto next = [&](T& value) { value = static_cast<T>(scale * numbers.next()); };
  for (auto& port : run.in) std::for_each(port.values.begin(), port.values.end(), next);
  for (auto& port : run.out) std::for_each(port.gradient.begin(), port.gradient.end(), next);
  run.for_parameters([&](const std::string&, const Parameter& each, const auto& entry) {
    std::vector<T> values(at(each.count()));
    std::for_each(values.begin(), values.end(), next);
    each.import_from(values.data(), entry.parameters->values());
  });
}

Map lstm_config(Map more) {
  more.insert({{"kind", "lstm"}, {"units", 5}, {"return_sequences", true}});
  return more;
}
Map both_config(const Map& more, const std::string& merge = "concat") {
  Map backward = lstm_config(more);
  backward["go_backwards"] = true;
  return bidirectional_config(lstm_config(more), backward, merge);
}

// Everything that a training step writes.
template <class T>
std::vector<std::vector<T>> results(const LayerRun<T>& run) {
  std::vector<std::vector<T>> all{run.flat_gradients()};
  for (const auto& port : run.out) all.push_back(port.values);
  for (const auto& port : run.in) all.push_back(port.gradient);
  return all;
}

TEST_CASE_TEMPLATE("recurrent layers: the same bits for any number of threads", T, float, double) {
  const Map more = {{"units", 128},
                    {"proj_size", 70},
                    {"dropout", 0.2},
                    {"zoneout_h", 0.2},
                    {"recompute_every", "sqrt"}};
  const std::vector<Shape> inputs{{24, 20}, {70}, {128}, {70}, {128}};
  const auto run_with = [&](int threads, const Map& config, std::size_t ports) {
    const base::Threads limit(threads);
    LayerRun<T> run(make<T>(config), {inputs.begin(), inputs.begin() + index(ports)}, 3);
    fill(run, 0.2);
    run.forward(true);
    run.backward();
    return results(run);
  };
  for (const std::string merge : {"concat", "sum", "mul", "ave", "none"}) {
    CAPTURE(merge);
    const auto alone = run_with(1, both_config(more, merge), 5);
    CHECK(run_with(2, both_config(more, merge), 5) == alone);
    CHECK(run_with(4, both_config(more, merge), 5) == alone);
  }
  CHECK(run_with(1, lstm_config(more), 3) == run_with(2, lstm_config(more), 3));
}

// By rows, and by panels of units with a barrier after each phase of a step; with a tail.
TEST_CASE_TEMPLATE("recurrent layers: units have the same bits for any number of threads", T, float,
                   double) {
  for (const char* const kind : {"gru", "gru before", "simple_rnn"}) {
    for (const auto& size : {std::pair<index, index>{3, 270}, {36, 52}}) {
      const index batch = size.first, units = size.second;
      CAPTURE(kind);
      CAPTURE(batch);
      Map config = {{"kind", std::string(kind).substr(0, kind[0] == 'g' ? 3 : 10)},
                    {"units", units},
                    {"return_sequences", true},
                    {"recurrent_dropout", 0.2},
                    {"recompute_every", 3}};
      if (config["kind"].text() == "gru") config["reset_after"] = std::string(kind) == "gru";
      const auto run_with = [&](int threads) {
        const base::Threads limit(threads);
        LayerRun<T> run(make<T>(config), {{8, 20}, {units}}, batch);
        fill(run, 0.1);
        run.forward(true);
        run.backward();
        return results(run);
      };
      const auto alone = run_with(1);
      CHECK(run_with(2) == alone);
      CHECK(run_with(3) == alone);
    }
  }
}

TEST_CASE("recurrent layers: one direction of the class is the layer") {
  const Map config = lstm_config({{"peephole", true}, {"recurrent_dropout", 0.3}});
  LayerRun<float> run(make<float>(config), {{6, 3}, {5}, {5}}, 2);
  fill(run);
  run.forward(true);
  run.backward();

  const base::OptionReader reader(config, "test");
  const LstmOptions options = read_lstm(reader.read(lstm_layer_options()), "use_bias", "dropout");
  const LstmDirection<float> direction{{3, 5, options.cell}, options, false};
  LstmRun<float> alone;
  const auto room = [](const std::vector<float>& like) { return std::vector<float>(like.size()); };
  std::vector<float> y = room(run.out[0].values), h = room(run.out[1].values),
                     c = room(run.out[2].values), cells = room(run.out[3].values),
                     dx = room(run.in[0].values), dh0 = room(h), dc0 = room(c),
                     block(at(direction.shape.size()));
  ops::LstmCall<float> call{};
  call.steps = 6;
  call.batch = 2;
  call.x = run.in[0].values.data();
  call.x_row = 6 * 3;
  call.x_step = 3;
  call.y = y.data();
  call.cells = cells.data();
  call.y_row = call.cells_row = 6 * 5;
  call.y_step = call.cells_step = 5;
  call.h0 = run.in[1].values.data();
  call.c0 = run.in[2].values.data();
  call.h_n = h.data();
  call.c_n = c.data();
  call.noise.seed = run.pass.seed;
  call.noise.step = run.pass.step;
  call.noise.stream = run.state->stream;
  alone.begin(direction, call);
  alone.block = run.layer->parameters().values();
  LstmRuns<float>(alone).forward(true);
  alone.gradients = {run.out[0].gradient.data(),
                     run.out[3].gradient.data(),
                     run.out[1].gradient.data(),
                     run.out[2].gradient.data(),
                     dx.data(),
                     dh0.data(),
                     dc0.data(),
                     block.data(),
                     false,
                     true};
  LstmRuns<float>(alone).plan_backward();
  LstmRuns<float>(alone).backward();
  block.resize(run.flat_gradients().size());  // to whole cache lines
  CHECK(results(run) == std::vector<std::vector<float>>{block, y, h, c, cells, dx, dh0, dc0});
}

TEST_CASE("recurrent layers: a frozen one passes gradients on and computes none of its own") {
  for (const Map& more : std::vector<Map>{{},
                                          {{"peephole", true}, {"proj_size", 3}},
                                          {{"layer_norm", true}},
                                          {{"weight_drop", 0.3}},
                                          {{"coupled", true}, {"recompute_every", 2}}}) {
    LayerRun<double> run(make<double>(lstm_config(more)), {{6, 3}}, 4);
    fill(run);
    run.forward(true);
    run.backward();
    CHECK(run.state->learns());
    const auto trained = results(run);
    run.layer->parameters().set_trainable(false);
    run.forward(true);
    run.backward();
    CHECK_FALSE(run.state->learns());
    auto frozen = results(run);
    CHECK(frozen[0] == Values(frozen[0].size(), 0.0));
    frozen[0] = trained[0];
    CHECK(frozen == trained);
  }
}

TEST_CASE("recurrent layers: one half of Bidirectional may be frozen") {
  for (int d = 0; d < 2; ++d) {
    LayerRun<double> run(make<double>(both_config({{"layer_norm", true}})), {{6, 3}}, 4);
    fill(run);
    run.forward(true);
    run.backward();
    const char* const names[] = {"forward.kernel", "backward.kernel"};
    const Values dx = run.in[0].gradient, kept = run.gradient(names[1 - d]);
    run.layer->children()[at(d)].layer->parameters().set_trainable(false);
    run.forward(true);
    run.backward();
    CHECK(run.in[0].gradient == dx);
    CHECK(run.gradient(names[1 - d]) == kept);
    CHECK(run.gradient(names[d]) == Values(kept.size(), 0.0));
    CHECK(run.state->learns());
    run.layer->children()[at(1 - d)].layer->parameters().set_trainable(false);
    CHECK_FALSE(run.state->learns());
  }
}

TEST_CASE("recurrent layers: a state that is carried on") {
  constexpr index kHalf = 3 * kInput, kAll = 2 * kHalf;  // values of one row of x
  for (const bool all : {false, true}) {
    CAPTURE(all);
    const Map more = {{"stateful", true}, {"return_sequences", all}};
    LayerRun<double> whole(make<double>(lstm_config({})), {{6, kInput}}, kBatch);
    LayerRun<double> run(make<double>(lstm_config(more)), {{3, kInput}}, kBatch);
    fill(whole);
    fill(run);  // the same parameters: there are fewer values of x, but they come first
    whole.for_parameters([&](const std::string&, const Parameter&, const auto& entry) {
      std::copy_n(run.layer->parameters().values(), entry.parameters->size(),
                  entry.parameters->values());
    });
    whole.forward(true);
    run.pass.carries = true;
    const auto part = [&](index first) {
      for (index b = 0; b < kBatch; ++b) {
        std::copy_n(whole.in[0].values.begin() + b * kAll + first, kHalf,
                    run.in[0].values.begin() + b * kHalf);
      }
      run.forward(true);
      return run.out[0].values;
    };
    part(0);
    const Values first = run.out[1].values;
    part(kHalf);
    CHECK(run.out[1].values == whole.out[1].values);
    CHECK(run.out[2].values == whole.out[2].values);
    Values carried;
    run.layer->carried()->copy_to(carried);
    Values expected = whole.out[1].values;
    expected.insert(expected.end(), whole.out[2].values.begin(), whole.out[2].values.end());
    CHECK(carried == expected);

    for (auto& port : run.out) port.wanted = &port == &run.out[0];
    run.layer->carried()->reset();
    part(0);
    part(kHalf);
    Values again;
    run.layer->carried()->copy_to(again);
    CHECK(again == expected);

    // without: begins with zeros, and keeps nothing
    run.pass.carries = false;
    run.out[1].wanted = true;
    part(0);
    CHECK(run.out[1].values == first);
    again.clear();
    run.layer->carried()->copy_to(again);
    CHECK(again == expected);
  }
}

TEST_CASE("recurrent layers: an initial state replaces the one that is carried") {
  for (const bool both : {false, true}) {
    CAPTURE(both);
    std::vector<Shape> inputs(both ? 5 : 3, Shape{5});
    inputs[0] = {4, kInput};
    const Map map{{"stateful", true}};
    const auto layer = make<double>(both ? both_config(map) : lstm_config(map));
    LayerRun<double> given(layer, inputs, kBatch), run(layer, {inputs[0]}, kBatch);
    fill(given);
    run.in[0].values = given.in[0].values;
    given.pass.carries = run.pass.carries = true;
    run.forward(true);  // leaves a state
    given.forward(true);
    const auto after = given.out;
    given.pass.carries = false;
    given.forward(true);
    const std::size_t states = both ? 4 : 2;
    Values carried, expected;
    layer->carried()->copy_to(carried);
    for (std::size_t k = 0; k < after.size(); ++k) {
      CHECK(after[k].values == given.out[k].values);
      if (k < 1 || k > states) continue;
      expected.insert(expected.end(), after[k].values.begin(), after[k].values.end());
    }
    CHECK(carried == expected);
    for (const auto& child : layer->children()) CHECK(child.layer->carried() == nullptr);
  }
}

TEST_CASE("recurrent layers: Bidirectional takes layers that are there") {
  Map backwards = lstm_config({{"go_backwards", true}, {"units", 4}});
  const auto forward = make<double>(lstm_config({})), backward = make<double>(backwards);
  Children halves{{"forward", forward}, {"backward", backward}};
  LayerRun<double> first(forward, {{6, 3}}, 2), second(backward, {{6, 3}}, 2);
  LayerRun<double> both(make<double>({{"kind", "bidirectional"}, {"merge_mode", "none"}}, halves),
                        {{6, 3}}, 2);
  fill(both);
  first.in[0].values = second.in[0].values = both.in[0].values;
  both.forward(true);
  first.forward(true);
  second.forward(true);
  CHECK(both.out[0].values == first.out[0].values);
  CHECK(both.out[2].values == first.out[1].values);
  CHECK(both.out[4].values == second.out[1].values);
  CHECK(both.out[5].values == second.out[2].values);
  halves["backward"] = make<double>({{"kind", "dense"}, {"units", 4}});
  CHECK(message_of([&] { make<double>({{"kind", "bidirectional"}}, halves); }) ==
        "[bidirectional] the backward layer is of kind dense; expected one of \"lstm\", \"gru\", "
        "\"simple_rnn\"");
}

TEST_CASE("recurrent layers: errors name what came and what was expected") {
  const auto message = [](const std::shared_ptr<Layer<float>>& layer, std::vector<Shape> inputs) {
    return message_of([&] { layer->connect(inputs); });
  };
  const auto lstm = make<float>(lstm_config({{"proj_size", 4}}));
  CHECK(message(lstm, {{5}}) ==
        "[lstm] input of a sample has shape (5,); expected (steps, features)");
  CHECK(message(lstm, {{6, 3}, {4}}) ==
        "[lstm] got 2 inputs; expected 1, or 3 with the initial h and c");
  CHECK(message(lstm, {{6, 3}, {5}, {5}}) ==
        "[lstm] initial h of a sample has shape (5,); expected (4,)");
  CHECK(message(lstm, {{6, 3}, {4}, {4}}) ==
        "[lstm] initial c of a sample has shape (4,); expected (5,)");
  CHECK_FALSE(lstm->built());
  CHECK(message(lstm, {{6, 3}, {4}, {5}}).empty());
  CHECK(message(lstm, {{kAnySize, 3}}).empty());
  CHECK(message(lstm, {{6, 2}}) ==
        "[lstm] input of a sample has shape (6, 2); expected 3 features, for which the layer has "
        "weights");
  const auto both = make<float>(both_config({}));
  CHECK(message(both, {{6, 3}, {5}, {5}}) ==
        "[bidirectional] got 3 inputs; expected 1, or 5 with the initial states of the forward "
        "and of the backward layer");
  CHECK(message(both, {{6, 3}, {5}, {5}, {5}, {4}}) ==
        "[lstm] initial c of a sample has shape (4,); expected (5,)");
  for (const auto& child : both->children()) CHECK_FALSE(child.layer->built());
  CHECK(message(both, {{6, 3}}).empty());
  CHECK(message(both, {{6, 2}}).find("expected 3 features") != std::string::npos);
}

}  // namespace
}  // namespace lstmfast::layers
