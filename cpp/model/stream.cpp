#include "model/stream.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/check.h"
#include "base/denormals.h"

namespace lstmfast::model {
namespace {

constexpr const char* kStream = "stream";

// Without the axis of steps, of size 1.
layers::Shape without_steps(const layers::Shape& shape, bool steps) {
  layers::Shape out;
  for (int i = steps ? 1 : 0; i < shape.rank; ++i) out.append(shape.sizes[i]);
  return out;
}

// The configuration, apart from what only training reads.
template <class T>
base::Options structure(const Model<T>& model) {
  constexpr std::string_view kTrainable = "trainable";
  base::Options config = model.definition().config();
  for (auto at = config.begin(); at != config.end();) {
    const std::string_view key = at->first;
    const bool ends =
        key.size() >= kTrainable.size() && key.substr(key.size() - kTrainable.size()) == kTrainable;
    at = ends ? config.erase(at) : std::next(at);
  }
  return config;
}

// One number is the most common case, of which a call of memcpy would be a part worth avoiding.
template <class T>
void copy_few(const T* from, index count, T* to) {
  count == 1 ? void(*to = *from) : void(std::copy_n(from, count, to));
}

}  // namespace

template <class T>
void check_draws(const layers::Graph<T>& graph) {
  LF_CHECK(!graph.draws(), "[" << kStream
                               << "] a layer always draws random numbers (training=True); "
                               << "expected a model whose outputs follow from its inputs");
}

template <class T>
Stream<T>::Stream(std::shared_ptr<const Model<T>> model, index rows)
    : model_(std::move(model)), rows_(rows) {
  LF_CHECK(rows >= 1, "[" << kStream << "] batch is " << rows << "; expected at least 1");
  check_draws(*model_->definition().graph);
  stepper_ = stepper_of(*model_);
  const layers::Graph<T>& graph = *model_->definition().graph;
  for (index k = 0; k < graph.inputs(); ++k) {
    const layers::Elements elements = graph.elements(k);
    const bool steps = stepper_->in_along(k) == layers::Along::steps;
    Port& port = ports_.emplace_back();
    port.shape = without_steps(stepper_->in_shape(static_cast<std::size_t>(k)), steps);
    port.ids = elements.ids;
    port.count = port.shape.count();
    port.steps = steps;
    port.takes_values = elements.values;
    if (elements.values) port.values.resize(rows * port.count);
    if (elements.ids > 0) port.id_values.resize(rows * port.count);
    any_ids_ = any_ids_ || elements.ids > 0;
  }
  for (index k = 0; k < graph.outputs(); ++k) {
    const bool steps = stepper_->along(k) == layers::Along::steps;
    const layers::Shape shape =
        without_steps(stepper_->out_shape(static_cast<std::size_t>(k)), steps);
    made_.push_back({shape, shape.count(), steps});
  }
  is_plain_ = inputs() == 1 && outputs() == 1 && !any_ids_;
  is_plain_row_ = is_plain_ && rows == 1 && ports_[0].steps && made_[0].steps;
  connect();
}

template <class T>
Stream<T>::Stream(const Stream& other) : Stream(other.model_, other.rows_) {
  copy_states(*other.stepper_);
}

template <class T>
std::unique_ptr<Stepper<T>> Stream<T>::stepper_of(const Model<T>& model) const {
  auto stepper = std::make_unique<Stepper<T>>(model.definition().graph);
  stepper->plan(rows_);
  return stepper;
}

// Makes the first two steps, the second of which is prepared, so that later ones allocate nothing.
template <class T>
void Stream<T>::connect() {
  for (std::size_t k = 0; k < ports_.size(); ++k) {
    stepper_->in(k) = {ports_[k].values.data(), ports_[k].id_values.data(), nullptr, nullptr};
  }
  stepper_->step(true);
  stepper_->step(true);
  stepper_->begin();
}

template <class T>
void Stream<T>::check_ids(index steps, const StepInput<T>* x) const {
  for (std::size_t k = 0; k < ports_.size(); ++k) {
    const Port& port = ports_[k];
    const index count = rows_ * (port.steps ? steps : 1) * port.count;
    for (index i = 0; port.ids > 0 && i < count; ++i) {
      LF_CHECK(x[k].ids[i] >= 0 && x[k].ids[i] < port.ids,
               "[" << kStream << "] element " << i << " of " << numbered("x", k, ports_.size())
                   << " is " << x[k].ids[i] << "; expected ids from 0 to " << port.ids - 1);
    }
  }
}

template <class T>
void Stream<T>::read(index t, index steps, const StepInput<T>& x, Port& to) const {
  const index row = to.steps ? steps * to.count : to.count, at = to.steps ? t * to.count : 0;
  for (index r = 0; r < rows_; ++r) {
    const index from = r * row + at, first = r * to.count;
    if (to.ids > 0) std::copy_n(x.ids + from, to.count, to.id_values.data() + first);
    if (!to.takes_values) continue;
    T* const values = to.values.data() + first;
    if (x.values != nullptr) {
      std::copy_n(x.values + from, to.count, values);
    } else {  // an input of ids and values has the ids
      std::copy_n(x.ids + from, to.count, values);
    }
  }
}

template <class T>
void Stream<T>::process_row(index begin, index end, const T* x, T* y) {
  const base::FlushDenormals flush;
  Port& in = ports_[0];
  const index count = made_[0].count;
  Stepper<T>& stepper = *stepper_;
  const T* const out = stepper.out(0);
  for (index t = begin; t < end; ++t) {
    copy_few(x + t * in.count, in.count, in.values.data());
    stepper.can_step_again() ? stepper.step_again() : stepper.step(true);
    if (y != nullptr) copy_few(out, count, y + t * count);
  }
}

template <class T>
void Stream<T>::process_part(index steps, index begin, index end, const StepInput<T>* x,
                             T* const* y) {
  if (is_plain_row_) return process_row(begin, end, x->values, *y);
  if (any_ids_ && begin == 0) check_ids(steps, x);
  for (index t = begin; t < end; ++t) {
    for (std::size_t k = 0; k < ports_.size(); ++k) {
      if (t == 0 || ports_[k].steps) read(t, steps, x[k], ports_[k]);
    }
    stepper_->step(true);
    for (std::size_t k = 0; k < made_.size(); ++k) {
      const Made& made = made_[k];
      if (y[k] == nullptr || (!made.steps && t + 1 < steps)) continue;
      const index row = made.steps ? steps * made.count : made.count;
      T* const to = y[k] + (made.steps ? t * made.count : 0);
      const T* const from = stepper_->out(k);
      for (index r = 0; r < rows_; ++r) {
        std::copy_n(from + r * made.count, made.count, to + r * row);
      }
    }
  }
}

template <class T>
std::size_t Stream<T>::bytes() const {
  std::size_t out = stepper_->bytes();
  for (const Port& port : ports_) {
    out += static_cast<std::size_t>(port.values.size()) * sizeof(T) +
           static_cast<std::size_t>(port.id_values.size()) * sizeof(std::int32_t);
  }
  return out;
}

template <class T>
void Stream<T>::take_weights(std::shared_ptr<const Model<T>> model) {
  LF_CHECK(structure(*model) == structure(*model_),
           "[stream.refresh] the model has other layers than the stream; expected the same");
  std::unique_ptr<Stepper<T>> next = stepper_of(*model);
  next.swap(stepper_);
  try {
    connect();
  } catch (...) {
    next.swap(stepper_);
    throw;
  }
  copy_states(*next);
  model_ = std::move(model);
}

template <class T>
void Stream<T>::copy_states(const Stepper<T>& from) {
  for (index r = 0; r < rows_; ++r) stepper_->copy(r, from, r);
}

template void check_draws(const layers::Graph<float>&);
template void check_draws(const layers::Graph<double>&);
template class Stream<float>;
template class Stream<double>;

}  // namespace lstmfast::model
