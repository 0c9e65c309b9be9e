#include "model/pass_memory.h"

namespace lstmfast::model {

template <class T>
void PassMemory<T>::plan(const PassExtent& extent) {
  if (extent_.covers(extent)) return;
  extent_ = PassExtent{};  // in force only when all of the plan has succeeded
  base::Planner planner;
  chain_.declare(*state_, planner, {extent.input, extent.batch, extent.training});
  const index output = extent.loss ? extent.batch * extent.output.count() : 0;
  x_ = planner.add<T>(extent.target > 0 ? extent.batch * extent.input.count() : 0);
  target_ = planner.add<T>(extent.batch * extent.target);
  weights_ = planner.add<T>(extent.batch * extent.weights);
  const index rows = extent.weighted ? extent.batch * extent.output.rows() : 0;
  loss_weights_ = planner.add<T>(rows);
  metric_weights_ = planner.add<T>(rows);
  prediction_ = planner.add<T>(output);
  gradient_ = planner.add<T>(extent.training ? output : 0);
  arena_.reserve(planner);
  extent_ = extent;
}

template class PassMemory<float>;
template class PassMemory<double>;

}  // namespace lstmfast::model
