#include "model/batch_run.h"

#include <optional>

#include "base/denormals.h"
#include "base/shape_text.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

// Values in a row of targets of any shape: 1 if they lack the last axis of the prediction, 0 if
// their rows are not those of the prediction.
index target_columns_of(const layers::Shape& prediction, const std::vector<index>& target) {
  const index rank = static_cast<index>(target.size()) - 1;
  if (rank != prediction.rank && rank != prediction.rank - 1) return 0;
  if (prediction.rank == 0) return rank == 0 ? 1 : 0;
  if (!std::equal(prediction.sizes, prediction.sizes + prediction.rank - 1, target.begin() + 1)) {
    return 0;
  }
  return rank == prediction.rank ? target.back() : 1;
}

}  // namespace

template <class T>
BatchRun<T>::BatchRun(const char* op, const Model<T>& model, const Examples<T>& data,
                      index batch_size, const char* what)
    : op_(op), what_(what), model_(model), training_(model.training(op)) {
  LF_CHECK(batch_size >= 1,
           "[" << op << "] batch_size is " << batch_size << "; expected at least 1");
  take(data, batch_size);
}

template <class T>
BatchRun<T>::BatchRun(const char* op, const Model<T>& model, const BatchSource<T>& source,
                      const char* what)
    : op_(op), what_(what), model_(model), training_(model.training(op)), source_(&source) {
  const Examples<T>& data = source.first(source.context);
  take(data, data.in.count);
}

template <class T>
void BatchRun<T>::take(const Examples<T>& data, index batch_size) {
  const char* const op = op_;
  shapes_ = model_.shapes(op, data.in);
  data_ = &data;
  const layers::Shapes& shapes = shapes_->outputs;
  model_.check_ids(op, data.in);
  LF_CHECK(data.in.count >= 1, "[" << op << "] x has no samples; expected at least one");
  LF_CHECK(data.targets.size() == shapes.size(), "[" << op << "] y has " << data.targets.size()
                                                     << " items; expected " << shapes.size()
                                                     << ", one for each output");
  batch_ = std::min(batch_size, data.in.count);
  const std::vector<bool> masked = masked_outputs();
  outputs_.clear();
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const OutputTraining<T>& training = training_->outputs[k];
    const Target<T>& target = data.targets[k];
    outputs_.push_back({&training, &target, shapes[k], shapes[k].rows(), shapes[k].features(),
                        target.weights != nullptr || masked[k]});
    if (training.needs_target()) check_target(k);
  }
  carried_.reset();
  carried_.emplace(model_.definition().carried, model_.batch_size(), op, what_, data.in.count,
                   batch_);
}

template <class T>
std::vector<bool> BatchRun<T>::masked_outputs() const {
  std::vector<bool> inputs, out;
  for (const InputArray<T>& input : data_->in.inputs) inputs.push_back(input.mask != nullptr);
  const bool any = std::find(inputs.begin(), inputs.end(), true) != inputs.end();
  if (any) out = model_.definition().graph->masked_outputs(inputs);
  for (std::size_t k = 0; k < training_->outputs.size(); ++k) {
    const OutputTraining<T>& output = training_->outputs[k];
    if (!any) {
      out.push_back(output.masked);
      continue;
    }
    const bool foreign =
        std::any_of(output.metrics.begin(), output.metrics.end(),
                    [](const auto& metric) { return metric.custom && !metric.weighted; });
    LF_CHECK(!out[k] || !foreign,
             "[" << op_ << "] the samples of x differ in length, so the output has a mask; "
                 << "expected built-in metrics, which heed it");
  }
  return out;
}

template <class T>
bool BatchRun<T>::has(index b) {
  if (source_ == nullptr) return b < batches();
  const Examples<T>* const data = source_->next(source_->context);
  if (data == nullptr) return false;
  take(*data, data->in.count);
  plan(*memory_, for_training_);
  return true;
}

