// Checks data against a model and runs batches of them through model and losses, for training and
// evaluation. The data are arrays, or come batch by batch. Knows no epochs and no optimizer.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "model/batch_source.h"
#include "model/data.h"
#include "model/epoch_metrics.h"
#include "model/model.h"

namespace lstmfast::model {

template <class T>
class BatchRun {
 public:
  // Throws std::invalid_argument unless model, data (named `what` in errors) and losses fit
  // together. Model and data must outlive this object. If layers are stateful, the caller holds the
  // leases of the model.
  BatchRun(const char* op, const Model<T>& model, const Examples<T>& data, index batch_size,
           const char* what = "x");
  // Likewise, of the source's first batch; further batches are checked as they come.
  BatchRun(const char* op, const Model<T>& model, const BatchSource<T>& source,
           const char* what = "x");

  // Plans the memory, which the calls below use, and makes the metrics. `gathered`: batches are
  // copied together from samples in any order, unless they come from a source.
  void plan(PassMemory<T>& memory, bool training, bool gathered = false);

  const Examples<T>& data() const { return *data_; }  // those of a source: of the batch alone
  const layers::Shapes& output_shapes() const { return shapes_->outputs; }  // of one sample
  // Of a pass; 0: unknown.
  index batches() const {
    return source_ != nullptr ? source_->batches : (data_->in.count + batch_ - 1) / batch_;
  }
  index sample_size() const;  // values of one sample, of all inputs
  EpochMetrics<T>& metrics() { return metrics_; }

  // Of a source. A pass is begin(), then has(0), has(1), ... and end().
  void begin() const {
    if (source_ != nullptr) source_->begin(source_->context);
  }
  void end() const {
    if (source_ != nullptr) source_->end(source_->context);
  }
  // Whether there is a batch b; takes it from the source.
  bool has(index b);
  // Makes batch b the next one: where it lies in the data, or if batches are gathered, a copy of
  // the samples order[first(b)] ..
  void read(index b, const index* order = nullptr);
  // The number of the first sample of batch b, in the data; and of the next batch's samples.
  index first(index b) const { return source_ != nullptr ? 0 : b * batch_; }
  index samples() const { return samples_; }

  // Forward and losses. Returns the sum of all losses and of the penalties on outputs (without
  // those on weights). Leaves the activated predictions in the memory and, if `gradient`, their
  // gradients (for a fused loss that of the pre-activation) for memory.backward().
  double forward_loss(bool gradient, layers::Pass<T>& pass);

  // Adds the batch of forward_loss() to the metrics. `loss`: the sum over all outputs.
  void record(double loss);

 private:
  struct Output {
    const OutputTraining<T>* training;
    const Target<T>* data;
    layers::Shape shape;
    index rows, columns;       // of one sample's prediction
    bool weighted;             // rows have weights
    index target_columns = 0;  // values of a row of the target; 0: it has other rows
    index target_size = 0;     // values of one sample's target; 0: there is none

    // Of the next batch: targets and the weights of samples, null: all 1.
    const T *y = nullptr, *weights = nullptr;
    // Arrays of the memory: copies of the two, where batches are gathered, and others by row.
    T *gathered_y = nullptr, *gathered_weights = nullptr;
    T *prediction = nullptr, *gradient = nullptr;
    T *loss_weights = nullptr, *metric_weights = nullptr;
  };

  // Arrays of the memory for copies of an input's samples.
  struct GatheredInput {
    T* values = nullptr;
    std::int32_t* ids = nullptr;
    unsigned char* mask = nullptr;
  };

  // Where the model learns from targets as inputs, puts outputs of its own in the place of some.
  void sample(layers::Pass<T>& pass);
  // Checks data and takes them; they must stay until the next ones are taken.
  void take(const Examples<T>& data, index batch_size);
  void check_target(std::size_t k);
  // Whether each output has a mask; throws for one that custom functions would not know.
  std::vector<bool> masked_outputs() const;
  // Sets what losses and metrics read of an output.
  template <class Batch>
  void describe(const Output& output, Batch& batch) const;
  double loss(std::size_t k, bool gradient);
  // Sets the weights of a prediction's rows: in the loss by mask and sample weights, in metrics by
  // the mask alone. Returns how many rows the mask leaves.
  index weigh(std::size_t k);

  const char *op_, *what_;
  const Model<T>& model_;
  std::shared_ptr<const Training<T>> training_;
  const BatchSource<T>* source_ = nullptr;  // null: the data are arrays
  const Examples<T>* data_ = nullptr;
  std::shared_ptr<const PassShapes> shapes_;
  PassMemory<T>* memory_ = nullptr;
  std::vector<GatheredInput> gathered_;
  CarriedCopy<T> before_sampling_;
  GatheredInput sampled_;  // targets as inputs, some of them replaced; null: none are
  std::vector<Output> outputs_;
  EpochMetrics<T> metrics_;
  std::vector<typename EpochMetrics<T>::Columns> columns_;  // that the metrics were made for
  bool for_training_ = false;                               // as planned
  index batch_ = 0;                                         // samples of a whole batch
  index samples_ = 0;                                       // of the next batch
  std::optional<CarriedUse<T>> carried_;
};

// What a pass has of its data: arrays in batches of this size, or the batches of a source.
template <class T>
struct Arrays {
  const Examples<T>& data;
  index batch_size;

  BatchRun<T> run(const char* op, const Model<T>& model, const char* what = "x") const {
    return {op, model, data, batch_size, what};
  }
};
template <class T>
struct Batches {
  const BatchSource<T>& source;

  BatchRun<T> run(const char* op, const Model<T>& model, const char* what = "x") const {
    return {op, model, source, what};
  }
};

}  // namespace lstmfast::model
