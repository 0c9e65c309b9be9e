#include "model/generate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"
#include "base/denormals.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

constexpr const char* kGenerate = "model.generate";

// No layer and no kind of mask has this number, so draws share no stream with them.
constexpr std::uint32_t kName = 0xFFFFFFFDU;

constexpr double kFlopsOfDraw = 100;  // of an id: an exp and a logarithm of double precision

// The layer that computes an output, inside of models and TimeDistributed. Null: it is an input.
template <class T>
const layers::Layer<T>* last_layer(const layers::Graph<T>& graph, index output) {
  const auto [node, port] = graph.output(output);
  const layers::Layer<T>* layer = graph.nodes()[static_cast<std::size_t>(node)].layer.get();
  while (layer != nullptr && layer->kind() == "time_distributed") {
    layer = layer->children()[0].layer.get();
  }
  const auto* const inner = dynamic_cast<const layers::Graph<T>*>(layer);
  return inner != nullptr ? last_layer(*inner, port) : layer;
}

}  // namespace

GenerateOptions read_generate_options(const base::Options& given) {
  static const base::OptionTable table = {
      {base::integer("length", base::kRequired, 1),
       base::number("temperature", 1.0, base::at_least(0)), base::integer("top_k", base::none(), 1),
       base::number("top_p", base::none(), {0, 1, true, false}),
       base::integer("seed", base::kRequired, 0, std::numeric_limits<index>::max()),
       base::flag("from_logits", base::none())}};
  const base::OptionReader reader(given, kGenerate);
  const base::Values values = reader.read(table);
  reader.check_all_used();
  GenerateOptions out;
  out.length = values["length"].integer();
  out.sampling.temperature = values["temperature"].number();
  if (!values["top_k"].none()) out.sampling.top_k = values["top_k"].integer();
  if (!values["top_p"].none()) out.sampling.top_p = values["top_p"].number();
  out.seed = static_cast<std::uint64_t>(values["seed"].integer());
  if (!values["from_logits"].none()) out.from_logits = values["from_logits"].flag();
  return out;
}

template <class T>
Generator<T>::Generator(const Model<T>& model, const GenerateOptions& options,
                        const Prompts<T>& prompts)
    : model_(model),
      graph_(*model.definition().graph),
      options_(options),
      prompts_(prompts),
      rows_(static_cast<index>(prompts.lengths.size())) {
  LF_CHECK(graph_.inputs() == 1,
           "[" << kGenerate << "] the model has " << graph_.inputs() << " inputs; expected 1");
  const layers::Elements elements = graph_.elements(0);
  const bool takes_ids = elements.ids > 0;
  layers::Shape shape = graph_.declared_shape(0);
  LF_CHECK(shape.rank == (takes_ids ? 1 : 2) && elements.values != takes_ids,
           "[" << kGenerate << "] the model takes samples of shape " << shape.text()
               << "; expected steps, as ids for Embedding or as (steps, features)");
  LF_CHECK(!takes_ids || prompts.ids != nullptr || rows_ == 0,
           "[" << kGenerate << "] prompt has values; expected ids, which the model takes");
  const index steps = shape.sizes[0], features = takes_ids ? elements.ids : shape.features();
  LF_CHECK(prompts.values == nullptr || prompts.features == features,
           "[" << kGenerate << "] prompt has " << prompts.features << " features; expected "
               << features << " to match the model's input");
  const bool whole = steps != layers::kAnySize && !model.is_stateful();
  if (whole) window_ = steps;
  shape.sizes[0] = whole ? steps : 1;
  index longest = 1, start = 0;
  for (std::size_t b = 0; b < prompts.lengths.size(); ++b) {
    const index length = prompts.lengths[b], least = std::max<index>(1, window_);
    LF_CHECK(length >= least, "[" << kGenerate << "] "
                                  << numbered("prompt", b, prompts.lengths.size()) << " has "
                                  << length << " steps; expected at least " << least
                                  << (whole ? ", the steps of the model's input" : ""));
    for (index t = 0; prompts.ids != nullptr && t < length; ++t) {
      const std::int32_t id = prompts.ids[start + t];
      LF_CHECK(id >= 0 && id < features,
               "[" << kGenerate << "] " << numbered("prompt", b, prompts.lengths.size()) << " is "
                   << id << " at step " << t << "; expected ids from 0 to " << features - 1);
    }
    longest = std::max(longest, length);
    starts_.push_back(start);
    start += length;
  }
  passes_ = whole ? options.length : longest + options.length - 1;
  const index rows = std::max<index>(1, rows_), slots = rows * shape.sizes[0];

  layers::Shapes shapes;
  if (whole) {
    memory_ = &*windows_.emplace(model.pool());
    memory_->plan({shape}, rows, false);
    shapes = graph_.output_shapes({shape});
    memory_->arrange([&](const auto& place) {
      for (std::size_t k = 0; k < shapes.size(); ++k) {
        place(memory_->out(k).values, rows * shapes[k].count());
      }
    });
  } else {
    stepper_ = &*steps_.emplace(model.steppers());
    stepper_->plan(rows);
  }
  for (std::size_t k = 0; k < static_cast<std::size_t>(graph_.outputs()); ++k) {
    outputs_.push_back(whole ? memory_->out(k).values : stepper_->out(k));
    const layers::Shape& output = whole ? shapes[k] : stepper_->out_shape(k);
    const bool one = output.rank == 1 || (output.rank == 2 && output.sizes[0] == shape.sizes[0]);
    LF_CHECK(one, "[" << kGenerate << "] " << numbered("output", k, shapes.size())
                      << " of a sample has shape " << output.text()
                      << "; expected (features), or (steps, features) with the steps of the input");
    sizes_.push_back(output.count());
    Head head = head_of(static_cast<index>(k));
    head.columns = output.features();
    head.skipped = output.count() - head.columns;
    head.first = width_;
    head.width = head.columns;
    if (head.kind == Head::Kind::mixture) head.width = (head.columns / head.components - 1) / 2;
    width_ += head.width;
    most_ = std::max(most_, head.columns);
    heads_.push_back(head);
  }
  ids_ = heads_.size() == 1 && heads_[0].kind == Head::Kind::ids;
  LF_CHECK(ids_ || prompts.ids == nullptr,
           "[" << kGenerate
               << "] prompt has ids; expected a model with one output, the scores of all "
                  "ids: softmax, or logits");
  LF_CHECK(takes_ids ? width_ <= features : width_ == features,
           "[" << kGenerate << "] the model's outputs make " << width_
               << " values of a step; expected " << features << (takes_ids ? " at most" : "")
               << ", as the input has");
  check_random();
  if (takes_ids) {
    next_ids_.resize(static_cast<std::size_t>(slots));
  } else {
    next_values_.resize(static_cast<std::size_t>(slots * features));
  }
  layers::In<T>& in = whole ? memory_->in(0) : stepper_->in(0);
  in = {takes_ids ? nullptr : next_values_.data(), takes_ids ? next_ids_.data() : nullptr, nullptr,
        nullptr};
  weights_.resize(static_cast<std::size_t>(rows * most_));
  order_.resize(weights_.size());
  flops_ = static_cast<double>(rows_) *
           (graph_.flops({shape}) + kFlopsOfDraw * static_cast<double>(most_));
}

