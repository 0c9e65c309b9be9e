// The history of a fit, and its writer. Knows no training.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/callbacks.h"

namespace lstmfast::model {

// Invariant, also after an error: each name has as many values as there are epochs.
struct History {
  std::vector<std::string> names;  // loss, metrics; then val_loss, val_metrics
  std::vector<index> epochs;
  std::vector<std::vector<double>> values;  // [name][epoch]
};

// Collects the logs of an epoch, training before validation, and appends them to the history.
class HistoryWriter {
 public:
  HistoryWriter(History& history, const std::vector<std::string>& names, bool validation)
      : history_(history) {
    History empty;
    empty.names = names;
    for (std::size_t i = 0; validation && i < names.size(); ++i) {
      empty.names.push_back("val_" + names[i]);
    }
    empty.values.resize(empty.names.size());
    values_.reserve(empty.names.size());
    history = std::move(empty);
  }

  void begin() { values_.clear(); }
  void add(const Logs& logs) {
    values_.insert(values_.end(), logs.values, logs.values + logs.count);
  }
  Logs end(index epoch) {
    make_room(history_.epochs);
    for (std::vector<double>& values : history_.values) make_room(values);
    // nothing throws from here on
    history_.epochs.push_back(epoch);
    for (std::size_t i = 0; i < values_.size(); ++i) history_.values[i].push_back(values_[i]);
    return {history_.names.data(), values_.data(), static_cast<index>(values_.size())};
  }

 private:
  template <class V>
  static void make_room(std::vector<V>& values) {
    if (values.size() == values.capacity()) values.reserve(2 * values.size() + 1);
  }

  History& history_;
  std::vector<double> values_;
};

}  // namespace lstmfast::model
