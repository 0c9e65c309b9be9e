// Checks data against a model and runs batches of them through model and losses, for training and
// evaluation. Knows no epochs and no optimizer.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

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

  const Examples<T>& data() const { return data_; }
  index batches() const { return (data_.in.count + batch_ - 1) / batch_; }
  index samples(index b) const { return std::min(batch_, data_.in.count - b * batch_); }
  index sample_size() const;  // values of one sample, of all inputs
  // By output: rows of one sample's prediction.
  const std::vector<index>& rows() const { return rows_; }
  // `gathered`: batches are copied together from samples in any order.
  PassExtent extent(bool training, bool gathered = false) const;
  EpochMetrics<T> make_metrics() const;

  struct Batch {
    index first, samples;
    bool gathered;  // the samples are in the pass memory; else in the data, from sample `first`
  };
  Batch at(index b) const { return {b * batch_, samples(b), false}; }
  // Copies the samples order[first ..) of batch b into the memory.
  Batch gather(index b, const index* order, PassMemory<T>& memory) const;

  // Forward and losses. Returns the sum of all losses and of the penalties on outputs (without
  // those on weights), and writes the loss of each output to `losses`. Leaves the activated
  // predictions in memory.prediction() and, if `gradient`, their gradients (for a fused loss that
  // of the pre-activation) for memory.backward().
  double forward_loss(const Batch& batch, bool gradient, layers::Pass<T>& pass,
                      PassMemory<T>& memory, double* losses) const;

  // Requires forward_loss() of the same batch.
  void add_metrics(const Batch& batch, PassMemory<T>& memory, EpochMetrics<T>& metrics) const;

  // Evaluates all data into `metrics`, in inference. Returns true if a tick stopped it. Ticks get
  // `progress`, if given, in place of the progress of this evaluation.
  bool evaluate(PassMemory<T>& memory, EpochMetrics<T>& metrics, const Callbacks& callbacks,
                TickClock& clock, const Progress* progress) const;

 private:
  struct Output {
    layers::Shape shape;
    index columns;          // of one row of the prediction
    index target_columns;   // values of a row of the target; 0: it has other rows
    index target_size = 0;  // values of one sample's target; 0: there is none
    bool weighted = false;
  };

  void check_target(const char* op, std::size_t k);
  std::size_t outputs() const { return outputs_.size(); }
  const T* target(const Batch& batch, std::size_t k, PassMemory<T>& memory) const;
  const T* weights(const Batch& batch, std::size_t k, PassMemory<T>& memory) const;
  base::BatchShape prediction_shape(std::size_t k, index samples) const {
    return {samples, outputs_[k].shape.sizes, outputs_[k].shape.rank};
  }
  base::BatchShape target_shape(std::size_t k, index samples) const {
    const std::vector<index>& shape = data_.targets[k].shape;
    return {samples, shape.data() + 1, static_cast<index>(shape.size()) - 1};
  }
  double loss(const Batch& batch, std::size_t k, bool gradient, PassMemory<T>& memory) const;
  // Sets the weights of a prediction's rows: in the loss by mask and sample weights, in metrics by
  // the mask alone.
  void weigh(const Batch& batch, std::size_t k, PassMemory<T>& memory,
             losses::LossBatch<T>* loss = nullptr) const;

  const Model<T>& model_;
  std::shared_ptr<const Training<T>> training_;
  const Examples<T>& data_;
  std::shared_ptr<const PassShapes> shapes_;
  std::vector<Output> outputs_;
  std::vector<index> rows_;
  std::vector<unsigned char> fused_;  // by output
  index batch_ = 0;                   // samples of a whole batch
  std::optional<CarriedUse<T>> carried_;
};

}  // namespace lstmfast::model
