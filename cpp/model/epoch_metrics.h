// The logs of an epoch: mean losses and the metrics, accumulated batch by batch. Knows no loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/denormals.h"
#include "model/callbacks.h"
#include "model/training.h"

namespace lstmfast::model {

template <class T>
class EpochMetrics {
 public:
  // Values in a row of an output's predictions and targets.
  struct Columns {
    index prediction, target;
  };

  EpochMetrics() = default;
  // Names are "loss" and those of the metrics; of several outputs "loss", then "N.loss" of each
  // output N with a loss, then "N.METRIC".
  EpochMetrics(const std::vector<OutputTraining<T>>& outputs, const std::vector<Columns>& columns)
      : metrics_(outputs.size()), losses_(outputs.size()), own_(outputs.size()), names_{"loss"} {
    const bool several = outputs.size() > 1;
    const auto prefix = [&](std::size_t k) { return several ? std::to_string(k) + "." : ""; };
    for (std::size_t k = 0; several && k < outputs.size(); ++k) {
      if (outputs[k].loss == nullptr) continue;
      shown_.push_back(k);
      names_.push_back(prefix(k) + "loss");
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      for (const MetricChoice<T>& metric : outputs[k].metrics) {
        metrics_[k].push_back(metric.make(columns[k].prediction, columns[k].target));
        names_.push_back(prefix(k) + metrics_[k].back()->name());
      }
    }
    values_.resize(names_.size());
  }

  void reset() {
    loss_ = samples_ = 0;
    std::fill(losses_.begin(), losses_.end(), 0.0);
    for (const auto& metrics : metrics_) {
      for (const auto& metric : metrics) metric->reset();
    }
  }

  // Room for the losses of each output in one batch, for add_loss().
  std::vector<double>& losses() { return own_; }

  // Batches are weighted by their samples, as in Keras. `loss`: the sum over all outputs.
  void add_loss(double loss, index samples) {
    const double count = static_cast<double>(samples);
    loss_ += loss * count;
    for (std::size_t k = 0; k < own_.size(); ++k) losses_[k] += own_[k] * count;
    samples_ += count;
  }
  void add(std::size_t output, const metrics::MetricBatch<T>& batch) {
    for (const auto& metric : metrics_[output]) {
      std::optional<base::FlushDenormals> flush;
      if (!metric->foreign()) flush.emplace();
      metric->accumulate(batch);
    }
  }

  // Valid until the next call.
  Logs logs() {
    const auto mean = [this](double sum) { return samples_ > 0 ? sum / samples_ : 0; };
    std::size_t i = 0;
    values_[i++] = mean(loss_);
    for (const std::size_t k : shown_) values_[i++] = mean(losses_[k]);
    for (const auto& metrics : metrics_) {
      for (const auto& metric : metrics) values_[i++] = metric->result();
    }
    return {names_.data(), values_.data(), static_cast<index>(names_.size())};
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::vector<std::unique_ptr<metrics::Metric<T>>>> metrics_;  // by output
  double loss_ = 0, samples_ = 0;
  std::vector<double> losses_, own_;  // by output
  std::vector<std::size_t> shown_;    // outputs whose losses are in the logs
  std::vector<std::string> names_;
  std::vector<double> values_;
};

}  // namespace lstmfast::model