template <class T>
typename Generator<T>::Head Generator<T>::head_of(index output) const {
  Head head{};
  head.kind = Head::Kind::values;
  const layers::Layer<T>* const layer = last_layer(graph_, output);
  if (layer != nullptr && layer->kind() == "mixture_density") {
    head.kind = Head::Kind::mixture;
    head.components = layer->config().at("components").integer();
    return head;
  }
  const Activation last = layer != nullptr ? layer->last_activation(0) : Activation::linear;
  const bool told = options_.from_logits.has_value();
  if (last != Activation::softmax && prompts_.ids == nullptr && !told) return head;
  LF_CHECK(told || last == Activation::softmax || last == Activation::linear,
           "[" << kGenerate << "] the model's last layer, \"" << (layer ? layer->name() : "")
               << "\", ends with a function that makes neither probabilities nor logits; expected "
                  "softmax, none, or from_logits");
  head.kind = Head::Kind::ids;
  head.scores = options_.from_logits.value_or(last != Activation::softmax)
                    ? ScoreKind::logits
                    : ScoreKind::probabilities;
  return head;
}

template <class T>
void Generator<T>::check_random() const {
  const auto any = [&](typename Head::Kind kind) {
    return std::any_of(heads_.begin(), heads_.end(), [&](const Head& h) { return h.kind == kind; });
  };
  const Sampling& own = options_.sampling;
  const bool ids = any(Head::Kind::ids);
  LF_CHECK(ids || (own.top_k == 0 && own.top_p == 1),
           "[" << kGenerate << "] " << (own.top_k > 0 ? "top_k" : "top_p")
               << " is given; expected None, for the model's outputs are no scores of ids");
  LF_CHECK(ids || any(Head::Kind::mixture) || own.temperature == 1 || own.temperature == 0,
           "[" << kGenerate << "] temperature is " << own.temperature
               << "; expected 1, for the model's outputs are values, of which none is drawn");
}

