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
  const layers::Shapes& output_shapes() const { return shapes_->outputs; }  // of one sample
  index batches() const { return (data_.in.count + batch_ - 1) / batch_; }
  index samples(index b) const { return std::min(batch_, data_.in.count - b * batch_); }
  index sample_size() const;  // values of one sample, of all inputs
  // `gathered`: batches are copied together from samples in any order.
  PassExtent extent(bool training, bool gathered = false) const;
  EpochMetrics<T> make_metrics() const;

  // Make batch b the next one of the memory, and return its number of samples: as it lies in the
  // data, or as a copy of the samples order[b * batch size ..).
  index read(index b, PassMemory<T>& memory) const;
  index gather(index b, const index* order, PassMemory<T>& memory) const;

  // Forward and losses. Returns the sum of all losses and of the penalties on outputs (without
  // those on weights), and writes the loss of each output to `losses`. Leaves the activated
  // predictions in the memory and, if `gradient`, their gradients (for a fused loss that of the
  // pre-activation) for memory.backward().
  double forward_loss(index samples, bool gradient, layers::Pass<T>& pass, PassMemory<T>& memory,
                      double* losses) const;

  // Requires forward_loss() of the same batch.
  void add_metrics(index samples, PassMemory<T>& memory, EpochMetrics<T>& metrics) const;

 private:
  struct Output {
    const OutputTraining<T>& training;
    const Target<T>& data;
    layers::Shape shape;
    index rows, columns;       // of one sample's prediction
    bool weighted;             // rows have weights
    index target_columns = 0;  // values of a row of the target; 0: it has other rows
    index target_size = 0;     // values of one sample's target; 0: there is none
  };

  void check_target(const char* op, std::size_t k);
  // Sets what losses and metrics read of an output.
  template <class Batch>
  void describe(index samples, std::size_t k, PassMemory<T>& memory, Batch& batch) const;
  double loss(index samples, std::size_t k, bool gradient, PassMemory<T>& memory) const;
  // Sets the weights of a prediction's rows: in the loss by mask and sample weights, in metrics by
  // the mask alone. Returns how many rows the mask leaves.
  index weigh(index samples, std::size_t k, PassMemory<T>& memory) const;

  std::shared_ptr<const Training<T>> training_;
  const Examples<T>& data_;
  std::shared_ptr<const PassShapes> shapes_;
  std::vector<Output> outputs_;
  index batch_ = 0;  // samples of a whole batch
  std::optional<CarriedUse<T>> carried_;
};

}  // namespace lstmfast::model
