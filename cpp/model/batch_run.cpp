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

}  // namespace

template <class T>
BatchRun<T>::BatchRun(const char* op, const Model<T>& model, const Examples<T>& data,
                      index batch_size, const char* what)
    : training_(model.training(op)), data_(data), shapes_(model.shapes(op, data.in)) {
  const layers::Shapes& shapes = shapes_->outputs;
  model.check_ids(op, data.in);
  LF_CHECK(data.in.count >= 1, "[" << op << "] x has no samples; expected at least one");
  LF_CHECK(batch_size >= 1,
           "[" << op << "] batch_size is " << batch_size << "; expected at least 1");
  LF_CHECK(data.targets.size() == shapes.size(), "[" << op << "] y has " << data.targets.size()
                                                     << " items; expected " << shapes.size()
                                                     << ", one for each output");
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const OutputTraining<T>& training = training_->outputs[k];
    const Target<T>& target = data.targets[k];
    outputs_.push_back({training, target, shapes[k], shapes[k].rows(), shapes[k].features(),
                        target.weights != nullptr || training.masked});
    if (training.needs_target()) check_target(op, k);
  }
  batch_ = std::min(batch_size, data.in.count);
  carried_.emplace(model.definition().carried, model.batch_size(), op, what, data.in.count, batch_);
}