// The step of a row at a position, from its prompt or of what was made, as slot of the next pass.
template <class T>
void Generator<T>::write(index row, index position, index slot) {
  const auto b = static_cast<std::size_t>(row);
  const index length = prompts_.lengths[b];
  const bool given = position < length;
  const index at = given ? starts_[b] + position
                         : row * options_.length + std::min(position - length, options_.length - 1);
  const std::int32_t* const ids = given ? prompts_.ids : made_ids_;
  const T* const values = given ? prompts_.values : made_values_;
  const index place = row * std::max<index>(1, window_) + slot;
  if (!next_ids_.empty()) {
    next_ids_[static_cast<std::size_t>(place)] = ids[at];
    return;
  }
  T* const to = next_values_.data() + place * width_;
  if (values != nullptr) {
    std::copy_n(values + at * width_, width_, to);
  } else {
    std::fill_n(to, width_, T(0));
    to[ids[at]] = T(1);
  }
}

template <class T>
bool Generator<T>::draw(index row, index step) {
  const index at = row * options_.length + step;
  double* const weights = weights_.data() + row * most_;
  std::int32_t* const order = order_.data() + row * most_;
  for (std::size_t k = 0; k < heads_.size(); ++k) {
    const Head& head = heads_[k];
    const T* const from = outputs_[k] + row * sizes_[k] + head.skipped;
    T* const to = ids_ ? nullptr : made_values_ + at * width_ + head.first;
    if (head.kind == Head::Kind::values) {
      std::copy_n(from, head.width, to);
      continue;
    }
    const base::RandomStream random =
        base::RandomStream(options_.seed, kName, kName, static_cast<std::uint64_t>(k))
            .at(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(step));
    const double uniform =
        ((random.bits(0) >> 5) * 67108864.0 + (random.bits(1) >> 6)) * 0x1p-53;  // 27 and 26 bits
    if (head.kind == Head::Kind::ids) {
      const index id =
          sample(options_.sampling, head.scores, head.columns, from, uniform, weights, order);
      if (id < 0) return false;
      if (ids_) {
        made_ids_[at] = static_cast<std::int32_t>(id);
      } else {
        std::fill_n(to, head.width, T(0));
        to[id] = T(1);
      }
      continue;
    }
    const double temperature = options_.sampling.temperature, spread = std::sqrt(temperature);
    const index k_drawn =
        sample({temperature}, ScoreKind::logits, head.components, from, uniform, weights, order);
    if (k_drawn < 0) return false;
    const T* const means = from + head.components + k_drawn * head.width;
    const T* const deviations = means + head.components * head.width;
    for (index d = 0; d < head.width; ++d) {
      const double p = (random.bits(static_cast<std::uint64_t>(2 + d)) + 0.5) * 0x1p-32;
      to[d] = static_cast<T>(means[d] + spread * deviations[d] * ops::normal_quantile(p));
    }
  }
  return true;
}

template <class T>
void Generator<T>::run(std::int32_t* ids, T* values) {
  made_ids_ = ids;
  made_values_ = values;
  if (rows_ == 0) return;
  base::InterruptPoint point;
  std::vector<unsigned char> finite(static_cast<std::size_t>(rows_), 1);
  layers::Pass<T> pass;
  pass.batch = rows_;
  for (index p = 0; p < passes_; ++p) {
    for (index b = 0; b < rows_; ++b) {
      const index length = prompts_.lengths[static_cast<std::size_t>(b)];
      if (stepper_ != nullptr) write(b, p, 0);
      for (index t = 0; t < window_; ++t) write(b, length + p - window_ + t, t);
    }
    if (stepper_ != nullptr) {
      stepper_->step();
    } else {
      const base::FlushDenormals flush;
      model_.draw(pass);
      memory_->forward(pass);
    }
    const auto step_of = [&](index b) {
      return stepper_ != nullptr ? p - prompts_.lengths[static_cast<std::size_t>(b)] + 1 : p;
    };
    ops::for_shares(rows_, 1 + ops::kMathGrain / (4 * most_), [&](index begin, index end) {
      base::InterruptPoint between_rows;
      for (index b = begin; b < end; ++b) {
        const index step = step_of(b);
        if (step < 0 || step >= options_.length) continue;
        finite[static_cast<std::size_t>(b)] = draw(b, step) ? 1 : 0;
        between_rows.pass(kFlopsOfDraw * static_cast<double>(most_));
      }
    });
    const auto bad = std::find(finite.begin(), finite.end(), 0);
    LF_CHECK(
        bad == finite.end(),
        "[" << kGenerate << "] the output for "
            << numbered("prompt", static_cast<std::size_t>(bad - finite.begin()), finite.size())
            << " is not finite at step " << step_of(bad - finite.begin())
            << "; expected scores to draw from");
    point.pass(flops_);
  }
}

template class Generator<float>;
template class Generator<double>;

}  // namespace lstmfast::model
