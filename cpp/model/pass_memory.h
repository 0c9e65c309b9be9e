// The memory of one running pass through a model: batch buffers, activations, gradients, caches.
// Planned once for an extent, then used by any number of steps without allocation. Knows no loss.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "layers/graph.h"
#include "model/carried.h"
#include "model/data.h"

namespace lstmfast::model {

// The memory that a pass with a loss needs for one output.
struct TargetExtent {
  index target = 0;       // values of one sample's target, if batches are gathered; else 0
  index weights = 0;      // values of one sample's weights, likewise
  bool weighted = false;  // rows of the loss have weights

  bool covers(const TargetExtent& other) const {
    return target >= other.target && weights >= other.weights && weighted >= other.weighted;
  }
};

// The shapes of a call and what follows from them.
struct PassShapes {
  layers::Shapes inputs, outputs;  // of one sample, known
  double flops = 0;                // of forward for one sample, roughly
};

// The largest pass that memory is planned for.
struct PassExtent {
  std::shared_ptr<const PassShapes> shapes;  // null: nothing is planned
  index batch = 0;                           // the largest
  bool training = false;
  bool gathered = false;              // the memory has room for gathered inputs
  std::vector<TargetExtent> targets;  // by output; empty: predictions are the caller's arrays

  bool covers(const PassExtent& other) const {
    bool out = (shapes == other.shapes ||
                (shapes && other.shapes && shapes->inputs == other.shapes->inputs)) &&
               batch >= other.batch && training == other.training && gathered >= other.gathered &&
               targets.size() >= other.targets.size();
    for (std::size_t k = 0; out && k < other.targets.size(); ++k) {
      out = targets[k].covers(other.targets[k]);
    }
    return out;
  }
};

// Not shared between concurrent passes.
template <class T>
class PassMemory {
 public:
  // `layout`: of the gradients of training passes; null: inference alone.
  PassMemory(const layers::Graph<T>& graph, const layers::GradientLayout<T>* layout);

  // Invalidates pointers of an earlier plan. If kSparePlans plans in turn need less than a quarter
  // of the memory, it is replaced by memory for the largest batch of these plans.
  void plan(const PassExtent& extent);

  // Arrays by number of input or output; only those planned may be used.
  struct InputSlots {
    base::Slot<T> x;  // [batch][input]
    base::Slot<std::int32_t> ids;
  };
  struct OutputSlots {
    base::Slot<T> target, weights;               // [batch][target], [batch][weights]
    base::Slot<T> prediction, gradient;          // [batch][output]
    base::Slot<T> loss_weights, metric_weights;  // [batch][rows]
  };
  const InputSlots& input(std::size_t k) const { return inputs_[k]; }
  const OutputSlots& output(std::size_t k) const { return outputs_[k]; }
  template <class V>
  V* at(base::Slot<V> slot) {
    return arena_.at(slot);
  }

  // The graph's ports. The caller sets values before forward, gradients of outputs before backward.
  layers::In<T>& in(std::size_t k) { return in_[k]; }
  layers::Out<T>& out(std::size_t k) { return out_[k]; }
  // Sets the inputs to the caller's arrays, from sample `first` on.
  void read(const Samples<T>& samples, index first) {
    for (std::size_t k = 0; k < in_.size(); ++k) {
      const InputArray<T>& input = samples.inputs[k];
      const index from = first * input.shape.count();
      in_[k] = {element(input.values, from), element(input.ids, from), nullptr, nullptr};
    }
  }

  // Of the batch, for losses and metrics: the target of an output and its samples' weights, null:
  // all 1.
  struct Targets {
    const T *y = nullptr, *weights = nullptr;
  };
  Targets& targets(std::size_t k) { return targets_[k]; }

  CarriedCopy<T> carried;  // from before the running pass

  // Sets pass.arena to this memory's arena.
  void forward(layers::Pass<T>& pass) {
    pass.arena = &arena_;
    with_memory(extent_, [&] { graph_.forward(pass, *state_, in_, out_); });
  }
  void backward(const layers::Pass<T>& pass) {
    with_memory(extent_, [&] { graph_.backward(pass, *state_, in_, out_); });
  }

 private:
  static constexpr int kSparePlans = 16;

  // Whether the memory is much larger than recent plans need.
  bool spares(const PassExtent& extent);
  // Calls f(); an OutOfMemory error then names the batch.
  template <class F>
  static void with_memory(const PassExtent& extent, F f) {
    base::with_memory(f, [&] {
      return "out of memory: a batch of " + std::to_string(extent.batch) + " samples of shape " +
             extent.shapes->inputs[0].text();
    });
  }

  const layers::Graph<T>& graph_;
  std::unique_ptr<layers::LayerState> state_;
  base::Arena arena_;
  PassExtent extent_;
  int spare_plans_ = 0;    // in turn
  index spare_batch_ = 0;  // the largest batch of these plans
  std::vector<InputSlots> inputs_;
  std::vector<OutputSlots> outputs_;
  std::vector<layers::In<T>> in_;
  std::vector<layers::Out<T>> out_;
  std::vector<Targets> targets_;
};

}  // namespace lstmfast::model
