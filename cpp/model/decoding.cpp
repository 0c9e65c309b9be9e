#include "model/decoding.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/denormals.h"
#include "base/interrupt.h"

namespace lstmfast::model {
namespace {

constexpr const char* kOp = "model.decode";

constexpr double kFlopsOfChoice = 4;  // of an output of a hypothesis

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
  index parent;
  std::int32_t token;
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
        encoder_(encoder),
        samples_(samples),
        beams_(options.beams),
        rows_(batch * options.beams),
        encoding_(encoder.pool()),
        stepper_(decoder.steppers()) {
    const auto shapes = encoder.shapes(kOp, samples);
    const layers::Shapes& encoded = shapes->outputs;
    const layers::Graph<T>& graph = *decoder.definition().graph;
    LF_CHECK(graph.inputs() == static_cast<index>(encoded.size()) + 1 && graph.outputs() == 1,
             "[" << kOp << "] the decoder has " << graph.inputs() << " inputs and "
                 << graph.outputs() << " outputs; expected one more input than the encoder's "
                 << encoded.size() << " outputs, and one output");
    const index tokens = graph.elements(0).ids;
    takes_ids_ = tokens > 0;
    bool plain = graph.elements(0).values != takes_ids_;
    for (index k = 1; k < graph.inputs(); ++k) plain = plain && graph.elements(k).ids == 0;
    LF_CHECK(plain, "[" << kOp << "] the decoder takes ids next to values; expected tokens in one "
                        << "input and values in the others");
    const auto known = [&](double token) {
      return !takes_ids_ || (token >= kNoToken && token < static_cast<double>(tokens));
    };
    LF_CHECK(known(options.start) && (!takes_ids_ || options.start >= 0) && known(options.stop) &&
                 known(options.padding),
             "[" << kOp << "] start, stop or padding is no token; expected 0 to " << tokens - 1);
    encoding_->plan(shapes->inputs, batch, false);
    std::vector<std::optional<layers::Shape>> fixed{std::nullopt};
    fixed.insert(fixed.end(), encoded.begin(), encoded.end());
    stepper_->plan(rows_, fixed);
    layers::Shapes inputs{stepper_->in_shape(0)};
    inputs.insert(inputs.end(), encoded.begin(), encoded.end());
    const layers::Shape& output = stepper_->out_shape(0);
    columns_ = output.features();
    step_ = inputs[0].count();
    LF_CHECK((takes_ids_ ? columns_ <= tokens : columns_ == step_) && output.rows() == 1,
             "[" << kOp << "] the decoder takes a step of shape " << inputs[0].text()
                 << " and returns " << output.text() << "; expected what it can take again");
    flops_ = graph.flops(inputs);
    place(encoded);
  }

  // Decodes samples first .. first + count - 1.
  void run(index first, index count, const Decoded<T>& out) {
    begin(first, count);
    index step = 0;
    for (bool more = true; more && step < options_.length; ++step) {
      stepper_->step();
      if (takes_ids_) {
        more = choose(step, count, first);
      } else {
        std::copy_n(stepper_->out(0), rows_ * step_, fed_);
        for (index b = 0; b < count; ++b) {
          const index at = (first + b) * options_.length + step;
          std::copy_n(fed_ + b * step_, step_, out.values + at * step_);
        }
      }
      point_.pass(flops_ * static_cast<double>(rows_));
    }
    if (takes_ids_) trace(first, count, step, out);
  }

 private:
  // An output of the encoder, which the decoder looks at in every step or begins with.
  struct Given {
    T* values = nullptr;            // [rows][size]
    unsigned char* mask = nullptr;  // [rows][steps]
    index size, steps;
  };

  void place(const layers::Shapes& encoded) {
    for (const layers::Shape& shape : encoded) {
      given_.push_back({nullptr, nullptr, shape.count(), shape.rows()});
    }
    encoding_->arrange([&](const auto& place) {
      for (Given& each : given_) {
        place(each.values, rows_ * each.size);
        place(each.mask, rows_ * each.steps);
      }
      place(fed_, rows_ * step_, !takes_ids_);
      place(ids_, rows_, takes_ids_);
      place(tokens_, rows_ * options_.length, takes_ids_);
      place(parents_, rows_ * options_.length, takes_ids_);
      place(hypotheses_, rows_, takes_ids_);
      place(best_, beams_, takes_ids_);
      place(likeliest_, beams_, takes_ids_);
    });
    stepper_->in(0) = {fed_, ids_, nullptr, nullptr};
  }