template <class T>
void BatchRun<T>::check_target(std::size_t k) {
  const char* const op = op_;
  Output& output = outputs_[k];
  const losses::Loss<T>* const loss = output.training->loss.get();  // null: metrics alone
  const Target<T>& target = *output.data;
  const index count = data_->in.count, rows = output.rows;
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
             "[" << op << "] " << y << " has shape " << base::shape_text(target.shape)
                 << "; expected a value or a label for each of the output's "
                 << base::shape_text(output.shape.with_batch(count)));
  } else {
    loss->check_targets(count * rows, output.columns, target.y, output.target_columns);
  }
  if (!output.weighted) return;
  const std::string weights = numbered("sample_weight", k, outputs_.size());
  const bool given = target.weights != nullptr;
  const bool heeds =
      loss == nullptr ||
      loss->weighs({batch_, output.shape.sizes, output.shape.rank}, target.first(batch_));
  LF_CHECK(heeds, "[" << op << "] " << (given ? weights + " is given" : "the output has a mask")
                      << "; expected none with a loss of one's own that returns a gradient");
  LF_CHECK(!given || target.weights_each == 1 || target.weights_each == rows,
           "[" << op << "] " << weights << " has " << target.weights_each
               << " values a sample; expected 1"
               << (rows > 1 ? " or " + std::to_string(rows) + ", one for each step" : ""));
}

template <class T>
index BatchRun<T>::sample_size() const {
  index size = 0;
  for (const InputArray<T>& input : data_->in.inputs) size += input.shape.count();
  return size;
}

