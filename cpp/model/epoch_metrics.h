// The numbers of an epoch: mean loss and the metrics, gathered batch by batch. Knows no training.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/denormals.h"
#include "model/callbacks.h"
#include "model/custom_functions.h"

namespace lstmfast::model {

template <class T>
class EpochMetrics {
 public:
  // For predictions of `columns` and targets of `target_columns` values a row.
  EpochMetrics(const std::vector<MetricChoice<T>>& metrics, index columns, index target_columns)
      : names_{"loss"} {
    for (const MetricChoice<T>& metric : metrics) {
      metrics_.push_back(metric.make(columns, target_columns));
      names_.push_back(metrics_.back()->name());
    }
    values_.resize(names_.size());
  }

  void reset() {
    loss_ = samples_ = 0;
    for (const auto& metric : metrics_) metric->reset();
  }

  // A batch of `samples` counts as that many: the mean over an epoch is Keras's.
  void add(double loss, index samples, const metrics::MetricBatch<T>& batch) {
    loss_ += loss * static_cast<double>(samples);
    samples_ += static_cast<double>(samples);
    for (const auto& metric : metrics_) {
      std::optional<base::FlushDenormals> flush;
      if (!metric->foreign()) flush.emplace();
      metric->accumulate(batch);
    }
  }
  // A batch whose predictions are not to be looked at.
  void add_loss(double loss, index samples) {
    loss_ += loss * static_cast<double>(samples);
    samples_ += static_cast<double>(samples);
  }

  // "loss", then the metrics. Holds until the next call.
  Logs logs() {
    values_[0] = samples_ > 0 ? loss_ / samples_ : 0;
    for (std::size_t i = 0; i < metrics_.size(); ++i) values_[i + 1] = metrics_[i]->result();
    return {names_.data(), values_.data(), static_cast<index>(names_.size())};
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::vector<double> values_;
  std::vector<std::unique_ptr<metrics::Metric<T>>> metrics_;
  double loss_ = 0, samples_ = 0;
};

}  // namespace lstmfast::model
