// Models with masks, two directions and states: threads, cuts into batches and chunks, layers
// alone.
#include <doctest/doctest.h>

#include "base/team.h"
#include "model_problem.h"

namespace lstmfast::model {
namespace {

using test::compile_config;
using test::make_model;
using test::Map;
using test::message_of;

constexpr index kSteps = 7, kRows = 5;

Map masked_config(const std::string& merge, bool stateful = false) {
  Map map = {{"input_shape", base::Extents{base::kAnyExtent, 3}},
             {"layers", 4},
             {"layers.0.kind", "masking"},
             {"layers.1.kind", "bidirectional"},
             {"layers.1.merge_mode", merge},
             {"layers.2.kind", "lstm"},
             {"layers.2.units", 5},
             {"layers.2.return_sequences", true},
             {"layers.3.kind", "dense"},
             {"layers.3.units", 2}};
  for (const std::string half : {"forward", "backward"}) {
    const std::string at = "layers.1." + half + ".";
    map[at + "kind"] = "lstm";
    map[at + "units"] = 9;
    map[at + "return_sequences"] = true;
    map[at + "zero_output_for_mask"] = true;
    map[at + "go_backwards"] = half == "backward";
    map[at + "stateful"] = stateful;
  }
  map["layers.2.stateful"] = stateful;
  return map;
}

// Row r: its last r steps are padding; the last row has none that is real.
std::vector<float> padded(const std::vector<float>& x) {
  std::vector<float> out = x;
  for (index r = 0; r < kRows; ++r) {
    const index real = r + 1 == kRows ? 0 : kSteps - r;
    for (index i = (r * kSteps + real) * 3; i < (r + 1) * kSteps * 3; ++i)
      out[static_cast<std::size_t>(i)] = 0;
  }
  return out;
}

std::vector<float> predict(const Model<float>& model, const std::vector<float>& x, index steps,
                           index batch) {
  const Samples<float> samples = {{{x.data(), nullptr, {steps, 3}}}, kRows};
  const index size = model.shapes("test", samples)->outputs[0].count();
  std::vector<float> y(static_cast<std::size_t>(kRows * size));
  model.predict(samples, batch, {y.data()});
  return y;
}

TEST_CASE("masks and directions: no bit depends on batches or threads") {
  test::Problem<float> problem(kRows, kSteps, 2 * kSteps);
  const std::vector<float> x = padded(problem.x);
  problem.examples.in.inputs[0].values = x.data();
  problem.examples.targets[0].shape = {kRows, kSteps, 2};
  for (const char* merge : {"concat", "sum", "mul", "ave"}) {
    CAPTURE(merge);
    std::vector<std::vector<float>> trained;
    for (const int threads : {1, 2, 3}) {
      base::team::set_num_threads(threads);
      auto model = make_model<float>(masked_config(merge));
      const std::vector<float> whole = predict(*model, x, kSteps, kRows);
      for (index batch = 1; batch < kRows; ++batch)
        CHECK(predict(*model, x, kSteps, batch) == whole);
      model->compile(compile_config("mean_squared_error"));
      FitOptions options;
      options.batch_size = 2;  // the last batch is the row without a real step
      options.epochs = 2;
      options.shuffle = false;
      test::fit(*model, problem.examples, options);
      trained.push_back(test::weights(*model));
      CHECK(trained.back() == trained.front());
    }
  }
  base::team::set_num_threads(1);
}

TEST_CASE("padding has no part in loss and gradients, whatever the target says there") {
  test::Problem<float> problem(kRows, kSteps, 2 * kSteps);
  const std::vector<float> x = padded(problem.x);
  problem.examples.in.inputs[0].values = x.data();
  problem.examples.targets[0].shape = {kRows, kSteps, 2};
  std::vector<float> other = problem.y;
  for (index r = 0; r < kRows; ++r)
    for (index i = (r + 1) * kSteps - (r + 1 == kRows ? kSteps : r); i < (r + 1) * kSteps; ++i)
      other[static_cast<std::size_t>(2 * i)] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::vector<float>> trained;
  std::vector<double> losses;
  for (const auto* y : {&problem.y, &other}) {
    auto model = make_model<float>(masked_config("concat"));
    model->compile(compile_config("mean_squared_error", "sgd", 0.1));
    Examples<float> examples = problem.examples;
    examples.targets[0].y = y->data();
    losses.push_back(train_on_batch(*model, examples).values[0]);
    trained.push_back(test::weights(*model));
  }
  CHECK(losses[0] == losses[1]);
  CHECK(trained[0] == trained[1]);
}

TEST_CASE("states go on over batches until they are reset") {
  const test::Problem<float> problem(kRows, 2 * kSteps, 1);
  Map config = masked_config("sum", true);
  config["layers"] = 2;  // Masking and both directions
  config["layers.1.forward.return_sequences"] = false;
  config["layers.1.backward.return_sequences"] = false;
  for (auto it = config.begin(); it != config.end();) {
    const bool later = it->first[0] == 'l' &&
                       (it->first.rfind("layers.2", 0) == 0 || it->first.rfind("layers.3", 0) == 0);
    it = later ? config.erase(it) : std::next(it);
  }
  auto model = make_model<float>(config);
  CHECK(model->is_stateful());
  const auto first = predict(*model, problem.x, kSteps, kRows);
  const auto second = predict(*model, problem.x, kSteps, kRows);
  CHECK(first != second);
  model->definition().carried[0]->reset();
  CHECK(predict(*model, problem.x, kSteps, kRows) == first);
  CHECK(message_of([&] { predict(*model, problem.x, kSteps, 2); }) ==
        "[model.predict] x makes a batch of 2 samples; expected 5 in every batch, for the model is "
        "stateful and carries the state of each row: pass a multiple of 5 samples, 5 at a time");
  model->reset_carried();
  CHECK(message_of([&] { predict(*model, problem.x, kSteps, 2); }).find("batch of 1") !=
        std::string::npos);
}

TEST_CASE("a layer on its own: states in and out, cells, its own state where it is stateful") {
  const test::Problem<float> problem(kRows, kSteps, 1);
  for (const bool stateful : {false, true}) {
    const Map config = {{"input_shape", base::Extents{base::kAnyExtent, 3}},
                        {"layers", 1},
                        {"layers.0.kind", "lstm"},
                        {"layers.0.units", 6},
                        {"layers.0.proj_size", 4},
                        {"layers.0.return_sequences", true},
                        {"layers.0.stateful", stateful}};
    auto model = make_model<float>(config);
    layers::Layer<float>& layer = *model->definition().graph->children()[0].layer;
    struct State {
      std::vector<float> h, c;
    };
    const auto run = [&](const State* from, State& to) {
      std::vector<float> y(kRows * kSteps * 4), cells(kRows * kSteps * 6);
      to.h.resize(kRows * 4);
      to.c.resize(kRows * 6);
      layers::Pass<float> pass;
      pass.batch = kRows;
      std::vector<layers::In<float>> in(from == nullptr ? 1 : 3);
      layers::Shapes shapes = {{kSteps, 3}};
      in[0].values = problem.x.data();
      if (from != nullptr) {
        in[1].values = from->h.data();
        in[2].values = from->c.data();
        shapes.push_back({4});
        shapes.push_back({6});
      }
      std::vector<layers::Out<float>> out(4);
      out[0].values = y.data();
      out[1].values = to.h.data();
      out[2].values = to.c.data();
      out[3].values = cells.data();
      std::vector<unsigned char> mask;
      call_layer(layer, pass, shapes, in, out, mask);
      CHECK(mask.empty());
      for (index b = 0; b < kRows; ++b) {
        for (index u = 0; u < 6; ++u) {  // the last cells are the final c
          CHECK(to.c[static_cast<std::size_t>(b * 6 + u)] ==
                cells[static_cast<std::size_t>((b * kSteps + kSteps - 1) * 6 + u)]);
        }
      }
      return y;
    };
    State after, last, own;
    const State zeros = {std::vector<float>(kRows * 4), std::vector<float>(kRows * 6)};
    const auto first = run(&zeros, after);
    CHECK(first == predict(*make_model<float>(config), problem.x, kSteps, kRows));
    const auto second = run(&after, last);
    CHECK(second != first);
    model->reset_carried();
    CHECK(run(nullptr, own) == first);
    CHECK(own.h == after.h);
    CHECK(run(nullptr, own) == (stateful ? second : first));
    CHECK(own.c == (stateful ? last.c : after.c));
  }
}

TEST_CASE("what two directions must agree on") {
  const auto message = [](Map config) {
    return message_of([&] { read_definition<float>(config); });
  };
  Map config = masked_config("max");
  CHECK(message(config).find("merge_mode is \"max\"; expected one of \"concat\", \"sum\", ") !=
        std::string::npos);
  config = masked_config("sum");
  config["layers.1.backward.go_backwards"] = false;
  CHECK(message(config) ==
        "[model.config] layers.1.backward.go_backwards is False; expected the opposite of "
        "forward.go_backwards");
  config = masked_config("sum");
  config["layers.1.backward.units"] = 8;
  CHECK(message(config).find("expected \"concat\" for layers of different sizes") !=
        std::string::npos);
  config = masked_config("sum");
  config["layers.1.backward.stateful"] = true;
  CHECK(message(config).find("expected False, as forward.stateful") != std::string::npos);
  config = masked_config("sum");
  config["layers.1.backward.kind"] = "dense";
  CHECK(message(config).find("layers.1.backward.kind is \"dense\"") != std::string::npos);
}

}  // namespace
}  // namespace lstmfast::model
