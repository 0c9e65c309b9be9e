#include "model/decoding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/denormals.h"

namespace lstmfast::model {
namespace {

constexpr const char* kOp = "model.decode";

struct Hypothesis {
  double log_probability;
  index length;
  unsigned char alive, ended;

  double score(double alpha) const {
    const double tokens = static_cast<double>(length);
    return log_probability / std::pow((5 + tokens) / 6, alpha);
  }
};

// A hypothesis of the step before, and the token that continues it.
struct Continuation {
  Hypothesis made;
  double score;
  std::int32_t parent, token;
};

// Adds to a list of the best, in descending order; of equal ones the first stays first.
template <class Item, class Score>
void keep_best(Item* best, index& count, index most, const Item& item, const Score& score) {
  if (count == most && !(score(item) > score(best[count - 1]))) return;
  index at = count < most ? count++ : count - 1;
  for (; at > 0 && score(item) > score(best[at - 1]); --at) best[at] = best[at - 1];
  best[at] = item;
}

template <class T>
class Decoder {
 public:
  Decoder(const Model<T>& encoder, const Model<T>& decoder, const Samples<T>& samples, index batch,
          const DecodingOptions& options)
      : options_(options),
        samples_(samples),
        graph_(*decoder.definition().graph),
        beams_(options.beams),
        rows_(batch * options.beams),
        encoding_(encoder.pool()),
        decoding_(decoder.pool()) {
    encoded_ = encoder.shapes(kOp, samples)->outputs;
    states_.resize(static_cast<std::size_t>(graph_.outputs() - 1));
    LF_CHECK(graph_.inputs() == static_cast<index>(encoded_.size()) + 1 &&
                 states_.size() <= encoded_.size(),
             "[" << kOp << "] the decoder has " << graph_.inputs() << " inputs and "
                 << graph_.outputs() << " outputs; expected one more input than the encoder's "
                 << encoded_.size() << " outputs");
    takes_ids_ = graph_.elements(0).ids > 0;
    layers::Shapes inputs{graph_.declared_shape(0)};
    inputs.insert(inputs.end(), encoded_.begin(), encoded_.end());
    const layers::Shapes outputs = graph_.output_shapes(inputs);
    columns_ = outputs[0].features();
    step_ = inputs[0].count();
    const bool fits = takes_ids_ ? columns_ <= graph_.elements(0).ids : columns_ == step_;
    bool plain = graph_.elements(0).values != takes_ids_;
    for (index k = 1; k < graph_.inputs(); ++k) plain = plain && graph_.elements(k).ids == 0;
    LF_CHECK(plain, "[" << kOp << "] the decoder takes ids next to values; expected tokens in one "
                        << "input and values in the others");
    LF_CHECK(fits && inputs[0].sizes[0] == 1 && outputs[0].rows() == 1,
             "[" << kOp << "] the decoder takes a step of shape " << inputs[0].text()
                 << " and returns " << outputs[0].text() << "; expected what it can take again");
    const auto known = [&](double token) {
      return !takes_ids_ ||
             (token >= kNoToken && token < static_cast<double>(graph_.elements(0).ids));
    };
    LF_CHECK(known(options.start) && (!takes_ids_ || options.start >= 0) && known(options.stop) &&
                 known(options.padding),
             "[" << kOp << "] start, stop or padding is no token; expected 0 to "
                 << graph_.elements(0).ids - 1);
    for (std::size_t k = 0; k < states_.size(); ++k) {
      LF_CHECK(outputs[k + 1] == encoded_[k], "[" << kOp << "] state " << k << " has shape "
                                                  << outputs[k + 1].text() << "; expected "
                                                  << encoded_[k].text());
    }
    rest_.resize(encoded_.size() - states_.size());
    encoding_->plan(encoder.shapes(kOp, samples)->inputs, batch, false);
    decoding_->plan(inputs, rows_, false);
    place(batch);
  }

  // Decodes samples first .. first + count - 1. Returns true if the tick stopped it.
  bool run(index first, index count, const Decoded<T>& out, const Callbacks& callbacks,
           TickClock& clock) {
    rows_ = count * beams_;
    begin(first, count);
    index step = 0;
    for (bool more = true; more && step < options_.length; ++step) {
      forward();
      if (takes_ids_) {
        more = choose(step, count, first);
      } else {
        std::copy_n(output_, rows_ * step_, fed_);
        for (index b = 0; b < count; ++b) {
          const index at = (first + b) * options_.length + step;
          std::copy_n(output_ + b * step_, step_, out.values + at * step_);
        }
        for (State& state : states_) std::swap(state.now, state.next);
      }
      if (callbacks.tick != nullptr && clock.due() &&
          callbacks.tick(callbacks.context, {0, 0, 0, {nullptr, nullptr, 0}})) {
        return true;
      }
    }
    if (takes_ids_) trace(first, count, step, out);
    return false;
  }

