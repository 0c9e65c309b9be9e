// A loss that is a graph: operations on a whole batch of targets and predictions. Knows no code
// from which the graph was made.
#pragma once

#include <memory>
#include <string>

#include "base/no_copy.h"
#include "layers/graph.h"
#include "losses/loss.h"
#include "model/pass_memory.h"
#include "model/pool.h"

namespace lstmfast::model {

// value() may run in any number of threads at a time.
template <class T>
class LossGraph : base::NoCopy {
 public:
  // Inputs are target and prediction, each a batch as the one sample of a pass. The output is one
  // number, or one for each sample or row of the prediction, with any axes after these.
  LossGraph(std::string name, std::shared_ptr<const layers::Graph<T>> graph);

  // As Loss::value(), for batches of the graph's shapes. The mean of the output's numbers, each
  // times the weight of its row or sample; one number of all rows has their mean weight. Throws
  // std::invalid_argument where weights differ among the rows of a number.
  double value(const losses::LossBatch<T>& batch) const;

 private:
  class Weights;

  std::string name_;
  std::shared_ptr<const layers::Graph<T>> graph_;
  layers::Shapes inputs_;
  layers::Shape output_;
  mutable Pool<PassMemory<T>> pool_;
};

}  // namespace lstmfast::model
