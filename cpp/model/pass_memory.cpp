#include "model/pass_memory.h"

namespace lstmfast::model {

template <class T>
bool PassMemory<T>::spares(const PassExtent& extent) {
  if (extent.batch >= extent_.batch / 4 || arena_.bytes() < base::Arena::kSparedFrom) {
    spare_plans_ = 0;
    return false;
  }
  spare_batch_ = std::max(spare_plans_ == 0 ? 0 : spare_batch_, extent.batch);
  return ++spare_plans_ >= kSparePlans;
}

template <class T>
void PassMemory<T>::plan(const PassExtent& extent) {
  if (extent_.covers(extent)) {
    if (!spares(extent)) return;
    PassExtent least = extent_;
    least.batch = spare_batch_;
    extent_ = PassExtent{};
    arena_ = {};
    return plan(least);
  }
  spare_plans_ = 0;
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
  with_memory(extent, [&] { arena_.reserve(planner); });
  extent_ = extent;
}

template class PassMemory<float>;
template class PassMemory<double>;

}  // namespace lstmfast::model
