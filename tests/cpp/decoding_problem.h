// A small encoder and decoder with attention, of tokens or values, for tests of decoding.
#pragma once

#include <memory>
#include <vector>

#include "model/decoding.h"
#include "model_problem.h"

namespace lstmfast::test {

struct DecodingProblem {
  static constexpr index kSamples = 5, kSteps = 4, kTokens = 4, kHidden = 6, kFeatures = 3;

  explicit DecodingProblem(bool tokens) : takes_tokens(tokens) {
    Numbers numbers;
    const Map lstm = {{"kind", "lstm"}, {"units", kHidden}, {"return_sequences", true}};
    auto source = std::make_shared<Graph>();
    source->add_input({layers::kAnySize, kFeatures}, "x");
    const index read = add(*source, lstm, {{0, 0}});
    source->set_outputs({{read, 1}, {read, 2}, {read, 0}});
    encoder = made(source, numbers);

    auto target = std::make_shared<Graph>();
    const layers::Shape step =
        tokens ? layers::Shape{layers::kAnySize} : layers::Shape{layers::kAnySize, kFeatures};
    target->add_input(step, "before");
    target->add_input({kHidden}, "h");
    target->add_input({kHidden}, "c");
    target->add_input({layers::kAnySize, kHidden}, "steps");
    index x = 0;
    if (tokens) {
      x = add(*target, {{"kind", "embedding"}, {"input_dim", kTokens}, {"output_dim", 5}},
              {{0, 0}});
    }
    const index written = add(*target, lstm, {{x, 0}, {1, 0}, {2, 0}});
    const index found = add(*target, {{"kind", "attention"}}, {{written, 0}, {3, 0}, {3, 0}});
    const index both = add(*target, {{"kind", "concatenate"}}, {{found, 0}, {written, 0}});
    const index end = add(*target,
                          {{"kind", "dense"},
                           {"units", tokens ? kTokens : kFeatures},
                           {"activation", tokens ? "softmax" : "linear"}},
                          {{both, 0}});
    target->set_outputs({{end, 0}});
    decoder = made(target, numbers);

    for (index i = 0; i < kSamples * kSteps * kFeatures; ++i) {
      x_.push_back(static_cast<float>(numbers.next()));
    }
    samples.count = kSamples;
    samples.inputs = {{x_.data(), nullptr, {kSteps, kFeatures}}};
  }

  struct Result {
    std::vector<std::int32_t> ids;
    std::vector<float> values;
    std::vector<double> scores;
    bool operator==(const Result& other) const {
      return ids == other.ids && values == other.values && scores == other.scores;
    }
  };
  Result decoded(const model::DecodingOptions& options, index batch = kSamples) const {
    const auto count = static_cast<std::size_t>(kSamples * options.length);
    Result out;
    out.ids.resize(takes_tokens ? count : 0);
    out.values.resize(takes_tokens ? 0 : count * kFeatures);
    out.scores.resize(kSamples);
    model::decode<float>(*encoder, *decoder, samples, batch, options,
                         {out.ids.data(), out.values.data(), out.scores.data()});
    return out;
  }

  const bool takes_tokens;
  std::unique_ptr<model::Model<float>> encoder, decoder;
  model::Samples<float> samples;

 private:
  using Graph = layers::Graph<float>;
  static index add(Graph& graph, const Map& layer, const std::vector<layers::Place>& inputs) {
    return graph.add_node(layers::Layer<float>::make(base::OptionReader(layer, "test")), inputs);
  }
  static std::unique_ptr<model::Model<float>> made(const std::shared_ptr<Graph>& graph,
                                                   Numbers& numbers) {
    auto out = std::make_unique<model::Model<float>>(model::Definition<float>(graph));
    for_each_weight(*out, [&](const auto& owner, const layers::Parameter& parameter) {
      std::vector<float> values(static_cast<std::size_t>(parameter.count()));
      for (float& value : values) value = static_cast<float>(numbers.next());
      parameter.import_from(values.data(), owner.values());
    });
    return out;
  }

  std::vector<float> x_;
};

}  // namespace lstmfast::test
