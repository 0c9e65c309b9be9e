// Decoding and generation: greedy and beams against passes over whole prefixes, their edges, the
// same bits for any number of threads and rows, memory that stays.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "count_allocations.h"
#include "decoding_problem.h"
#include "model/generate.h"
#include "team_helpers.h"

namespace lstmfast::model {
namespace {

using test::DecodingProblem;
using Result = DecodingProblem::Result;
constexpr index kSamples = DecodingProblem::kSamples, kTokens = DecodingProblem::kTokens;
constexpr index kHidden = DecodingProblem::kHidden, kFeatures = DecodingProblem::kFeatures;

DecodingOptions options_of(index length, index beams = 1, std::int32_t stop = kNoToken) {
  DecodingOptions out;
  out.length = length;
  out.beams = beams;
  out.start = 1;
  out.stop = stop;
  return out;
}

// The decoder's output for the last step of a prefix, of tokens or values, by predict().
std::vector<float> after(const DecodingProblem& p, index sample, const std::vector<float>& prefix) {
  Samples<float> one = p.samples;
  one.count = 1;
  one.inputs[0].values += sample * DecodingProblem::kSteps * kFeatures;
  std::vector<float> h(kHidden), c(kHidden), all(DecodingProblem::kSteps * kHidden);
  p.encoder->predict(one, 1, {h.data(), c.data(), all.data()});
  const std::vector<std::int32_t> ids(prefix.begin(), prefix.end());
  const index size = p.takes_tokens ? 1 : kFeatures;
  const index steps = static_cast<index>(prefix.size()) / size;
  const float* const values = p.takes_tokens ? nullptr : prefix.data();
  Samples<float> given;
  given.count = 1;
  given.inputs = {{values, p.takes_tokens ? ids.data() : nullptr,
                   p.takes_tokens ? layers::Shape{steps} : layers::Shape{steps, kFeatures}},
                  {h.data(), nullptr, {kHidden}},
                  {c.data(), nullptr, {kHidden}},
                  {all.data(), nullptr, {DecodingProblem::kSteps, kHidden}}};
  const index columns = p.takes_tokens ? kTokens : kFeatures;
  std::vector<float> y(static_cast<std::size_t>(steps * columns));
  p.decoder->predict(given, 1, {y.data()});
  return {y.end() - columns, y.end()};
}

TEST_CASE("greedy decoding is repeated predict") {
  const DecodingProblem p(true);
  const Result found = p.decoded(options_of(6));
  for (index b = 0; b < kSamples; ++b) {
    std::vector<float> prefix{1};
    double score = 0;
    for (index t = 0; t < 6; ++t) {
      const std::vector<float> y = after(p, b, prefix);
      const auto best = std::max_element(y.begin(), y.end());
      score += std::log(static_cast<double>(*best));
      prefix.push_back(static_cast<float>(best - y.begin()));
      CHECK(found.ids[std::size_t(b * 6 + t)] == best - y.begin());
    }
    CHECK(found.scores[std::size_t(b)] == score);
  }
}

TEST_CASE("decoded values are repeated predict") {
  const DecodingProblem p(false);
  const Result found = p.decoded(options_of(5));
  for (index b = 0; b < kSamples; ++b) {
    std::vector<float> prefix(kFeatures, 1.0F);
    for (index t = 0; t < 5; ++t) {
      const std::vector<float> y = after(p, b, prefix);
      CHECK(std::equal(y.begin(), y.end(), found.values.begin() + (b * 5 + t) * kFeatures));
      prefix.insert(prefix.end(), y.begin(), y.end());
    }
  }
}

// The best score of all continuations of a prefix up to so many tokens; stop ends one.
double best_of_all(const DecodingProblem& p, index sample, std::vector<float> prefix, double before,
                   index left, std::int32_t stop) {
  const std::vector<float> y = after(p, sample, prefix);
  double best = -std::numeric_limits<double>::infinity();
  prefix.push_back(0);
  for (std::int32_t token = 0; token < kTokens; ++token) {
    const double score = before + std::log(static_cast<double>(y[std::size_t(token)]));
    prefix.back() = static_cast<float>(token);
    const bool ends = token == stop || left == 1;
    best = std::max(best, ends ? score : best_of_all(p, sample, prefix, score, left - 1, stop));
  }
  return best;
}

TEST_CASE("beams wider than the vocabulary find the best of all sequences") {
  const DecodingProblem p(true);
  for (const std::int32_t stop : {kNoToken, 2}) {
    const Result found = p.decoded(options_of(3, 80, stop));
    for (index b = 0; b < kSamples; ++b) {
      CHECK(found.scores[std::size_t(b)] == best_of_all(p, b, {1}, 0, 3, stop));
    }
    CHECK(p.decoded(options_of(3, 1000, stop)) == found);
  }
}

TEST_CASE("one step is the likeliest token, for any number of beams") {
  const DecodingProblem p(true);
  const Result greedy = p.decoded(options_of(1));
  for (const index beams : {2, 4, 9}) CHECK(p.decoded(options_of(1, beams)) == greedy);
}

TEST_CASE("all that ends early is followed by the stop token, or padding") {
  const DecodingProblem p(true);
  const Result whole = p.decoded(options_of(8));
  for (const index beams : {1, 3}) {
    for (std::int32_t stop = 0; stop < kTokens; ++stop) {  // 1 is the start token too
      DecodingOptions options = options_of(8, beams, stop);
      const Result found = p.decoded(options);
      options.length = 200;
      const Result longer = p.decoded(options);
      for (index b = 0; b < kSamples; ++b) {
        const auto row = found.ids.begin() + b * 8;
        const auto end = std::find(row, row + 8, stop);
        CHECK(std::all_of(end, row + 8, [&](std::int32_t id) { return id == stop; }));
        if (beams > 1) continue;
        CHECK(std::equal(row, end, whole.ids.begin() + b * 8));
        CHECK(std::equal(row, row + 8, longer.ids.begin() + b * 200));
      }
    }
  }
  DecodingOptions padded = options_of(8, 2, 2);
  padded.padding = 0;
  const Result found = p.decoded(padded);
  for (index b = 0; b < kSamples; ++b) {
    const auto row = found.ids.begin() + b * 8, end = std::find(row, row + 8, 2);
    CHECK(std::find(row, end, 0) == end);
    if (end != row + 8) CHECK(std::count(end + 1, row + 8, 0) == row + 8 - (end + 1));
  }
}

TEST_CASE("decoding has the same bits for any number of threads and rows") {
  for (const bool tokens : {true, false}) {
    const DecodingProblem p(tokens);
    const DecodingOptions options = options_of(6, tokens ? 3 : 1, tokens ? 2 : kNoToken);
    const Result expected = p.decoded(options);
    for (const int n : {1, 2, 3}) {
      const base::Threads threads(n);
      for (const index batch : {1, 2, 3, 100}) CHECK(p.decoded(options, batch) == expected);
    }
  }
}

TEST_CASE("a step of a warm decoding takes no memory") {
  const DecodingProblem p(true);
  p.decoded(options_of(40, 3));
  const auto taken = [&](index length, index batch) {
    Result out;
    out.ids.resize(static_cast<std::size_t>(kSamples * length));
    const DecodingOptions options = options_of(length, 3);
    const long before = test::allocations;
    decode<float>(*p.encoder, *p.decoder, p.samples, batch, options,
                  {out.ids.data(), nullptr, nullptr});
    return test::allocations - before;
  };
  taken(2, kSamples);
  const long once = taken(2, kSamples);
  CHECK(taken(40, kSamples) == once);
  CHECK(taken(40, 1) == once);
}

TEST_CASE("what decoding refuses") {
  const DecodingProblem p(true), values(false);
  const auto refused = [](const auto& call, const char* problem) {
    CHECK(test::message_of(call).find(problem) != std::string::npos);
  };
  DecodingOptions none = options_of(1);
  none.length = 0;
  refused([&] { p.decoded(none); }, "[model.decode] expected at least one step, beam and sample");
  refused([&] { p.decoded(options_of(2, 0)); }, "expected at least one step, beam and sample");
  DecodingOptions unknown = options_of(2, 1, 4);
  refused([&] { p.decoded(unknown); }, "start, stop or padding is no token; expected 0 to 3");
  unknown = options_of(2);
  unknown.start = -1;
  refused([&] { p.decoded(unknown); }, "start, stop or padding is no token");
  refused([&] { decode<float>(*p.encoder, *p.encoder, p.samples, 1, options_of(2), {}); },
          "the decoder has 1 inputs and 3 outputs; expected one more input than the encoder's 3 "
          "outputs, and one output");
}

TEST_CASE("generation has the same bits for any number of threads and rows") {
  const auto model = test::make_model<float>({{"input_shape", base::Extents{base::kAnyExtent}},
                                              {"layers", 3},
                                              {"layers.0.kind", "embedding"},
                                              {"layers.0.input_dim", 9},
                                              {"layers.0.output_dim", 5},
                                              {"layers.1.kind", "lstm"},
                                              {"layers.1.units", 12},
                                              {"layers.1.learn_initial_state", true},
                                              {"layers.2.kind", "dense"},
                                              {"layers.2.units", 9},
                                              {"layers.2.activation", "softmax"}});
  GenerateOptions options;
  options.length = 12;
  options.seed = 3;
  const std::vector<std::int32_t> prompts = {1, 2, 3, 4, 5, 6, 7, 8, 0, 1};
  const auto made = [&](std::vector<index> lengths) {
    Prompts<float> given;
    given.ids = prompts.data();
    given.lengths = std::move(lengths);
    std::vector<std::int32_t> out(given.lengths.size() * 12, -1);
    Generator<float> generator(*model, options, given);
    generator.run(out.data(), nullptr);
    return out;
  };
  const std::vector<std::int32_t> expected = made({3, 1, 6});
  CHECK(std::count(expected.begin(), expected.end(), -1) == 0);
  for (const int n : {1, 2, 3}) {
    const base::Threads threads(n);
    CHECK(made({3, 1, 6}) == expected);
    const std::vector<std::int32_t> fewer = made({3, 1});
    CHECK(std::equal(fewer.begin(), fewer.end(), expected.begin()));
  }
}

}  // namespace
}  // namespace lstmfast::model
