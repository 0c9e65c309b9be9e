// Batches of checked data through model and losses, the piece that training and evaluation share.
// Knows no epochs and no optimizer.
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
  // together. Model and data must outlive it; with stateful layers, under a lease of the model.
  BatchRun(const char* op, const Model<T>& model, const Examples<T>& data, index batch_size,
           const char* what = "x");

  const Examples<T>& data() const { return data_; }
  index batches() const { return (data_.in.count + batch_ - 1) / batch_; }
  index samples(index b) const { return std::min(batch_, data_.in.count - b * batch_); }
  index sample_size() const;  // values of one sample, of all inputs
  // Rows of one sample's prediction, by output.
  const std::vector<index>& rows() const { return rows_; }
  // `gathered`: batches are put together from samples that lie apart.
  PassExtent extent(bool training, bool gathered = false) const;
  EpochMetrics<T> make_metrics() const;

  struct Batch {
    index first, samples;
    bool gathered;  // in the pass memory, instead of from sample `first` of the data on
  };
  Batch at(index b) const { return {b * batch_, samples(b), false}; }
  // Copies the samples order[first ..) of batch b into the memory.
  Batch gather(index b, const index* order, PassMemory<T>& memory) const;

  // Forward and losses, with the penalties on outputs but not those on weights: their sum, and
  // that of each output in losses. The activated predictions are left in memory.prediction();
  // `gradient`: their gradients (where a loss is fused, that of the pre-activation) are left for
  // memory.backward().
  double forward_loss(const Batch& batch, bool gradient, layers::Pass<T>& pass,
                      PassMemory<T>& memory, double* losses) const;

  // After forward_loss.
  void add_metrics(const Batch& batch, PassMemory<T>& memory, EpochMetrics<T>& metrics) const;

  // All data, in inference, into `metrics`. True when a tick said stop; ticks get `progress`, where
  // it is given, in place of the state of this evaluation.
  bool evaluate(PassMemory<T>& memory, EpochMetrics<T>& metrics, const Callbacks& callbacks,
                TickClock& clock, const Progress* progress) const;

 private:
  struct Output {
    layers::Shape shape;
    index columns;          // of one row of the prediction
    index target_columns;   // values of a row of the target; 0: its rows are not the prediction's
    index target_size = 0;  // of one sample; 0: there is none
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
  // Weights of the rows of a prediction: of the loss by mask and samples, of metrics by the mask.
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
