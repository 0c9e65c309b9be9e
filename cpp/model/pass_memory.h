// The memory of one running pass through a model: batch buffers, activations, gradients, caches.
// Planned once for an extent, then used by any number of steps without allocation. Knows no loss.
#pragma once

#include <memory>
#include <string>

#include "base/arena.h"
#include "layers/chain.h"

namespace lstmfast::model {

// What a pass must have room for.
struct PassExtent {
  layers::Shape input, output;  // of one sample, known
  index batch = 0;              // the largest
  bool training = false;
  bool loss = false;      // of a prediction that stays here
  index target = 0;       // values of one sample's target, where batches are gathered here; else 0
  index weights = 0;      // of those that come with one sample, gathered likewise
  bool weighted = false;  // rows of the loss have weights

  bool covers(const PassExtent& other) const {
    return input == other.input && output == other.output && batch >= other.batch &&
           training == other.training && loss >= other.loss && target >= other.target &&
           weights >= other.weights && weighted >= other.weighted;
  }
};

// Not shared between concurrent passes.
template <class T>
class PassMemory {
 public:
  explicit PassMemory(const layers::Chain<T>& chain) : chain_(chain), state_(chain.make_state()) {}

  // Pointers of an earlier plan end here. Memory for batches of which kSparePlans plans in turn
  // need less than a quarter is replaced by memory for the largest of them.
  void plan(const PassExtent& extent);

  const PassExtent& extent() const { return extent_; }
  T* x() { return arena_.at(x_); }                    // [batch][input], with targets
  T* target() { return arena_.at(target_); }          // [batch][target]
  T* weights() { return arena_.at(weights_); }        // [batch][weights]
  T* prediction() { return arena_.at(prediction_); }  // [batch][output], with a loss
  T* gradient() { return arena_.at(gradient_); }      // [batch][output], with a loss in training

  T* loss_weights() { return arena_.at(loss_weights_); }      // [batch][rows of y], where weighted
  T* metric_weights() { return arena_.at(metric_weights_); }  // likewise
  // Of the prediction of the latest forward pass: [batch][rows of y]; null: all rows are real.
  const unsigned char* mask() const { return chain_.mask_out({}, *state_); }

  // `pass` without its arena, which is this memory's own.
  void forward(layers::Pass<T>& pass, const T* x, T* y) {
    pass.arena = &arena_;
    with_memory(extent_, [&] { chain_.forward(pass, *state_, x, y); });
  }
  void backward(const layers::Pass<T>& pass, const T* x, const T* y, T* dy) {
    with_memory(extent_, [&] { chain_.backward(pass, *state_, x, y, dy, nullptr); });
  }

 private:
  static constexpr int kSparePlans = 16;

  // Whether the memory is too large for what plans have needed of late.
  bool spares(const PassExtent& extent);
  // f(); its OutOfMemory error names the batch.
  template <class F>
  static void with_memory(const PassExtent& extent, F f) {
    base::with_memory(f, [&] {
      return "out of memory: a batch of " + std::to_string(extent.batch) + " samples of shape " +
             extent.input.text();
    });
  }

  const layers::Chain<T>& chain_;
  std::unique_ptr<layers::LayerState> state_;
  base::Arena arena_;
  PassExtent extent_;
  int spare_plans_ = 0;    // in turn,
  index spare_batch_ = 0;  // and the largest batch of them
  base::Slot<T> x_, target_, weights_, prediction_, gradient_, loss_weights_, metric_weights_;
};

}  // namespace lstmfast::model
