#include "model/batch_run.h"

#include <optional>

#include "base/denormals.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

// Values in a row of targets of any shape: 1 if they lack the last axis of the prediction, 0 if
// their rows are not those of the prediction.
index target_columns_of(const layers::Shape& prediction, const std::vector<index>& target) {
  const index rank = static_cast<index>(target.size()) - 1;
  if (rank != prediction.rank && rank != prediction.rank - 1) return 0;
  if (!std::equal(prediction.sizes, prediction.sizes + prediction.rank - 1, target.begin() + 1)) {
    return 0;
  }
  return rank == prediction.rank ? target.back() : 1;
}

std::string numbered(const char* name, std::size_t k, std::size_t count) {
  return count == 1 ? name : name + ("[" + std::to_string(k) + "]");
}

}  // namespace

template <class T>
BatchRun<T>::BatchRun(const char* op, const Model<T>& model, const Examples<T>& data,
                      index batch_size, const char* what)
    : model_(model),
      training_(model.training(op)),
      data_(data),
      shapes_(model.shapes(op, data.in)) {
  const layers::Shapes& shapes = shapes_->outputs;
  model.check_ids(op, data.in);
  LF_CHECK(data.in.count >= 1, "[" << op << "] x has no samples; expected at least one");
  LF_CHECK(batch_size >= 1,
           "[" << op << "] batch_size is " << batch_size << "; expected at least 1");
  LF_CHECK(data.targets.size() == shapes.size(), "[" << op << "] y has " << data.targets.size()
                                                     << " items; expected " << shapes.size()
                                                     << ", one for each output");
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    outputs_.push_back({shapes[k], shapes[k].features(), 0});
    outputs_[k].weighted = data.targets[k].weights != nullptr || training_->outputs[k].masked;
    rows_.push_back(shapes[k].rows());
    fused_.push_back(training_->outputs[k].fused ? 1 : 0);
    if (training_->outputs[k].needs_target()) check_target(op, k);
  }
  batch_ = std::min(batch_size, data.in.count);
  carried_.emplace(model.definition().carried, model.batch_size(), op, what, data.in.count, batch_);
}

template <class T>
void BatchRun<T>::check_target(const char* op, std::size_t k) {
  const losses::Loss<T>* const loss = training_->outputs[k].loss.get();  // null: metrics alone
  const Target<T>& target = data_.targets[k];
  Output& output = outputs_[k];
  const index count = data_.in.count, rows = rows_[k];
  const index targets = target.shape.empty() ? 0 : target.shape[0];
  const std::string y = numbered("y", k, outputs_.size());
  LF_CHECK(target.y != nullptr, "[" << op << "] " << y
                                    << " is missing; expected it for the output's "
                                    << (loss != nullptr ? "loss" : "metrics"));
  LF_CHECK(targets == count, "[" << op << "] " << y << " has " << targets << " samples; expected "
                                 << count << " to match x");
  if (loss != nullptr) loss->check_shapes(output.shape.with_batch(count), target.shape);
  output.target_size = target_shape(k, 1).count();
  LF_CHECK(output.target_size > 0,
           "[" << op << "] " << y << " has samples of no values; expected at least one");
  output.target_columns =
      loss == nullptr ? losses::kAnyColumns : loss->target_columns(output.columns);
  if (output.target_columns == losses::kAnyColumns) {
    output.target_columns = target_columns_of(output.shape, target.shape);
  }
  if (loss == nullptr) {
    LF_CHECK(output.target_columns > 0,
             "[" << op << "] " << y << " has shape " << layers::Shape(target.shape).text()
                 << "; expected a value or a label for each of the output's "
                 << layers::Shape(output.shape.with_batch(count)).text());
    return;
  }
  loss->check_targets(count * rows, output.columns, target.y, output.target_columns);
  if (target.weights == nullptr) return;
  const std::string weights = numbered("sample_weight", k, outputs_.size());
  LF_CHECK(target.weights_each == 1 || target.weights_each == rows,
           "[" << op << "] " << weights << " has " << target.weights_each
               << " values a sample; expected 1" << (rows > 1 ? " or " : "")
               << (rows > 1 ? std::to_string(rows) + ", one for each step" : ""));
  LF_CHECK(!loss->foreign(),
           "[" << op << "] " << weights << " is given; expected None with a loss of one's own");
}