template <class T>
void BatchRun<T>::check_target(const char* op, std::size_t k) {
  Output& output = outputs_[k];
  const losses::Loss<T>* const loss = output.training.loss.get();  // null: metrics alone
  const Target<T>& target = output.data;
  const index count = data_.in.count, rows = output.rows;
  const index targets = target.shape.empty() ? 0 : target.shape[0];
  const std::string y = numbered("y", k, outputs_.size());
  LF_CHECK(target.y != nullptr, "[" << op << "] " << y
                                    << " is missing; expected it for the output's "
                                    << (loss != nullptr ? "loss" : "metrics"));
  LF_CHECK(targets == count, "[" << op << "] " << y << " has " << targets << " samples; expected "
                                 << count << " to match x");
  if (loss != nullptr) loss->check_shapes(output.shape.with_batch(count), target.shape);
  output.target_size = target.first(1).count();
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
  for (const Output& output : outputs_) {
    const bool weights = gathered && output.data.weights != nullptr;
    out.targets.push_back({gathered ? output.target_size : 0,
                           weights ? output.data.weights_each : 0, output.weighted});
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
index BatchRun<T>::read(index b, PassMemory<T>& memory) const {
  const index first = b * batch_;
  memory.read(data_.in, first);
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const Target<T>& data = outputs_[k].data;
    memory.targets(k) = {element(data.y, first * outputs_[k].target_size),
                         element(data.weights, first * data.weights_each)};
  }
  return samples(b);
}

template <class T>
index BatchRun<T>::gather(index b, const index* order, PassMemory<T>& memory) const {
  const index count = samples(b);
  const index* const rows = order + b * batch_;
  // returns `to`, or null where there is nothing to copy
  const auto copy = [&](index size, const auto* from, auto* to) {
    if (from == nullptr || to == nullptr) return decltype(from){nullptr};
    ops::gather_rows(count, size, rows, from, size, to, size);
    return decltype(from){to};
  };
  for (std::size_t k = 0; k < data_.in.inputs.size(); ++k) {
    const InputArray<T>& input = data_.in.inputs[k];
    const index size = input.shape.count();
    memory.in(k) = {copy(size, input.values, memory.at(memory.input(k).x)),
                    copy(size, input.ids, memory.at(memory.input(k).ids)), nullptr, nullptr};
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const Target<T>& data = outputs_[k].data;
    const auto& to = memory.output(k);
    memory.targets(k) = {copy(outputs_[k].target_size, data.y, memory.at(to.target)),
                         copy(data.weights_each, data.weights, memory.at(to.weights))};
  }
  return count;
}

template <class T>
index BatchRun<T>::weigh(index samples, std::size_t k, PassMemory<T>& memory) const {
  const Output& output = outputs_[k];
  const unsigned char* const mask = memory.out(k).mask;
  const T* const given = memory.targets(k).weights;
  T* const weights = memory.at(memory.output(k).loss_weights);
  T* const of_mask = memory.at(memory.output(k).metric_weights);
  index counted = 0;
  for (index r = 0; r < samples * output.rows; ++r) {
    const bool real = mask == nullptr || mask[r] != 0;
    const T of_sample = given == nullptr                ? T(1)
                        : output.data.weights_each == 1 ? given[r / output.rows]
                                                        : given[r];
    weights[r] = real ? of_sample : T(0);
    of_mask[r] = real ? T(1) : T(0);
    counted += real;
  }
  return counted;
}

template <class T>
template <class Batch>
void BatchRun<T>::describe(index samples, std::size_t k, PassMemory<T>& memory,
                           Batch& batch) const {
  const Output& output = outputs_[k];
  batch.rows = samples * output.rows;
  batch.columns = output.columns;
  batch.prediction = memory.at(memory.output(k).prediction);
  batch.prediction_stride = batch.gradient_stride = batch.output_stride = output.columns;
  batch.target = memory.targets(k).y;
  batch.target_stride = output.target_columns;
  batch.prediction_shape = {samples, output.shape.sizes, output.shape.rank};
  batch.target_shape = output.data.first(samples);
}

template <class T>
double BatchRun<T>::loss(index samples, std::size_t k, bool gradient, PassMemory<T>& memory) const {
  const Output& output = outputs_[k];
  const losses::Loss<T>& loss = *output.training.loss;
  const auto& slots = memory.output(k);
  losses::LossBatch<T> batch;
  describe(samples, k, memory, batch);
  if (gradient) batch.gradient = memory.out(k).gradient = memory.at(slots.gradient);
  if (output.weighted) {
    batch.counted = weigh(samples, k, memory);
    batch.weights = memory.at(slots.loss_weights);
  }
  std::optional<base::FlushDenormals> flush;
  if (!loss.foreign()) flush.emplace();
  double value = 0;
  if (training_->fused[k] != 0) {
    batch.output = memory.at(slots.prediction);
    value = loss.value_fused(batch);
  } else {
    value = loss.value(batch);
  }
  if (gradient && output.training.weight != 1) {
    ops::scale(batch.rows * output.columns, static_cast<T>(output.training.weight),
               static_cast<const T*>(batch.gradient), batch.gradient);
  }
  return value;
}

template <class T>
double BatchRun<T>::forward_loss(index samples, bool gradient, layers::Pass<T>& pass,
                                 PassMemory<T>& memory, double* losses) const {
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    memory.out(k) = {memory.at(memory.output(k).prediction), nullptr, nullptr, nullptr};
  }
  pass.batch = samples;
  pass.fused = training_->fused.data();
  pass.carries = true;
  double total = 0, penalty = 0;
  {
    const base::FlushDenormals flush;
    pass.penalty = &penalty;
    memory.forward(pass);
    pass.penalty = nullptr;
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const OutputTraining<T>& training = outputs_[k].training;
    if (training.loss == nullptr) {
      if (outputs_[k].weighted) weigh(samples, k, memory);
      continue;
    }
    losses[k] = loss(samples, k, gradient, memory);
    total += training.weight * losses[k];
  }
  return total + penalty;
}

template <class T>
void BatchRun<T>::add_metrics(index samples, PassMemory<T>& memory,
                              EpochMetrics<T>& metrics) const {
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const Output& output = outputs_[k];
    if (output.training.metrics.empty()) continue;
    metrics::MetricBatch<T> batch;
    describe(samples, k, memory, batch);
    if (memory.out(k).mask != nullptr) batch.weights = memory.at(memory.output(k).metric_weights);
    metrics.add(k, batch);
  }
}

template class BatchRun<float>;
template class BatchRun<double>;

}  // namespace lstmfast::model