 private:
  struct State {
    T *now = nullptr, *next = nullptr;  // [rows][size]
    index size = 0;
  };
  struct Rest {
    T* values = nullptr;  // [rows][shape]
    unsigned char* mask = nullptr;
    index size = 0, steps = 0;
  };

  void place(index batch) {
    for (std::size_t k = 0; k < states_.size(); ++k) states_[k].size = encoded_[k].count();
    for (std::size_t k = 0; k < rest_.size(); ++k) {
      const layers::Shape& shape = encoded_[k + states_.size()];
      rest_[k].size = shape.count();
      rest_[k].steps = shape.rows();
    }
    outputs_.resize(encoded_.size());
    encoding_->arrange([&](const auto& place) {
      for (std::size_t k = 0; k < encoded_.size(); ++k) {
        place(outputs_[k], batch * encoded_[k].count());
      }
    });
    decoding_->arrange([&](const auto& place) {
      for (State& state : states_) {
        place(state.now, rows_ * state.size);
        place(state.next, rows_ * state.size);
      }
      for (Rest& rest : rest_) {
        place(rest.values, rows_ * rest.size);
        place(rest.mask, rows_ * rest.steps);
      }
      place(output_, rows_ * columns_);
      place(fed_, rows_ * step_, !takes_ids_);
      place(ids_, rows_, takes_ids_);
      place(tokens_, rows_ * options_.length, takes_ids_);
      place(parents_, rows_ * options_.length, takes_ids_);
      place(hypotheses_, rows_, takes_ids_);
      place(best_, beams_, takes_ids_);
      place(likeliest_, beams_, takes_ids_);
    });
  }

  // Each row of a batch becomes the rows of its hypotheses.
  template <class E>
  void spread(index count, index size, const E* from, E* to) const {
    for (index r = 0; r < count * beams_; ++r)
      std::copy_n(from + r / beams_ * size, size, to + r * size);
  }

  void begin(index first, index count) {
    layers::Pass<T> pass;
    pass.batch = count;
    encoding_->read(samples_, first);
    for (std::size_t k = 0; k < encoded_.size(); ++k) {
      encoding_->out(k) = {outputs_[k], nullptr, nullptr, nullptr};
    }
    const base::FlushDenormals flush;
    encoding_->forward(pass);
    for (std::size_t k = 0; k < states_.size(); ++k) {
      spread(count, states_[k].size, outputs_[k], states_[k].now);
    }
    for (std::size_t k = 0; k < rest_.size(); ++k) {
      const std::size_t from = k + states_.size();
      const unsigned char* const mask = encoding_->out(from).mask;
      spread(count, rest_[k].size, outputs_[from], rest_[k].values);
      if (mask != nullptr) spread(count, rest_[k].steps, mask, rest_[k].mask);
      decoding_->in(from + 1) = {rest_[k].values, nullptr,
                                 mask != nullptr ? rest_[k].mask : nullptr, nullptr};
    }
    if (!takes_ids_)
      return std::fill_n(fed_, rows_ * step_, static_cast<T>(options_.start)), void();
    std::fill_n(ids_, rows_, static_cast<std::int32_t>(options_.start));
    for (index r = 0; r < rows_; ++r) {  // hypotheses begin alike: one of them is enough
      hypotheses_[r] = {0, 0, static_cast<unsigned char>(r % beams_ == 0), 0};
    }
  }

  void forward() {
    layers::Pass<T> pass;
    pass.batch = rows_;
    decoding_->in(0) = {fed_, ids_, nullptr, nullptr};
    decoding_->out(0) = {output_, nullptr, nullptr, nullptr};
    for (std::size_t k = 0; k < states_.size(); ++k) {
      decoding_->in(k + 1) = {states_[k].now, nullptr, nullptr, nullptr};
      decoding_->out(k + 1) = {states_[k].next, nullptr, nullptr, nullptr};
    }
    const base::FlushDenormals flush;
    decoding_->forward(pass);
  }

  // Chooses hypotheses and moves their states. Returns whether one of them goes on.
  bool choose(index step, index count, index first) {
    bool more = false;
    for (index b = 0; b < count; ++b) {
      const index found = continuations(b * beams_);
      LF_CHECK(found > 0, "[" << kOp << "] the decoder's outputs for sample " << first + b
                              << " are not numbers in step " << step);
      for (index w = 0; w < beams_; ++w) {
        const index row = b * beams_ + w;
        const Continuation& chosen = best_[std::min(w, found - 1)];
        hypotheses_[row] = chosen.made;
        hypotheses_[row].alive = w < found;
        ids_[row] = chosen.token;
        tokens_[step * rows_ + row] = chosen.token;
        parents_[step * rows_ + row] = chosen.parent;
        more = more || (w < found && chosen.made.ended == 0);
        for (State& state : states_) {
          std::copy_n(state.next + chosen.parent * state.size, state.size,
                      state.now + row * state.size);
        }
      }
    }
    return more;
  }