template <class T>
index BatchRun<T>::sample_size() const {
  index size = 0;
  for (const InputArray<T>& input : data_.in.inputs) size += input.shape.count();
  return size;
}

template <class T>
PassExtent BatchRun<T>::extent(bool training, bool gathered) const {
  PassExtent out;
  out.shapes = shapes_;
  for (std::size_t k = 0; k < outputs(); ++k) {
    const Output& output = outputs_[k];
    const Target<T>& target = data_.targets[k];
    const bool weights = gathered && target.weights != nullptr;
    out.targets.push_back(
        {gathered ? output.target_size : 0, weights ? target.weights_each : 0, output.weighted});
  }
  out.batch = batch_;
  out.training = training;
  out.gathered = gathered;
  return out;
}

template <class T>
EpochMetrics<T> BatchRun<T>::make_metrics() const {
  std::vector<typename EpochMetrics<T>::Columns> columns;
  for (const Output& output : outputs_) columns.push_back({output.columns, output.target_columns});
  return EpochMetrics<T>(training_->outputs, columns);
}

template <class T>
typename BatchRun<T>::Batch BatchRun<T>::gather(index b, const index* order,
                                                PassMemory<T>& memory) const {
  const Batch out{b * batch_, samples(b), true};
  const index* const rows = order + out.first;
  const auto copy = [&](index size, const auto* from, auto* to) {
    if (from != nullptr && to != nullptr) {
      ops::gather_rows(out.samples, size, rows, from, size, to, size);
    }
  };
  for (std::size_t k = 0; k < data_.in.inputs.size(); ++k) {
    const InputArray<T>& input = data_.in.inputs[k];
    copy(input.shape.count(), input.values, memory.x(k));
    copy(input.shape.count(), input.ids, memory.ids(k));
  }
  for (std::size_t k = 0; k < outputs(); ++k) {
    copy(outputs_[k].target_size, data_.targets[k].y, memory.target(k));
    copy(data_.targets[k].weights_each, data_.targets[k].weights, memory.weights(k));
  }
  return out;
}

template <class T>
const T* BatchRun<T>::target(const Batch& batch, std::size_t k, PassMemory<T>& memory) const {
  return batch.gathered ? memory.target(k)
                        : data_.targets[k].y + batch.first * outputs_[k].target_size;
}

template <class T>
const T* BatchRun<T>::weights(const Batch& batch, std::size_t k, PassMemory<T>& memory) const {
  const Target<T>& target = data_.targets[k];
  if (target.weights == nullptr) return nullptr;
  return batch.gathered ? memory.weights(k) : target.weights + batch.first * target.weights_each;
}

template <class T>
void BatchRun<T>::weigh(const Batch& batch, std::size_t k, PassMemory<T>& memory,
                        losses::LossBatch<T>* loss) const {
  const unsigned char* const mask = memory.out(k).mask;
  const T* const of_samples = this->weights(batch, k, memory);
  const index each = of_samples != nullptr ? data_.targets[k].weights_each : 1;
  T* const weights = memory.loss_weights(k);
  T* const of_mask = memory.metric_weights(k);
  index counted = 0;
  for (index r = 0; r < batch.samples * rows_[k]; ++r) {
    const bool real = mask == nullptr || mask[r] != 0;
    const T of_sample = of_samples == nullptr ? T(1)
                        : each == 1           ? of_samples[r / rows_[k]]
                                              : of_samples[r];
    weights[r] = real ? of_sample : T(0);
    of_mask[r] = real ? T(1) : T(0);
    counted += real;
  }
  if (loss == nullptr) return;
  loss->weights = weights;
  loss->counted = counted;
}