template <class T>
void BatchRun<T>::plan(PassMemory<T>& memory, bool training, bool gathered) {
  memory_ = &memory;
  for_training_ = training;
  gathered &= source_ == nullptr;
  memory.plan(shapes_->inputs, batch_, training);
  gathered_.resize(data_->in.inputs.size());
  memory.arrange([&](const auto& place) {
    for (std::size_t k = 0; k < gathered_.size(); ++k) {
      const InputArray<T>& input = data_->in.inputs[k];
      const index count = batch_ * input.shape.count();
      place(gathered_[k].values, count, gathered && input.values != nullptr);
      place(gathered_[k].ids, count, gathered && input.ids != nullptr);
      place(gathered_[k].mask, batch_ * input.mask_size(), gathered && input.mask != nullptr);
    }
    const layers::DecoderInput<T>* const decoder = model_.definition().decoder;
    const bool samples = training && decoder != nullptr && decoder->samples();
    const InputArray<T>& targets =
        data_->in.inputs[static_cast<std::size_t>(model_.definition().targets)];
    place(sampled_.values, batch_ * targets.shape.count(), samples && targets.values != nullptr);
    place(sampled_.ids, batch_ * targets.shape.count(), samples && targets.ids != nullptr);
    if (samples) {
      const index ids = model_.definition().graph->elements(model_.definition().targets).ids;
      decoder->check_sampling(op_, targets.shape, ids, outputs_[0].shape);
    }
    for (Output& output : outputs_) {
      const Target<T>& data = *output.data;
      place(output.gathered_y, batch_ * output.target_size, gathered);
      place(output.gathered_weights, batch_ * data.weights_each,
            gathered && data.weights != nullptr);
      const index rows = batch_ * output.rows;
      place(output.loss_weights, rows, output.weighted);
      place(output.metric_weights, rows, output.weighted);
      place(output.prediction, rows * output.columns);
      place(output.gradient, rows * output.columns, training);
    }
  });
  if (columns_.empty()) {
    for (const Output& output : outputs_) {
      columns_.push_back({output.columns, output.target_columns});
    }
    metrics_ = EpochMetrics<T>(training_->outputs, columns_);
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {  // of a source, batches may differ
    LF_CHECK(columns_[k].target == outputs_[k].target_columns,
             "[" << op_ << "] " << numbered("y", k, outputs_.size()) << " has "
                 << outputs_[k].target_columns << " values for a row; expected "
                 << columns_[k].target << ", as in the batches before");
  }
}

template <class T>
void BatchRun<T>::read(index b, const index* order) {
  samples_ = std::min(batch_, data_->in.count - first(b));
  const auto batch = [&](index size, const auto* from, auto* to) -> decltype(from) {
    if (to == nullptr) return element(from, first(b) * size);
    ops::gather_rows(samples_, size, order + first(b), from, size, to, size);
    return to;
  };
  for (std::size_t k = 0; k < gathered_.size(); ++k) {
    const InputArray<T>& input = data_->in.inputs[k];
    const index size = input.shape.count();
    memory_->in(k) = {batch(size, input.values, gathered_[k].values),
                      batch(size, input.ids, gathered_[k].ids),
                      batch(input.mask_size(), input.mask, gathered_[k].mask), nullptr};
  }
  for (Output& output : outputs_) {
    const Target<T>& data = *output.data;
    output.y = batch(output.target_size, data.y, output.gathered_y);
    output.weights = batch(data.weights_each, data.weights, output.gathered_weights);
  }
}

template <class T>
index BatchRun<T>::weigh(std::size_t k) {
  const Output& output = outputs_[k];
  const unsigned char* const mask = memory_->out(k).mask;
  index counted = 0;
  for (index r = 0; r < samples_ * output.rows; ++r) {
    const bool real = mask == nullptr || mask[r] != 0;
    const T of_sample = output.weights == nullptr        ? T(1)
                        : output.data->weights_each == 1 ? output.weights[r / output.rows]
                                                         : output.weights[r];
    output.loss_weights[r] = real ? of_sample : T(0);
    output.metric_weights[r] = real ? T(1) : T(0);
    counted += real;
  }
  return counted;
}

template <class T>
template <class Batch>
void BatchRun<T>::describe(const Output& output, Batch& batch) const {
  batch.rows = samples_ * output.rows;
  batch.columns = output.columns;
  batch.prediction = output.prediction;
  batch.prediction_stride = batch.gradient_stride = batch.output_stride = output.columns;
  batch.target = output.y;
  batch.target_stride = output.target_columns;
  batch.prediction_shape = {samples_, output.shape.sizes, output.shape.rank};
  batch.target_shape = output.data->first(samples_);
}

template <class T>
double BatchRun<T>::loss(std::size_t k, bool gradient) {
  const Output& output = outputs_[k];
  const losses::Loss<T>& loss = *output.training->loss;
  losses::LossBatch<T> batch;
  describe(output, batch);
  if (gradient) batch.gradient = memory_->out(k).gradient = output.gradient;
  if (output.weighted) {
    batch.counted = weigh(k);
    batch.weights = output.loss_weights;
  }
  std::optional<base::FlushDenormals> flush;
  if (!loss.foreign()) flush.emplace();
  double value = 0;
  if (training_->fused[k] != 0) {
    batch.output = output.prediction;
    value = loss.value_fused(batch);
  } else {
    value = loss.value(batch);
  }
  if (gradient && output.training->weight != 1) {
    ops::scale(batch.rows * output.columns, static_cast<T>(output.training->weight),
               static_cast<const T*>(batch.gradient), batch.gradient);
  }
  return value;
}

// The parallel form of scheduled sampling (Mihaylova, Martins: Scheduled Sampling for Transformers,
// ACL 2019): one pass over the targets computes the outputs, the next one trains on the mixture.
template <class T>
void BatchRun<T>::sample(layers::Pass<T>& pass) {
  const layers::DecoderInput<T>* const decoder = model_.definition().decoder;
  if (decoder == nullptr || !(decoder->sampling_rate(pass.step) > 0)) return;
  const auto k = static_cast<std::size_t>(model_.definition().targets);
  const Output& output = outputs_[0];
  layers::In<T>& in = memory_->in(k);
  pass.fused = nullptr;
  {
    const CarriedUndo<T> undo(model_.definition().carried, before_sampling_);
    memory_->forward(pass);
  }
  layers::Out<T> mixed;
  mixed.values = sampled_.values;
  mixed.ids = sampled_.ids;
  decoder->sample(pass, data_->in.inputs[k].shape, in, output.prediction, output.columns, mixed);
  in.values = sampled_.values;
  in.ids = sampled_.ids;
}

template <class T>
double BatchRun<T>::forward_loss(bool gradient, layers::Pass<T>& pass) {
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    memory_->out(k) = {outputs_[k].prediction, nullptr, nullptr, nullptr};
  }
  pass.batch = samples_;
  pass.carries = true;
  double total = 0, penalty = 0;
  {
    const base::FlushDenormals flush;
    if (gradient) sample(pass);
    pass.fused = training_->fused.data();
    pass.penalty = &penalty;
    memory_->forward(pass);
    pass.penalty = nullptr;
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const OutputTraining<T>& training = *outputs_[k].training;
    if (training.loss == nullptr) {
      if (outputs_[k].weighted) weigh(k);
      continue;
    }
    const double own = loss(k, gradient);
    metrics_.set_loss(k, own);
    total += training.weight * own;
  }
  return total + penalty;
}

template <class T>
void BatchRun<T>::record(double loss) {
  metrics_.add_loss(loss, samples_);
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const Output& output = outputs_[k];
    if (output.training->metrics.empty()) continue;
    metrics::MetricBatch<T> batch;
    describe(output, batch);
    metrics_.add(k, batch, output.weighted ? output.loss_weights : nullptr,
                 memory_->out(k).mask != nullptr ? output.metric_weights : nullptr);
  }
}

template class BatchRun<float>;
template class BatchRun<double>;

}  // namespace lstmfast::model
