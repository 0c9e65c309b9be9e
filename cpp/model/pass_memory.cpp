#include "model/pass_memory.h"

namespace lstmfast::model {

template <class T>
void PassMemory<T>::plan(const PassExtent& extent) {
  if (extent_.covers(extent)) return;
  extent_ = PassExtent{};  // in force only when all of the plan has succeeded
  base::Planner planner;
  chain_.declare(*state_, planner, {extent.input, extent.batch, extent.training});
  x_ = planner.add<T>(extent.batch * extent.input.count());
  target_ = planner.add<T>(extent.batch * extent.target);
  prediction_ = planner.add<T>(extent.batch * extent.output.count());
  gradient_ = planner.add<T>(extent.training ? extent.batch * extent.output.count() : 0);
  arena_.reserve(planner);
  extent_ = extent;
}

template class PassMemory<float>;
template class PassMemory<double>;

}  // namespace lstmfast::model
