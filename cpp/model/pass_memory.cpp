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
void PassMemory<T>::plan(const layers::Shapes& inputs, index batch, bool training) {
  const bool covered =
      inputs == extent_.inputs && batch <= extent_.batch && training == extent_.training;
  const bool spare = batch < extent_.batch / 4 && arena_.bytes() >= base::Arena::kSparedFrom;
  bool kept = covered && !spare;
  if (kept) with_memory(extent_, [&] { kept = !arena_.keep(); });
  if (kept) return;
  const layers::Extent extent{inputs, batch, training};
  with_memory(extent, [&] {
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
