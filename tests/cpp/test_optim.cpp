#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/team.h"
#include "kernels/table.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "support.h"

namespace lstmfast::optim {
namespace {

using test::Matrix;
using test::message_of;
using test::Numbers;

using Config = base::Options;

template <class T>
std::unique_ptr<Optimizer<T>> make(const std::string& kind, const Config& config) {
  return registry().make<T>(kind, config);
}

// One parameter of Keras's optimizers, in plain double arithmetic.
struct Scalar {
  double p, slot[2] = {0, 0};
  void sgd(double g, double rate, double momentum, bool nesterov) {
    if (momentum == 0) {
      p -= rate * g;
      return;
    }
    slot[0] = momentum * slot[0] - rate * g;
    p += nesterov ? momentum * slot[0] - rate * g : slot[0];
  }
  void adam(double g, int t, double rate, double b1, double b2, double epsilon) {
    slot[0] += (g - slot[0]) * (1 - b1);
    slot[1] += (g * g - slot[1]) * (1 - b2);
    p -= slot[0] * (rate * std::sqrt(1 - std::pow(b2, t)) / (1 - std::pow(b1, t))) /
         (std::sqrt(slot[1]) + epsilon);
  }
};

using Runs = std::vector<std::pair<index, index>>;  // first element and length

template <class T>
bool clip_runs(const ClipOptions& options, std::vector<T>& gradients, const Runs& all,
               const std::vector<Runs>& parameters, bool check = true) {
  const auto each_of = [](const Runs& runs) {
    return [&runs](auto f) {
      for (const auto& [first, length] : runs) f(first, length);
    };
  };
  return clip(options, gradients.data(), check, each_of(all), [&](auto clip_one) {
    for (const Runs& runs : parameters) clip_one(each_of(runs));
  });
}

// Slots as a caller makes them, and their first elements.
template <class T>
struct SlotMemory {
  std::vector<std::vector<T>> memory;