template <class T>
double BatchRun<T>::loss(const Batch& batch, std::size_t k, bool gradient,
                         PassMemory<T>& memory) const {
  const OutputTraining<T>& training = training_->outputs[k];
  const Output& output = outputs_[k];
  T* const prediction = memory.prediction(k);
  losses::LossBatch<T> loss;
  loss.rows = batch.samples * rows_[k];
  loss.columns = output.columns;
  loss.prediction = prediction;
  loss.prediction_stride = output.columns;
  loss.target = target(batch, k, memory);
  loss.target_stride = output.target_columns;
  if (gradient) {
    loss.gradient = memory.out(k).gradient = memory.gradient(k);
    loss.gradient_stride = output.columns;
  }
  if (output.weighted) weigh(batch, k, memory, &loss);
  loss.prediction_shape = prediction_shape(k, batch.samples);
  loss.target_shape = target_shape(k, batch.samples);
  std::optional<base::FlushDenormals> flush;
  if (!training.loss->foreign()) flush.emplace();
  double value = 0;
  if (training.fused) {
    loss.output = prediction;
    loss.output_stride = output.columns;
    value = training.loss->value_fused(training.last, loss);
  } else {
    value = training.loss->value(loss);
  }
  if (gradient && training.weight != 1) {
    const index count = loss.rows * output.columns;
    ops::scale(count, static_cast<T>(training.weight), static_cast<const T*>(loss.gradient),
               loss.gradient);
  }
  return value;
}

template <class T>
double BatchRun<T>::forward_loss(const Batch& batch, bool gradient, layers::Pass<T>& pass,
                                 PassMemory<T>& memory, double* losses) const {
  for (std::size_t k = 0; k < data_.in.inputs.size(); ++k) {
    const InputArray<T>& input = data_.in.inputs[k];
    const index from = batch.first * input.shape.count();
    const auto place = [&](const auto* data, const auto* gathered) {
      return batch.gathered ? gathered : data == nullptr ? nullptr : data + from;
    };
    memory.in(k) = {place(input.values, memory.x(k)), place(input.ids, memory.ids(k)), nullptr,
                    nullptr};
  }
  for (std::size_t k = 0; k < outputs(); ++k) {
    memory.out(k) = {memory.prediction(k), nullptr, nullptr, nullptr};
  }
  pass.batch = batch.samples;
  pass.fused = fused_.data();
  double penalty = 0;
  pass.carries = true;
  {
    const base::FlushDenormals flush;
    pass.penalty = &penalty;
    memory.forward(pass);
    pass.penalty = nullptr;
  }
  double total = 0;
  for (std::size_t k = 0; k < outputs(); ++k) {
    if (training_->outputs[k].loss == nullptr) {
      if (outputs_[k].weighted) weigh(batch, k, memory);
      continue;
    }
    losses[k] = loss(batch, k, gradient, memory);
    total += training_->outputs[k].weight * losses[k];
  }
  return total + penalty;
}

template <class T>
void BatchRun<T>::add_metrics(const Batch& batch, PassMemory<T>& memory,
                              EpochMetrics<T>& metrics) const {
  for (std::size_t k = 0; k < outputs(); ++k) {
    if (training_->outputs[k].metrics.empty()) continue;
    const Output& output = outputs_[k];
    metrics.add(k, {batch.samples * rows_[k], output.columns, memory.prediction(k), output.columns,
                    target(batch, k, memory), output.target_columns,
                    memory.out(k).mask != nullptr ? memory.metric_weights(k) : nullptr,
                    prediction_shape(k, batch.samples), target_shape(k, batch.samples)});
  }
}

template <class T>
bool BatchRun<T>::evaluate(PassMemory<T>& memory, EpochMetrics<T>& metrics,
                           const Callbacks& callbacks, TickClock& clock,
                           const Progress* progress) const {
  layers::Pass<T> pass;
  metrics.reset();
  const double penalty = model_.definition().rules.penalty();
  std::vector<T> room;
  for (index b = 0; b < batches(); ++b) {
    const Batch batch = at(b);
    CarriedUndo<T> undo(model_.definition().carried, room);
    const double loss = forward_loss(batch, false, pass, memory, metrics.own_losses()) + penalty;
    undo.keep();
    metrics.add_loss(loss, batch.samples);
    add_metrics(batch, memory, metrics);
    if (callbacks.tick == nullptr || !clock.due()) continue;
    const Progress own = {0, b + 1, batches(), metrics.logs()};
    if (callbacks.tick(callbacks.context, progress != nullptr ? *progress : own)) return true;
  }
  return false;
}

template class BatchRun<float>;
template class BatchRun<double>;

}  // namespace lstmfast::model
