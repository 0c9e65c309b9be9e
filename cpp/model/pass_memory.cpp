#include "model/pass_memory.h"

namespace lstmfast::model {

template <class T>
PassMemory<T>::PassMemory(const layers::Graph<T>& graph, const layers::GradientLayout<T>* layout)
    : graph_(graph),
      inputs_(static_cast<std::size_t>(graph.inputs())),
      outputs_(static_cast<std::size_t>(graph.outputs())),
      in_(inputs_.size()),
      out_(outputs_.size()),
      targets_(outputs_.size()) {
  layers::StateBinding<T> binding(layout);
  state_ = graph.make_state(binding);
}

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
  extent_ = PassExtent{};  // set again only after all of the plan has succeeded
  base::Planner planner;
  graph_.declare(*state_, planner, {extent.shapes->inputs, extent.batch, extent.training});
  for (std::size_t k = 0; k < inputs_.size(); ++k) {
    const index count = extent.gathered ? extent.batch * extent.shapes->inputs[k].count() : 0;
    const layers::Elements carried = graph_.elements(static_cast<index>(k));
    inputs_[k].x = planner.add<T>((carried & layers::kValues) != 0 ? count : 0);
    inputs_[k].ids = planner.add<std::int32_t>((carried & layers::kIds) != 0 ? count : 0);
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    OutputSlots& slots = outputs_[k];
    slots = {};
    if (extent.targets.empty()) continue;
    const TargetExtent& target = extent.targets[k];
    const index count = extent.batch * extent.shapes->outputs[k].count();
    const index rows = target.weighted ? extent.batch * extent.shapes->outputs[k].rows() : 0;
    slots.target = planner.add<T>(extent.batch * target.target);
    slots.weights = planner.add<T>(extent.batch * target.weights);
    slots.loss_weights = planner.add<T>(rows);
    slots.metric_weights = planner.add<T>(rows);
    slots.prediction = planner.add<T>(count);
    slots.gradient = planner.add<T>(extent.training ? count : 0);
  }
  with_memory(extent, [&] { arena_.reserve(planner); });
  extent_ = extent;
}

template class PassMemory<float>;
template class PassMemory<double>;

}  // namespace lstmfast::model