  // Each row of a batch becomes the rows of its hypotheses; `from` and `to` may be the same array.
  template <class E>
  void spread(index size, const E* from, E* to) const {
    for (index r = rows_; r-- > 0;) std::copy_n(from + r / beams_ * size, size, to + r * size);
  }

  void begin(index first, index count) {
    rows_ = count * beams_;
    stepper_->begin_first(rows_);
    layers::Pass<T> pass;
    pass.batch = count;
    encoder_.draw(pass);
    encoding_->read(samples_, first);
    for (std::size_t k = 0; k < given_.size(); ++k) {
      encoding_->out(k) = {given_[k].values, nullptr, nullptr, nullptr};
    }
    const base::FlushDenormals flush;
    encoding_->forward(pass);
    for (std::size_t k = 0; k < given_.size(); ++k) {
      const Given& each = given_[k];
      const unsigned char* const mask = encoding_->out(k).mask;
      spread(each.size, each.values, each.values);
      if (mask != nullptr) spread(each.steps, mask, each.mask);
      stepper_->in(k + 1) = {each.values, nullptr, mask != nullptr ? each.mask : nullptr, nullptr};
    }
    if (!takes_ids_)
      return std::fill_n(fed_, rows_ * step_, static_cast<T>(options_.start)), void();
    std::fill_n(ids_, rows_, static_cast<std::int32_t>(options_.start));
    for (index r = 0; r < rows_; ++r) {  // hypotheses begin alike: one of them is enough
      hypotheses_[r] = {0, 0, static_cast<unsigned char>(r % beams_ == 0), 0};
    }
  }

  // Chooses hypotheses and moves their states. Returns whether one of them goes on.
  bool choose(index step, index count, index first) {
    bool more = false;
    for (index b = 0; b < count; ++b) {
      const index found = continuations(b * beams_);
      point_.pass(kFlopsOfChoice * static_cast<double>(beams_ * columns_));
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
      }
    }
    if (beams_ > 1) stepper_->gather(parents_ + step * rows_);
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
        keep_best(best_, found, beams_, {made, made.score(options_.length_penalty), row, token},
                  score);
      };
      if (own.ended != 0) {
        add(own, after_end());
        continue;
      }
      const T* const probabilities = stepper_->out(0) + row * columns_;
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
  const Model<T>& encoder_;
  const Samples<T>& samples_;
  const index beams_;
  index rows_;  // of the running batch
  typename Pool<PassMemory<T>>::Lease encoding_;
  typename Pool<Stepper<T>>::Lease stepper_;
  bool takes_ids_ = false;
  index columns_ = 0, step_ = 0;  // of a step: outputs and inputs
  double flops_ = 0;              // of a step of a row
  base::InterruptPoint point_;
  std::vector<Given> given_;                         // by output of the encoder
  T* fed_ = nullptr;                                 // [rows][step]
  std::int32_t *ids_ = nullptr, *tokens_ = nullptr;  // by row; by step and row
  index* parents_ = nullptr;                         // by step and row
  Hypothesis* hypotheses_ = nullptr;                 // by row
  Continuation* best_ = nullptr;                     // of one sample
  std::int32_t* likeliest_ = nullptr;                // of one hypothesis
};

}  // namespace

template <class T>
void decode(const Model<T>& encoder, const Model<T>& decoder, const Samples<T>& samples,
            index batch_size, const DecodingOptions& options, const Decoded<T>& out) {
  encoder.check_ids(kOp, samples);
  LF_CHECK(options.length >= 1 && options.beams >= 1 && batch_size >= 1,
           "[" << kOp << "] expected at least one step, beam and sample at a time");
  const index batch = std::max<index>(1, std::min(batch_size, samples.count));
  Decoder<T> all(encoder, decoder, samples, batch, options);
  for (index first = 0; first < samples.count; first += batch) {
    all.run(first, std::min(batch, samples.count - first), out);
  }
}

template decltype(decode<float>) decode<float>;
template decltype(decode<double>) decode<double>;

}  // namespace lstmfast::model
