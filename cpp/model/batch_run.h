// Batches of checked data through model and loss, the piece that training and evaluation share.
// Knows no epochs and no optimizer.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "model/data.h"
#include "model/epoch_metrics.h"
#include "model/model.h"

namespace lstmfast::model {

template <class T>
class BatchRun {
 public:
  // Throws std::invalid_argument unless model, data (named `what` in errors) and loss fit together.
  // Model and data must outlive it; with stateful layers, under a Busy.
  BatchRun(const char* op, const Model<T>& model, const Examples<T>& data, index batch_size,
           const char* what = "x");

  const Examples<T>& data() const { return data_; }
  index batches() const { return (data_.in.count + batch_ - 1) / batch_; }
  index samples(index b) const { return std::min(batch_, data_.in.count - b * batch_); }
  index sample_size() const { return data_.in.shape.count(); }  // values of one sample
  index target_size() const { return target_size_; }
  index rows() const { return rows_; }  // of one sample's prediction
  // `gathered`: batches are put together from samples that lie apart.
  PassExtent extent(bool training, bool gathered = false) const {
    return {data_.in.shape,
            output_,
            batch_,
            training,
            true,
            gathered ? target_size() : 0,
            gathered && data_.weights != nullptr ? data_.weights_each : 0,
            weighted_};
  }
  EpochMetrics<T> make_meter() const {
    return EpochMetrics<T>(training_->metrics, columns_, target_columns_);
  }

  struct Batch {
    const T* x;
    const T* y;
    index samples;
    const T* weights;  // as those of Examples
  };

  // Batch b where it lies in the data.
  Batch at(index b) const {
    const index first = b * batch_;
    return {data_.in.x + first * sample_size(), data_.y + first * target_size(), samples(b),
            data_.weights != nullptr ? data_.weights + first * data_.weights_each : nullptr};
  }

  // Forward and loss, with the penalties on outputs but not those on weights. The activated
  // prediction is left in memory.prediction(); `gradient`: its gradient (where the loss is fused,
  // that of the pre-activation) in memory.gradient().
  double forward_loss(const Batch& batch, bool gradient, layers::Pass<T>& pass,
                      PassMemory<T>& memory) const;

  // For metrics, after forward_loss.
  metrics::MetricBatch<T> metric_batch(const Batch& batch, PassMemory<T>& memory) const;

  // All data, in inference, into `meter`. True when a tick said stop; ticks get `progress`, where
  // it is given, in place of the state of this evaluation.
  bool evaluate(PassMemory<T>& memory, EpochMetrics<T>& meter, const Callbacks& callbacks,
                TickClock& clock, const Progress* progress) const;

 private:
  base::BatchShape prediction_shape(index samples) const {
    return {samples, output_.sizes, output_.rank};
  }
  base::BatchShape target_shape(index samples) const {
    return {samples, data_.y_shape.data() + 1, static_cast<index>(data_.y_shape.size()) - 1};
  }

  // Weights of the rows of the prediction: of the loss by mask and samples, of metrics by the mask.
  void weigh(const Batch& batch, PassMemory<T>& memory, losses::LossBatch<T>& loss) const;

  const Model<T>& model_;
  std::shared_ptr<const Training<T>> training_;
  const Examples<T>& data_;
  layers::Shape output_;
  index rows_, columns_;  // of one sample's prediction
  index target_columns_;  // values of a row of the target; 0: its rows are not the prediction's
  index target_size_ = 0;
  index batch_ = 0;  // samples of a whole batch
  bool weighted_;
  std::optional<typename Carried<T>::Use> carried_;
};

}  // namespace lstmfast::model
