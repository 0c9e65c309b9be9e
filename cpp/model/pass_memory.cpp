#include "model/pass_memory.h"

namespace lstmfast::model {

template <class T>
PassMemory<T>::PassMemory(const layers::Graph<T>& graph, const layers::GradientLayout<T>* layout)
    : graph_(graph),
      in_(static_cast<std::size_t>(graph.inputs())),
      out_(static_cast<std::size_t>(graph.outputs())) {
  state_ = graph.make_state(layout);
}

template <class T>
void PassMemory<T>::plan(const layers::Extent& extent) {
  const bool covered = extent.inputs == extent_.inputs && extent.batch <= extent_.batch &&
                       extent.training == extent_.training;
  const bool spare = extent.batch < extent_.batch / 4 && arena_.bytes() >= base::Arena::kSparedFrom;
  with_memory(extent, [&] {
    if (covered && !spare && !arena_.keep()) return;
    extent_ = {};  // set again only after all of the plan has succeeded
    base::Planner planner;
    graph_.declare(*state_, planner, extent);
    arena_.reserve(planner);
    extent_ = extent;
  });
}

template class PassMemory<float>;
template class PassMemory<double>;

}  // namespace lstmfast::model
