#include "model/loss_graph.h"

#include <algorithm>
#include <utility>

#include "base/denormals.h"

namespace lstmfast::model {

// The weights of the output's numbers.
template <class T>
class LossGraph<T>::Weights {
 public:
  Weights(const LossGraph& loss, const losses::LossBatch<T>& batch)
      : loss_(loss), weights_(batch.weights), rows_(batch.rows), count_(loss.output_.count()) {
    if (weights_ == nullptr) return;
    layers::Shape rows{batch.prediction_shape.samples}, own = loss.output_;
    for (index i = 0; i + 1 < batch.prediction_shape.rank; ++i) {
      rows.append(batch.prediction_shape.axes[i]);
    }
    while (own.rank > rows.rank) --own.rank;
    if (own == rows) return;
    while (own.rank > 0 && own.sizes[own.rank - 1] == 1) --own.rank;
    if (own.count() != count_ || !std::equal(own.begin(), own.end(), rows.begin())) {
      fail("one number, or one for each sample, where samples have weights or a mask");
    }
  }

  // The rows of number i begin here.
  index row(index i) const { return count_ >= rows_ ? i / (count_ / rows_) : i * (rows_ / count_); }
  index rows_each() const { return std::max<index>(1, rows_ / count_); }

  // Of number i.
  double operator[](index i) const {
    if (weights_ == nullptr) return 1;
    const index each = rows_each();
    const T* const own = weights_ + row(i);
    double sum = 0;
    for (index r = 0; r < each; ++r) {
      if (loss_.output_.rank > 0 && own[r] != own[0])
        fail("one for each step, as weights or the mask of a sample's steps differ");
      sum += static_cast<double>(own[r]);
    }
    return sum / static_cast<double>(each);
  }

 private:
  [[noreturn]] void fail(const char* expected) const {
    LF_FAIL("[" << loss_.name_ << "] returned values of shape " << loss_.output_.text()
                << "; expected " << expected);
  }

  const LossGraph& loss_;
  const T* weights_;
  index rows_, count_;
};

template <class T>
LossGraph<T>::LossGraph(std::string name, std::shared_ptr<const layers::Graph<T>> graph)
    : name_(std::move(name)),
      graph_(std::move(graph)),
      inputs_{graph_->declared_shape(0), graph_->declared_shape(1)},
      output_(graph_->output_shape(0)),
      pool_([own = graph_.get()] { return std::make_unique<PassMemory<T>>(*own, nullptr); }) {}

template <class T>
double LossGraph<T>::value(const losses::LossBatch<T>& batch) const {
  const base::FlushDenormals flush;
  const index count = output_.count();
  layers::Pass<T> pass;
  pass.batch = 1;
  pass.training = batch.gradient != nullptr;
  typename Pool<PassMemory<T>>::Lease memory(pool_);
  memory->plan(inputs_, 1, pass.training);
  T *values = nullptr, *slopes = nullptr;
  memory->arrange([&](const auto& place) {
    place(values, count);
    place(slopes, count, pass.training);
  });
  memory->in(0) = {batch.target, nullptr, nullptr, nullptr};
  memory->in(1) = {batch.prediction, nullptr, nullptr, batch.gradient};
  memory->out(0) = {values, nullptr, nullptr, slopes};
  memory->forward(pass);

  const Weights weights(*this, batch);
  const index counted = batch.counted < 0 ? batch.rows : batch.counted;
  const double part = counted == 0
                          ? 0.0
                          : static_cast<double>(batch.rows) /
                                (static_cast<double>(count) * static_cast<double>(counted));
  double total = 0;
  for (index i = 0; i < count; ++i) {
    const double weight = weights[i];
    if (weight != 0) total += weight * static_cast<double>(values[i]);
    if (slopes != nullptr) slopes[i] = static_cast<T>(weight * part);
  }
  if (!pass.training) return total * part;
  memory->backward(pass);
  if (batch.weights == nullptr) return total * part;
  // Rows that do not count have no gradient, whatever they hold.
  for (index i = 0; i < count; ++i) {
    if (weights[i] != 0) continue;
    T* const gradient = batch.gradient + weights.row(i) * batch.columns;
    std::fill_n(gradient, weights.rows_each() * batch.columns, T(0));
  }
  return total * part;
}

template class LossGraph<float>;
template class LossGraph<double>;

}  // namespace lstmfast::model