  SlotMemory(const Optimizer<T>& optimizer, index count) {
    for (const Slot& slot : optimizer.slots()) {
      memory.emplace_back(static_cast<std::size_t>(count), static_cast<T>(slot.initial));
    }
  }
  std::vector<T*> from(index first) {
    std::vector<T*> out;
    for (auto& slot : memory) out.push_back(slot.data() + first);
    return out;
  }
};

// Five steps over every tail and misalignment against the scalar formulas.
template <class T>
void check_steps(const std::string& name, const Config& config,
                 const std::function<void(Scalar&, double, int)>& scalar) {
  const index lanes = kernels::table<T>().lanes;
  for (index count = 1; count <= 2 * lanes + 1; ++count) {
    CAPTURE(name);
    CAPTURE(count);
    const auto optimizer = make<T>(name, config);
    Numbers numbers;
    Matrix<T> p(1, count, 0, count % 3), g(1, count, 0, 1);
    std::vector<Matrix<T>> slots(2, Matrix<T>(1, count, 0, 2));
    for (auto& slot : slots) slot.fill([](index, index) { return 0; });
    p.fill([&](index, index) { return numbers.next(); });
    std::vector<Scalar> expected;
    for (index i = 0; i < count; ++i) expected.push_back({p.at(0, i)});
    T* const pointers[] = {slots[0].data(), slots[1].data()};
    for (int t = 1; t <= 5; ++t) {
      g.fill([&](index, index) { return numbers.next(); });
      for (index i = 0; i < count; ++i)
        scalar(expected[static_cast<std::size_t>(i)], g.at(0, i), t);
      optimizer->begin_step(), optimizer->update(count, p.data(), g.data(), pointers);
      optimizer->end_step();
      CHECK(optimizer->iterations() == t);
    }
    for (index i = 0; i < count; ++i)
      CHECK(p.at(0, i) == doctest::Approx(expected[static_cast<std::size_t>(i)].p)
                              .epsilon(40 * std::numeric_limits<T>::epsilon())
                              .scale(1));
    CHECK(p.guards_intact());
    for (const auto& slot : slots) CHECK(slot.guards_intact());
  }
}

}  // namespace

TEST_CASE_TEMPLATE("optim: steps are Keras's formulas for every tail", T, float, double) {
  check_steps<T>("sgd", {}, [](Scalar& s, double g, int) { s.sgd(g, 0.01, 0, false); });
  check_steps<T>("sgd", {{"learning_rate", 0.1}, {"momentum", 0.9}},
                 [](Scalar& s, double g, int) { s.sgd(g, 0.1, 0.9, false); });
  check_steps<T>("sgd", {{"learning_rate", 0.1}, {"momentum", 0.5}, {"nesterov", true}},
                 [](Scalar& s, double g, int) { s.sgd(g, 0.1, 0.5, true); });
  check_steps<T>("adam", {},
                 [](Scalar& s, double g, int t) { s.adam(g, t, 1e-3, 0.9, 0.999, 1e-7); });
  check_steps<T>("adam",
                 {{"learning_rate", 0.05}, {"beta_1", 0.5}, {"beta_2", 0.9}, {"epsilon", 1e-3}},
                 [](Scalar& s, double g, int t) { s.adam(g, t, 0.05, 0.5, 0.9, 1e-3); });
}

TEST_CASE_TEMPLATE("optim: every tail is as element by element", T, float, double) {
  const index lanes = kernels::table<T>().lanes;
  for (const std::string& name : registry().kinds())
    for (const bool all : {false, true})
      for (index count = 1; count <= 2 * lanes + 1; ++count) {
        CAPTURE(name);
        CAPTURE(count);
        const auto optimizer =
            make<T>(name, {{"momentum", all ? 0.9 : 0.0}, {"amsgrad", all}, {"centered", all}});
        Numbers numbers;
        Matrix<T> p(1, count, 0, count % 3), g(1, count, 0, 1);
        p.fill([&](index, index) { return numbers.next(); });
        std::vector<T> one_by_one(p.data(), p.data() + count);
        std::vector<Matrix<T>> slots;
        std::vector<T*> at;
        for (const Slot& slot : optimizer->slots()) {
          slots.emplace_back(1, count, 0, 2);
          slots.back().fill([&](index, index) { return slot.initial; });
        }
        for (auto& slot : slots) at.push_back(slot.data());
        SlotMemory<T> others(*optimizer, count);
        for (int t = 0; t < 3; ++t) {
          g.fill([&](index, index) { return numbers.next(); });
          optimizer->begin_step();
          optimizer->update(count, p.data(), g.data(), at.data());
          for (index i = 0; i < count; ++i)
            optimizer->update(1, &one_by_one[static_cast<std::size_t>(i)], g.data() + i,
                              others.from(i).data());
          optimizer->end_step();
        }
        for (index i = 0; i < count; ++i)
          CHECK(p.at(0, i) == one_by_one[static_cast<std::size_t>(i)]);
        CHECK(p.guards_intact());
        for (const auto& slot : slots) CHECK(slot.guards_intact());
      }
}

TEST_CASE_TEMPLATE("optim: padding stays zero", T, float, double) {
  for (const std::string& name : registry().kinds()) {
    for (const bool all : {false, true}) {
      const auto optimizer = make<T>(name, {{"momentum", all ? 0.9 : 0.0},
                                            {"epsilon", 0},
                                            {"initial_accumulator_value", 0},
                                            {"amsgrad", all},
                                            {"centered", all},
                                            {"weight_decay", 0.1}});
      std::vector<T> p(37), g(37);
      SlotMemory<T> slots(*optimizer, 37);
      for (int t = 0; t < 3; ++t) {
        optimizer->begin_step(), optimizer->update(37, p.data(), g.data(), slots.from(0).data());
        optimizer->end_step();
      }
      for (const T x : p) CHECK(x == 0);
      for (const auto& slot : slots.memory)
        for (const T x : slot) CHECK(x == 0);
    }
  }
}

TEST_CASE("optim: several blocks, threads and resumption give the same bits") {
  const index count = 100003;
  const int before = base::team::get_num_threads();
  for (const std::string& name : registry().kinds()) {
    Numbers numbers;
    std::vector<float> start(count), g(count);
    for (auto* block : {&start, &g})
      for (float& x : *block) x = static_cast<float>(numbers.next());
    const Config all = {
        {"momentum", 0.9}, {"amsgrad", true}, {"centered", true}, {"weight_decay", 0.1}};
    const auto run = [&](int threads, index cut, bool resume) {
      base::team::set_num_threads(threads);
      auto optimizer = make<float>(name, all);
      std::vector<float> p = start;
      SlotMemory<float> slots(*optimizer, count);
      for (int t = 0; t < 3; ++t) {
        if (resume && t == 2) {
          const auto iterations = optimizer->iterations();
          optimizer = make<float>(name, all);
          optimizer->set_iterations(iterations);
        }
        optimizer->begin_step();
        optimizer->update(cut, p.data(), g.data(), slots.from(0).data());
        optimizer->update(count - cut, p.data() + cut, g.data() + cut, slots.from(cut).data());
        optimizer->end_step();
      }
      return p;
    };
    const std::vector<float> expected = run(1, 0, false);
    CHECK(run(2, 0, false) == expected);
    CHECK(run(3, 777, false) == expected);
    CHECK(run(1, 31, true) == expected);
  }
  base::team::set_num_threads(before);
}

TEST_CASE("optim: errors say what is wrong") {
  const auto message = [](const char* name, const Config& config) {
    return message_of([&] { make<float>(name, config); });
  };
  CHECK(message("adan", {}).find("[optimizer] kind is \"adan\"; expected one of \"sgd\", ") == 0);
  CHECK(message("sgd", {{"momentum", 1.5}}) ==
        "[sgd] momentum is 1.5; expected a number from 0 to 1");
  CHECK(message("adam", {{"beta_2", -0.1}}) ==
        "[adam] beta_2 is -0.1; expected a number from 0 to below 1");
  CHECK(message("adam", {{"epsilon", -1}}) ==
        "[adam] epsilon is -1; expected a number of at least 0");
  CHECK(message("adam", {{"learning_rate", std::nan("")}}).find("learning_rate is nan") !=
        std::string::npos);
  const auto clip = [](const Config& config) {
    return message_of([&] { read_clip(base::OptionReader(config, "clip")); });
  };
  CHECK(clip({{"norm", 1}, {"value", 0.5}}) == "[clip] value is 0.5; expected None next to norm");
  CHECK(clip({{"value", -1}}) == "[clip] value is -1; expected a number above 0, or None");
}

TEST_CASE_TEMPLATE("clip: value, norm and global norm", T, float, double) {
  // two parameters: a of two runs with a zero pad after each, b of one
  const std::vector<T> start = {3, 0, 0, 4, 0, 0, 0, 6, 8};
  const std::vector<Runs> parameters = {{{0, 3}, {3, 3}}, {{6, 3}}};
  const auto clipped = [&](const ClipOptions& options) {
    std::vector<T> g = start;
    CHECK(clip_runs(options, g, {{0, 9}}, parameters));
    return g;
  };
  CHECK(clipped({}) == start);
  CHECK(clipped({5, 0, 0}) == std::vector<T>{3, 0, 0, 4, 0, 0, 0, 5, 5});
  CHECK(clipped({0, 5, 0}) == std::vector<T>{3, 0, 0, 4, 0, 0, 0, 3, 4});
  CHECK(clipped({0, 20, 0}) == start);
  CHECK(clipped({0, 0, 100}) == start);
  CHECK(clipped({0, 2.5, 0}) == std::vector<T>{1.5, 0, 0, 2, 0, 0, 0, 1.5, 2});
  const T factor = T(1 / std::sqrt(125.0));
  CHECK(clipped({0, 0, 1}) ==
        std::vector<T>{3 * factor, 0, 0, 4 * factor, 0, 0, 0, 6 * factor, 8 * factor});
  std::vector<T> g = {-7, 7};
  CHECK(clip_runs<T>({5, 0, 0}, g, {{0, 2}}, {}));
  CHECK(g == std::vector<T>{-5, 5});
  // what lies between ranges has no part, and a parameter may have several runs
  std::vector<T> gap = {3, 100, 4, -9};
  const Runs ends = {{0, 1}, {2, 1}};
  CHECK(clip_runs<T>({0, 0, 1}, gap, ends, {}));
  CHECK(gap == std::vector<T>{T(3 * T(0.2)), 100, T(4 * T(0.2)), -9});
  gap = {3, 100, 4, -9};
  CHECK(clip_runs<T>({0, 1, 0}, gap, ends, {ends}));
  CHECK(gap == std::vector<T>{T(3 * T(0.2)), 100, T(4 * T(0.2)), -9});
  gap[1] = std::numeric_limits<T>::infinity();
  CHECK(clip_runs<T>({}, gap, ends, {}));
}

TEST_CASE_TEMPLATE("clip: large gradients keep their direction", T, float, double) {
  const T big = std::numeric_limits<T>::max() / 2;
  for (const ClipOptions& options : {ClipOptions{0, 5, 0}, ClipOptions{0, 0, 5}}) {
    std::vector<T> g = {big * T(0.75), big, 0};
    CHECK(clip_runs(options, g, {{0, 3}}, {{{0, 3}}}));
    CHECK(g[0] == doctest::Approx(3));
    CHECK(g[1] == doctest::Approx(4));
  }
}

TEST_CASE_TEMPLATE("clip: gradients that are not finite are seen anywhere and left alone", T, float,
                   double) {
  const T infinity = std::numeric_limits<T>::infinity();
  for (const ClipOptions& options :
       {ClipOptions{}, ClipOptions{1, 0, 0}, ClipOptions{0, 1, 0}, ClipOptions{0, 0, 1}})
    for (const T bad : {infinity, -infinity, std::numeric_limits<T>::quiet_NaN()})
      for (const index count : {1, 5, 70, 133})
        for (index at = 0; at < count; ++at) {
          std::vector<T> g(static_cast<std::size_t>(count), T(2));
          g[static_cast<std::size_t>(at)] = bad;
          REQUIRE_FALSE(clip_runs(options, g, {{0, count}}, {{{0, count}}}));
          for (index i = 0; i < count; ++i)
            if (i != at) REQUIRE(g[static_cast<std::size_t>(i)] == 2);
        }
}

}  // namespace lstmfast::optim
