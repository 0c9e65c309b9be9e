// The memory of one running pass through a model: the graph's activations, gradients and caches,
// and the arrays of its batches. Planned for the largest batch, then used by any number of steps
// without allocation. Knows no loss.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/no_copy.h"
#include "layers/graph.h"
#include "model/carried.h"
#include "model/data.h"

namespace lstmfast::model {

// Not shared between concurrent passes.
template <class T>
class PassMemory : base::NoCopy {
 public:
  // `layout`: of the gradients of training passes; null: inference alone.
  PassMemory(const layers::Graph<T>& graph, const layers::GradientLayout<T>* layout);

  // Plans the graph's memory for passes up to this batch. Memory for a much larger batch is given
  // back after some plans in turn, as base::Arena does.
  void plan(const layers::Shapes& inputs, index batch, bool training);
  // The bytes of the graph's memory after plan() for inference; allocates none of it.
  std::size_t needs(const layers::Shapes& inputs, index batch) {
    extent_ = {};
    base::Planner planner;
    graph_.declare(*state_, planner, {inputs, batch, false});
    return planner.bytes();
  }
  // Before plan(): passes are of one step each and continue sequences, as Layer::begin_steps()
  // says.
  layers::Alongs begin_steps(const layers::Alongs& inputs,
                             std::vector<layers::CarriedState<T>*>& carried) {
    return graph_.begin_steps(*state_, {}, inputs, carried);
  }
  // Places a caller's arrays, next to those of the graph, as Arena::arrange does. Requires plan();
  // those of an earlier call end.
  template <class Layout>
  void arrange(const Layout& layout) {
    with_memory(extent_, [&] { arrays_.arrange(layout); });
  }

  // The graph's ports. The caller sets values before forward, gradients of outputs before backward.
  layers::In<T>& in(std::size_t k) { return in_[k]; }
  const layers::In<T>& in(std::size_t k) const { return in_[k]; }
  const layers::Ins<T>& ins() const { return in_; }
  layers::Out<T>& out(std::size_t k) { return out_[k]; }
  // Sets the inputs to the caller's arrays, from sample `first` on.
  void read(const Samples<T>& samples, index first) {
    for (std::size_t k = 0; k < in_.size(); ++k) {
      const InputArray<T>& input = samples.inputs[k];
      const index from = first * input.shape.count();
      in_[k] = {element(input.values, from), element(input.ids, from),
                element(input.mask, first * input.mask_size()), nullptr};
    }
  }

  CarriedCopy<T> carried;  // from before the running pass

  // Sets pass.arena to this memory's arena.
  void forward(layers::Pass<T>& pass) {
    pass.arena = &arena_;
    with_memory(extent_, [&] { graph_.forward(pass, *state_, in_, out_); });
  }
  // As Layer::prepare_step(), after a forward of the same pass, which must outlive the calls.
  layers::StepCalls prepare_step(const layers::Pass<T>& pass) {
    layers::StepCalls calls;
    graph_.prepare_step(pass, *state_, in_, out_, calls);
    return calls;
  }
  void backward(const layers::Pass<T>& pass) {
    with_memory(extent_, [&] { graph_.backward(pass, *state_, in_, out_); });
  }
  void update_statistics() { state_->update_statistics(); }
  std::size_t bytes() const { return arena_.bytes() + arrays_.bytes(); }

 private:
  // Calls f(); an OutOfMemory error then names the batch.
  template <class F>
  static void with_memory(const layers::Extent& extent, F f) {
    base::with_memory(f, [&] {
      return "out of memory: a batch of " + std::to_string(extent.batch) + " samples of shape " +
             extent.inputs[0].text();
    });
  }

  const layers::Graph<T>& graph_;
  std::unique_ptr<layers::LayerState> state_;
  base::Arena arena_, arrays_;
  layers::Extent extent_;  // planned
  std::vector<layers::In<T>> in_;
  std::vector<layers::Out<T>> out_;
};

}  // namespace lstmfast::model
