// A small model of every kind of layer with data, for tests of training and files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/trainer.h"
#include "support.h"

namespace lstmfast::test {

using Map = base::Options;

// Two LSTM layers of different options, dropout between, a Dense end. Sequence in, `columns` values
// out.
inline Map model_config(const std::string& dtype, const std::string& last, index columns,
                        double rate = 0.25) {
  return {
      {"dtype", dtype},
      {"input_shape", base::Extents{base::kAnyExtent, 3}},
      {"layers", 4},
      {"layers.0.kind", "lstm"},
      {"layers.0.units", 5},
      {"layers.0.return_sequences", true},
      {"layers.0.peephole", true},
      {"layers.0.coupled", true},
      {"layers.1.kind", "dropout"},
      {"layers.1.rate", rate},
      {"layers.2.kind", "lstm"},
      {"layers.2.units", 6},
      {"layers.2.layer_norm", true},
      {"layers.3.kind", "dense"},
      {"layers.3.units", columns},
      {"layers.3.activation", last},
  };
}

inline Map compile_config(const std::string& loss, const std::string& optimizer = "adam",
                          double rate = 0.01) {
  return {{"loss", loss},
          {"optimizer.kind", optimizer},
          {"optimizer.learning_rate", rate},
          {"metrics", "mae"},
          {"seed", 7}};
}

template <class T>
std::vector<T> logical(const layers::Parameter& parameter, const T* flat) {
  std::vector<T> out(static_cast<std::size_t>(parameter.count()));
  parameter.export_to(flat, out.data());
  return out;
}

// f(owner, parameter) of all weights of a model.
template <class T, class F>
void for_each_weight(const model::Model<T>& model, F f) {
  for (const model::Owned<T>& each : model.definition().parameters) {
    for (const layers::Parameter& parameter : each.parameters->list()) {
      f(*each.parameters, parameter);
    }
  }
}

// Every weight of a model, one after the other.
template <class T>
std::vector<T> weights(const model::Model<T>& model) {
  std::vector<T> out;
  for_each_weight(model, [&](const auto& owner, const layers::Parameter& parameter) {
    const std::vector<T> part = logical<T>(parameter, owner.values());
    out.insert(out.end(), part.begin(), part.end());
  });
  return out;
}

template <class T>
std::unique_ptr<model::Model<T>> make_model(const Map& config) {
  auto out = std::make_unique<model::Model<T>>(model::read_definition<T>(config));
  Numbers numbers;
  for_each_weight(*out, [&](const auto& owner, const layers::Parameter& parameter) {
    std::vector<T> values(static_cast<std::size_t>(parameter.count()));
    for (T& value : values) value = static_cast<T>(0.5 * numbers.next());
    parameter.import_from(values.data(), owner.values());
  });
  return out;
}

template <class T>
model::History fit(model::Model<T>& model, const model::Examples<T>& train,
                   const model::FitOptions& options, const model::Callbacks& callbacks = {},
                   const model::Examples<T>* validation = nullptr) {
  model::History history;
  model::fit(model, train, validation, options, callbacks, history);
  return history;
}

// `count` samples of `steps` steps of 3 values; targets of `columns` values of 0 .. 1.
template <class T>
struct Problem {
  std::vector<T> x, y;
  model::Examples<T> examples;

  Problem(index count, index steps, index columns) {
    Numbers numbers;
    for (index i = 0; i < count * steps * 3; ++i) x.push_back(static_cast<T>(numbers.next()));
    for (index i = 0; i < count * columns; ++i) {
      y.push_back(static_cast<T>(0.5 + 0.5 * numbers.next()));
    }
    examples.in = {{{x.data(), nullptr, {steps, 3}}}, count};
    examples.targets = {{y.data(), {count, columns}}};
  }
};

}  // namespace lstmfast::test
