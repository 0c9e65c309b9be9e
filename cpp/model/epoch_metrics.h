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
  // Names are "loss" and "metrics.0", "metrics.1" ...; of several outputs "loss", then "N.loss" of
  // each output N with a loss, then "N.metrics.0" ... A metric of several values has its name
  // several times.
  EpochMetrics(const std::vector<OutputTraining<T>>& outputs, const std::vector<Columns>& columns)
      : outputs_(outputs.size()), names_{"loss"} {
    const bool several = outputs.size() > 1;
    const auto prefix = [&](std::size_t k) { return several ? std::to_string(k) + "." : ""; };
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      outputs_[k].shown = several && outputs[k].loss != nullptr;
      if (outputs_[k].shown) names_.push_back(prefix(k) + "loss");
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      std::vector<Gathered>& metrics = outputs_[k].metrics;
      for (const MetricChoice<T>& choice : outputs[k].metrics) {
        const std::string name = prefix(k) + "metrics." + std::to_string(metrics.size());
        metrics.push_back({choice.make(columns[k].prediction, columns[k].target), choice.weighted});
        names_.insert(names_.end(), static_cast<std::size_t>(metrics.back().metric->size()), name);
      }
    }
    values_.resize(names_.size());
  }

  void reset() {
    loss_ = samples_ = 0;
    for (Output& output : outputs_) {
      output.loss = 0;
      for (const Gathered& each : output.metrics) each.metric->reset();
    }
  }

  // Sets the loss of one output in the batch, for add_loss().
  void set_loss(std::size_t output, double loss) { outputs_[output].batch_loss = loss; }

  // Batches are weighted by their samples, as in Keras. `loss`: the sum over all outputs.
  void add_loss(double loss, index samples) {
    const double count = static_cast<double>(samples);
    loss_ += loss * count;
    for (Output& output : outputs_) output.loss += output.batch_loss * count;
    samples_ += count;
  }
  // Weights of rows in weighted metrics, and in the others; null: all 1.
  void add(std::size_t output, metrics::MetricBatch<T>& batch, const T* weighted,
           const T* unweighted) {
    for (const Gathered& each : outputs_[output].metrics) {
      std::optional<base::FlushDenormals> flush;
      if (!each.metric->foreign()) flush.emplace();
      batch.weights = each.weighted ? weighted : unweighted;
      each.metric->accumulate(batch);
    }
  }

  // Valid until the next call.
  Logs logs() {
    const auto mean = [this](double sum) { return samples_ > 0 ? sum / samples_ : 0; };
    std::size_t i = 0;
    values_[i++] = mean(loss_);
    for (const Output& output : outputs_) {
      if (output.shown) values_[i++] = mean(output.loss);
    }
    for (const Output& output : outputs_) {
      for (const Gathered& each : output.metrics) {
        each.metric->results(&values_[i]);
        i += static_cast<std::size_t>(each.metric->size());
      }
    }
    return {names_.data(), values_.data(), static_cast<index>(names_.size())};
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Gathered {
    std::unique_ptr<metrics::Metric<T>> metric;
    bool weighted;
  };
  struct Output {
    std::vector<Gathered> metrics;
    double loss = 0, batch_loss = 0;
    bool shown = false;  // whether the loss is in the logs
  };

  std::vector<Output> outputs_;
  double loss_ = 0, samples_ = 0;
  std::vector<std::string> names_;
  std::vector<double> values_;
};

}  // namespace lstmfast::model
