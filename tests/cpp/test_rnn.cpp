// Rnn: stacked layers on a caller's arrays. The equations are proved elsewhere; here is what joins
// layers.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fork_helpers.h"
#include "model/rnn.h"
#include "support.h"

namespace lstmfast::model {
namespace {

using test::message_of;
using test::Numbers;

constexpr index kInput = 3, kHidden = 5, kLayers = 3, kBatch = 4, kSteps = 6;
constexpr index kStates = kLayers * kBatch * kHidden;

template <class T>
std::vector<T> numbers(index count) {
  static Numbers source;
  std::vector<T> out;
  for (index i = 0; i < count; ++i) out.push_back(static_cast<T>(source.next()));
  return out;
}

template <class T>
std::unique_ptr<Rnn<T>> make_rnn(double dropout, base::Options options = {}) {
  options.insert({{"input_size", kInput},
                  {"hidden_size", kHidden},
                  {"num_layers", kLayers},
                  {"dropout", dropout}});
  auto rnn = std::make_unique<Rnn<T>>(read_rnn_options(options, 3));
  Numbers source;
  for (const auto& parameter : rnn->parameters()) {
    std::vector<T> values;
    for (index i = 0; i < parameter.place.count(); ++i) {
      values.push_back(static_cast<T>(0.5 * source.next()));
    }
    rnn->set({{&parameter, values.data()}});
  }
  return rnn;
}

// Arrays of one call, batch first.
template <class T>
struct Arrays {
  std::vector<T> x = numbers<T>(kBatch * kSteps * kInput), h0 = numbers<T>(kStates),
                 c0 = numbers<T>(kStates);
  std::vector<T> y = std::vector<T>(kBatch * kSteps * kHidden), h_n = std::vector<T>(kStates),
                 c_n = std::vector<T>(kStates);
  RnnRows rows;

  ops::LstmCall<T> call(const Rnn<T>& rnn) {
    RnnInput<T> input;
    input.x = {x.data(), {kBatch, kSteps, kInput}};
    input.h0 = {h0.data(), {kLayers, kBatch, kHidden}};
    input.c0 = {c0.data(), {kLayers, kBatch, kHidden}};
    ops::LstmCall<T> out = rnn.check("test", input, rows);
    out.y = y.data();
    out.h_n = h_n.data();
    out.c_n = c_n.data();
    return out;
  }
};

TEST_CASE("gradients go through the layers and the dropout between them") {
  using T = double;
  const auto y_weights = numbers<T>(kBatch * kSteps * kHidden), h_weights = numbers<T>(kStates),
             c_weights = numbers<T>(kStates);
  Arrays<T> arrays;
  // A new object each time draws the same masks.
  const auto loss = [&](std::unique_ptr<Rnn<T>>& rnn) {
    rnn = make_rnn<T>(0.4, {{"peephole", true}});
    rnn->train(arrays.call(*rnn));
    T sum = 0;
    for (std::size_t i = 0; i < y_weights.size(); ++i) sum += y_weights[i] * arrays.y[i];
    for (std::size_t i = 0; i < h_weights.size(); ++i) {
      sum += h_weights[i] * arrays.h_n[i] + c_weights[i] * arrays.c_n[i];
    }
    return sum;
  };
  std::unique_ptr<Rnn<T>> rnn;
  loss(rnn);
  std::vector<T> dx(arrays.x.size()), dh0(kStates), dc0(kStates);
  ops::LstmGradients<T> gradients{};
  gradients.dy = y_weights.data();
  gradients.dh_n = h_weights.data();
  gradients.dc_n = c_weights.data();
  gradients.dx = dx.data();
  gradients.dh0 = dh0.data();
  gradients.dc0 = dc0.data();
  rnn->backward(gradients);

  const auto check = [&](std::vector<T>& values, const std::vector<T>& gradient) {
    constexpr T kStep = 1e-5;
    for (std::size_t i = 0; i < values.size(); i += 5) {
      const T kept = values[i];
      std::unique_ptr<Rnn<T>> other;
      values[i] = kept + kStep;
      const T above = loss(other);
      values[i] = kept - kStep;
      const T below = loss(other);
      values[i] = kept;
      // Truncation is kStep^2 times a third derivative of order 1, rounding 1e-15 / kStep.
      CHECK((above - below) / (2 * kStep) == doctest::Approx(gradient[i]).epsilon(1e-7));
    }
  };
  check(arrays.x, dx);
  check(arrays.h0, dh0);
  check(arrays.c0, dc0);
}

TEST_CASE("inference: training without dropout, any number of threads, any chunks") {
  using T = float;
  auto rnn = make_rnn<T>(0);
  Arrays<T> whole;
  rnn->infer(whole.call(*rnn));

  Arrays<T> trained = whole;
  rnn->train(trained.call(*rnn));
  CHECK(trained.y == whole.y);
  CHECK(trained.c_n == whole.c_n);

  std::vector<Arrays<T>> parallel(4, whole);
  std::vector<std::thread> threads;
  for (Arrays<T>& arrays : parallel) {
    std::fill(arrays.y.begin(), arrays.y.end(), 0.0F);
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) rnn->infer(arrays.call(*rnn));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Arrays<T>& arrays : parallel) CHECK(arrays.y == whole.y);