  // Puts the best continuations of a sample, whose first row this is, into best_.
  index continuations(index first) {
    index found = 0;
    const auto score = [](const Continuation& each) { return each.score; };
    for (index row = first; row < first + beams_; ++row) {
      const Hypothesis& own = hypotheses_[row];
      if (own.alive == 0) continue;
      const auto add = [&](const Hypothesis& made, std::int32_t token) {
        keep_best(
            best_, found, beams_,
            {made, made.score(options_.length_penalty), static_cast<std::int32_t>(row), token},
            score);
      };
      if (own.ended != 0) {
        add(own, after_end());
        continue;
      }
      const T* const probabilities = output_ + row * columns_;
      index likely = 0;
      const auto probability = [&](std::int32_t token) { return probabilities[token]; };
      for (std::int32_t token = 0; token < static_cast<std::int32_t>(columns_); ++token) {
        if (token == options_.padding || std::isnan(probabilities[token])) continue;
        keep_best(likeliest_, likely, beams_, token, probability);
      }
      for (index i = 0; i < likely; ++i) {
        const double more = std::log(static_cast<double>(probabilities[likeliest_[i]]));
        const bool ends = likeliest_[i] == options_.stop;
        add({own.log_probability + more, own.length + 1, 1, static_cast<unsigned char>(ends)},
            likeliest_[i]);
      }
    }
    return found;
  }

  std::int32_t after_end() const {
    return options_.padding != kNoToken ? options_.padding : options_.stop;
  }

  // Writes the best sequence of each sample, which ends the first of its rows.
  void trace(index first, index count, index steps, const Decoded<T>& out) const {
    for (index b = 0; b < count; ++b) {
      std::int32_t* const ids = out.ids + (first + b) * options_.length;
      std::fill(ids + steps, ids + options_.length, after_end());
      index row = b * beams_;
      if (out.scores != nullptr)
        out.scores[first + b] = hypotheses_[row].score(options_.length_penalty);
      for (index step = steps; step-- > 0;) {
        ids[step] = tokens_[step * rows_ + row];
        row = parents_[step * rows_ + row];
      }
    }
  }

  const DecodingOptions& options_;
  const Samples<T>& samples_;
  const layers::Graph<T>& graph_;
  const index beams_;
  index rows_;  // of the running batch
  typename Pool<PassMemory<T>>::Lease encoding_, decoding_;
  layers::Shapes encoded_;
  bool takes_ids_ = false;
  index columns_ = 0, step_ = 0;  // of a step: outputs and inputs
  std::vector<T*> outputs_;       // of the encoder [batch][shape]
  std::vector<State> states_;
  std::vector<Rest> rest_;
  T *output_ = nullptr, *fed_ = nullptr;
  std::int32_t *ids_ = nullptr, *tokens_ = nullptr, *parents_ = nullptr;  // the latter by step, row
  Hypothesis* hypotheses_ = nullptr;                                      // by row
  Continuation* best_ = nullptr;                                          // of one sample
  std::int32_t* likeliest_ = nullptr;                                     // of one hypothesis
};

}  // namespace

template <class T>
void decode(const Model<T>& encoder, const Model<T>& decoder, const Samples<T>& samples,
            index batch_size, const DecodingOptions& options, const Decoded<T>& out,
            const Callbacks& callbacks) {
  encoder.check_ids(kOp, samples);
  LF_CHECK(options.length >= 1 && options.beams >= 1 && batch_size >= 1,
           "[" << kOp << "] expected at least one step, beam and sample at a time");
  const index batch = std::max<index>(1, std::min(batch_size, samples.count));
  Decoder<T> all(encoder, decoder, samples, batch, options);
  TickClock clock;
  for (index first = 0; first < samples.count; first += batch) {
    const index count = std::min(batch, samples.count - first);
    if (all.run(first, count, out, callbacks, clock)) return;
  }
}

template void decode(const Model<float>&, const Model<float>&, const Samples<float>&, index,
                     const DecodingOptions&, const Decoded<float>&, const Callbacks&);
template void decode(const Model<double>&, const Model<double>&, const Samples<double>&, index,
                     const DecodingOptions&, const Decoded<double>&, const Callbacks&);

}  // namespace lstmfast::model
