#include "model/batch_run.h"

#include <optional>

#include "base/denormals.h"

namespace lstmfast::model {
namespace {

// Values in a row of targets of any shape: 1 where they lack the last axis of the prediction, 0
// where their rows are not the prediction's.
index target_columns_of(const layers::Shape& prediction, const std::vector<index>& target) {
  const index rank = static_cast<index>(target.size()) - 1;
  if (rank != prediction.rank && rank != prediction.rank - 1) return 0;
  if (!std::equal(prediction.sizes, prediction.sizes + prediction.rank - 1, target.begin() + 1)) {
    return 0;
  }
  return rank == prediction.rank ? target.back() : 1;
}

}  // namespace

template <class T>
BatchRun<T>::BatchRun(const char* op, const Model<T>& model, const Examples<T>& data,
                      index batch_size, const char* what)
    : model_(model),
      training_(model.training(op)),
      data_(data),
      output_(model.output_shape(op, data.in)),
      rows_(output_.rows()),
      columns_(output_.features()),
      target_columns_(training_->loss->target_columns(columns_)),
      weighted_(data.weights != nullptr || model.definition().chain.masks(false)) {
  const index count = data.in.count;
  const index targets = data.y_shape.empty() ? 0 : data.y_shape[0];
  LF_CHECK(count >= 1, "[" << op << "] x has no samples; expected at least one");
  LF_CHECK(batch_size >= 1,
           "[" << op << "] batch_size is " << batch_size << "; expected at least 1");
  LF_CHECK(targets == count,
           "[" << op << "] y has " << targets << " samples; expected " << count << " to match x");
  training_->loss->check_shapes(output_.with_batch(count), data.y_shape);
  target_size_ = target_shape(1).count();
  LF_CHECK(target_size_ > 0, "[" << op << "] y has samples of no values; expected at least one");
  if (target_columns_ == losses::kAnyColumns) {
    target_columns_ = target_columns_of(output_, data.y_shape);
  }
  training_->loss->check_targets(count * rows_, columns_, data.y, target_columns_);
  if (data.weights != nullptr) {
    LF_CHECK(data.weights_each == 1 || data.weights_each == rows_,
             "[" << op << "] sample_weight has " << data.weights_each
                 << " values a sample; expected 1" << (rows_ > 1 ? " or " : "")
                 << (rows_ > 1 ? std::to_string(rows_) + ", one for each step" : ""));
    LF_CHECK(!training_->loss->foreign(),
             "[" << op << "] sample_weight is given; expected None with a loss of one's own");
  }
  batch_ = std::min(batch_size, count);
  carried_.emplace(model.carried(), op, what, count, batch_);
}

template <class T>
void BatchRun<T>::weigh(const Batch& batch, PassMemory<T>& memory,
                        losses::LossBatch<T>& loss) const {
  const unsigned char* const mask = memory.mask();
  const index each = batch.weights != nullptr ? data_.weights_each : 1;
  T* const weights = memory.loss_weights();
  T* const of_mask = memory.metric_weights();
  loss.weights = weights;
  loss.counted = 0;
  for (index r = 0; r < loss.rows; ++r) {
    const bool real = mask == nullptr || mask[r] != 0;
    const T of_sample = batch.weights == nullptr ? T(1)
                        : each == 1              ? batch.weights[r / rows_]
                                                 : batch.weights[r];
    weights[r] = real ? of_sample : T(0);
    of_mask[r] = real ? T(1) : T(0);
    loss.counted += real;
  }
}

template <class T>
double BatchRun<T>::forward_loss(const Batch& batch, bool gradient, layers::Pass<T>& pass,
                                 PassMemory<T>& memory) const {
  T* const prediction = memory.prediction();
  pass.batch = batch.samples;
  pass.pre_activation = training_->fused;
  double penalty = 0;
  pass.carried = carried_->state();
  {
    const base::FlushDenormals flush;
    pass.penalty = &penalty;
    memory.forward(pass, batch.x, prediction);
    pass.penalty = nullptr;
  }

  losses::LossBatch<T> loss;
  loss.rows = batch.samples * rows_;
  loss.columns = columns_;
  loss.prediction = prediction;
  loss.prediction_stride = columns_;
  loss.target = batch.y;
  loss.target_stride = target_columns_;
  if (gradient) {
    loss.gradient = memory.gradient();
    loss.gradient_stride = columns_;
  }
  if (weighted_) weigh(batch, memory, loss);
  loss.prediction_shape = prediction_shape(batch.samples);
  loss.target_shape = target_shape(batch.samples);
  std::optional<base::FlushDenormals> flush;
  if (!training_->loss->foreign()) flush.emplace();
  if (!training_->fused) return training_->loss->value(loss) + penalty;
  loss.output = prediction;
  loss.output_stride = columns_;
  return training_->loss->value_fused(training_->last, loss) + penalty;
}

template <class T>
metrics::MetricBatch<T> BatchRun<T>::metric_batch(const Batch& batch, PassMemory<T>& memory) const {
  return {batch.samples * rows_,
          columns_,
          memory.prediction(),
          columns_,
          batch.y,
          target_columns_,
          memory.mask() != nullptr ? memory.metric_weights() : nullptr,
          prediction_shape(batch.samples),
          target_shape(batch.samples)};
}

template <class T>
bool BatchRun<T>::evaluate(PassMemory<T>& memory, EpochMetrics<T>& meter,
                           const Callbacks& callbacks, TickClock& clock,
                           const Progress* progress) const {
  layers::Pass<T> pass;
  pass.values = model_.values();
  meter.reset();
  const double penalty = model_.definition().rules.penalty(model_.values());
  std::vector<T> room;
  for (index b = 0; b < batches(); ++b) {
    const Batch batch = at(b);
    typename Carried<T>::Undo undo(model_.carried(), room);
    const double loss = forward_loss(batch, false, pass, memory) + penalty;
    undo.keep();
    meter.add(loss, batch.samples, metric_batch(batch, memory));
    if (callbacks.tick == nullptr || !clock.due()) continue;
    const Progress own = {0, b + 1, batches(), meter.logs()};
    if (callbacks.tick(callbacks.context, progress != nullptr ? *progress : own)) return true;
  }
  return false;
}

template class BatchRun<float>;
template class BatchRun<double>;

}  // namespace lstmfast::model