  Arrays<T> chunks = whole;
  for (index t = 0; t < kSteps; t += 2) {
    ops::LstmCall<T> call = chunks.call(*rnn);
    call.steps = 2;
    call.x += t * call.x_step;
    call.y += t * call.y_step;
    rnn->infer(call);
    chunks.h0 = chunks.h_n;
    chunks.c0 = chunks.c_n;
  }
  CHECK(chunks.y == whole.y);
  CHECK(chunks.h_n == whole.h_n);
}

TEST_CASE("there is one cache, and what ends it") {
  auto rnn = make_rnn<float>(0);
  Arrays<float> arrays;
  const auto message = [&] { return message_of([&] { rnn->trained_call("lstm.backward"); }); };
  const std::string none =
      "[lstm.backward] there is nothing to go back through; call with training=True first";
  CHECK(message() == none);
  rnn->train(arrays.call(*rnn));
  CHECK(message().empty());
  rnn->backward({});
  CHECK(message() == none);
  rnn->train(arrays.call(*rnn));
  const auto& parameter = rnn->parameter("test", 0, "bias");
  std::vector<float> bias(static_cast<std::size_t>(parameter.place.count()));
  rnn->get(parameter, bias.data());
  rnn->set({{&parameter, bias.data()}});
  CHECK(message() ==
        "[lstm.backward] the parameters were set after the call; call with training=True again");
}

TEST_CASE("whoever holds the lease keeps the cache from other threads") {
  auto rnn = make_rnn<float>(0);
  Arrays<float> arrays, others;
  const base::Busy lease(rnn->busy(), "test");
  rnn->train(arrays.call(*rnn));
  const float* const y = rnn->trained_call("test").y;
  std::thread([&] {
    CHECK_THROWS_WITH_AS(rnn->train(others.call(*rnn)),
                         "[lstm.forward] a call that changes this object is running; expected none",
                         std::runtime_error);
    CHECK_THROWS_AS(rnn->backward({}), std::runtime_error);
    rnn->infer(others.call(*rnn));
  }).join();
  CHECK(rnn->trained_call("test").y == y);
  rnn->backward({});
}

TEST_CASE("lengths and resets of a caller may change after the check") {
  auto rnn = make_rnn<float>(0);
  Arrays<float> arrays;
  std::vector<index> lengths = {6, 3, 2, 5};
  std::vector<unsigned char> resets(kBatch * kSteps);
  resets[2] = resets[7] = 1;
  RnnInput<float> input;
  input.x = {arrays.x.data(), {kBatch, kSteps, kInput}};
  input.lengths = {lengths.data(), {kBatch}};
  input.resets = {resets.data(), {kBatch, kSteps}};
  const std::vector<float> dy(arrays.y.size(), 1);
  const auto dx_of = [&](bool change) {
    RnnRows rows;
    ops::LstmCall<float> call = rnn->check("test", input, rows);
    call.y = arrays.y.data();
    const auto kept_lengths = lengths;
    const auto kept_resets = resets;
    if (change) {
      lengths.assign(lengths.size(), 1000000);
      resets.assign(resets.size(), 1);
    }
    rnn->train(call);
    std::vector<float> dx(arrays.x.size());
    ops::LstmGradients<float> gradients{};
    gradients.dy = dy.data();
    gradients.dx = dx.data();
    rnn->backward(gradients);
    lengths = kept_lengths;
    resets = kept_resets;
    return dx;
  };
  CHECK(dx_of(true) == dx_of(false));
}

TEST_CASE("an output may share memory with no input") {
  std::vector<float> block(64);
  const auto ints = reinterpret_cast<const index*>(block.data());
  const auto bytes = reinterpret_cast<const unsigned char*>(block.data());
  const auto message = [&](const RnnInput<float>& input, index offset) {
    return message_of([&] { check_output<float>("test", input, block.data() + offset, 8); });
  };
  RnnInput<float> input;
  input.lengths = {ints, {2}};
  CHECK(message(input, 4).empty());
  CHECK(message(input, 3) == "[test] out shares memory with lengths; expected an array of its own");
  input.resets = {bytes + 80, {2, 2}};
  CHECK(message(input, 12).empty());
  CHECK(message(input, 13) == "[test] out shares memory with resets; expected an array of its own");
  CHECK(message(input, 21).empty());
}

TEST_CASE("errors name what came and what was expected") {
  auto rnn = make_rnn<float>(0);
  Arrays<float> arrays;
  const std::vector<index> lengths = {6, 0, 7, 1};
  RnnInput<float> input;
  RnnRows rows;
  const auto message = [&] { return message_of([&] { rnn->check("lstm.forward", input, rows); }); };
  input.x = {arrays.x.data(), {12, 8, 39}};
  input.batch_first = false;
  CHECK(message() ==
        "[lstm.forward] x has shape (T=12, B=8, I=39); expected I=3 to match input_size");
  input.x.shape = {12, 4};
  CHECK(message() == "[lstm.forward] x has shape (T=12, I=4); expected I=3 to match input_size");
  input.x.shape = {3};
  CHECK(message() ==
        "[lstm.forward] x has shape (3,); expected (T, B, I), or (T, I) for one sequence");
  input.x.shape = {kSteps, kInput};
  input.h0 = {arrays.h0.data(), {kLayers, 1, kHidden}};
  CHECK(message() == "[lstm.forward] h0 has shape (3, 1, 5); expected (L=3, H=5)");
  input.h0 = {};
  input.batch_first = true;
  input.x.shape = {kBatch, kSteps, kInput};
  input.h0 = {arrays.h0.data(), {kBatch, kHidden}};
  CHECK(message() == "[lstm.forward] h0 has shape (4, 5); expected (L=3, B=4, H=5)");
  input.h0 = {};
  input.lengths = {lengths.data(), {kBatch}};
  CHECK(message() == "[lstm.forward] lengths[2] is 7; expected 0 to T=6");
  input.lengths = {};
  const std::vector<unsigned char> resets(kBatch * kSteps);
  input.resets = {resets.data(), {kBatch, kSteps}};
  input.batch_first = false;
  input.x.shape = {kSteps, kBatch, kInput};
  CHECK(message() == "[lstm.forward] resets has shape (4, 6); expected (T=6, B=4)");
  CHECK(message_of([&] { rnn->parameter("lstm.get", 0, "peephole"); }) ==
        "[lstm.get] there is no parameter peephole in layer 0; expected layer 0 to 2 and one of "
        "kernel, recurrent_kernel, bias");
  CHECK(message_of([] { make_rnn<float>(0, {{"activation", "softmax"}}); }).find("activation") !=
        std::string::npos);
}

}  // namespace
TEST_CASE("rnn: release_memory ends the cache of training, and what follows is the same") {
  auto rnn = make_rnn<float>(0), fresh = make_rnn<float>(0);
  Arrays<float> arrays;
  rnn->infer(arrays.call(*rnn));
  rnn->train(arrays.call(*rnn));
  rnn->release_memory();
  CHECK_THROWS_AS(rnn->backward({}), std::invalid_argument);
  rnn->train(arrays.call(*rnn));
  const std::vector<float> y = arrays.y;
  rnn->backward({});
  fresh->train(arrays.call(*fresh));
  fresh->backward({});
  CHECK(arrays.y == y);
  const auto gradients = [](Rnn<float>& of) {
    std::vector<float> out;
    for (const auto& parameter : of.parameters()) {
      std::vector<float> part(std::size_t(parameter.place.count()));
      of.get_gradient(parameter, part.data());
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  };
  CHECK(gradients(*rnn) == gradients(*fresh));
}

#if FORK_TESTS

TEST_CASE("rnn: a child of a fork during a training call trains, in memory of its own") {
  auto rnn = make_rnn<float>(0);
  Arrays<float> arrays, own;
  rnn->train(own.call(*rnn));
  const std::vector<float> expected = own.y;
  std::atomic<bool> ends{false};
  std::thread other([&] {
    const ops::LstmCall<float> call = arrays.call(*rnn);
    while (!ends) {
      rnn->train(call);
      rnn->backward({});
    }
  });
  for (int i = 0; i < 20; ++i) {
    CHECK(in_child([&] {
            for (int round = 0; round < 2; ++round) {
              rnn->train(own.call(*rnn));
              rnn->backward({});
            }
            return own.y == expected ? 0 : 1;
          }) == 0);
  }
  ends = true;
  other.join();
}

#endif

}  // namespace lstmfast::model
