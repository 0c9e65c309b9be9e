// The training state that compile() adds to a model: loss, optimizer with its slots, clipping,
// metrics, and the counters that a resumed training needs. Knows no loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "model/custom_functions.h"
#include "model/definition.h"
#include "model/pass_memory.h"
#include "model/pool.h"
#include "model/thread_trial.h"
#include "optim/clip.h"
#include "optim/optimizer.h"

namespace lstmfast::model {

// The count of epochs stops here, so that files hold no larger number.
constexpr std::uint64_t kMaxEpochs = std::uint64_t{1} << 53;

// Loss and metrics of one output.
template <class T>
struct OutputTraining {
  std::unique_ptr<losses::Loss<T>> loss;  // null: the output has none
  double weight = 1;                      // of the loss in the sum over all outputs
  std::vector<MetricChoice<T>> metrics;
  bool masked = false;  // whether the output has a mask

  bool needs_target() const { return loss != nullptr || !metrics.empty(); }
};

template <class T>
class Training {
 public:
  base::Options config;  // as given
  std::vector<OutputTraining<T>> outputs;
  std::vector<unsigned char> fused;  // by output, 1: the loss computes its last activation
  std::unique_ptr<optim::Optimizer<T>> optimizer;
  optim::ClipOptions clip;

  const layers::GradientLayout<T> layout;  // of the parameters that were trainable at compile
  base::Buffer<T> gradients;               // in this layout
  base::Buffer<T> slots;                   // the optimizer's, one block after the other
  std::vector<const layers::Parameter*> undecayed;  // to which weight decay does not apply

  std::uint64_t seed = 0;    // of the order of samples and of random masks
  std::uint64_t epochs = 0;  // begun since compile, at most kMaxEpochs; key of the sample order

  Pool<PassMemory<T>> memory;  // of training steps, which are made by one call at a time
  ThreadTrial trial;           // of training steps

  explicit Training(const Definition<T>& definition);

  T* slot(std::size_t i) { return slots.data() + i * layout.size(); }

  // Called before every step: updates which parameters are trained. Throws if a layer that was
  // frozen at compile is trainable now.
  void refresh(const char* op, const Definition<T>& definition);

  // Before backward: marks gradients as old. The first layer that adds to a block zeroes or
  // overwrites it, just before it is in use. After backward: zeroes the blocks that no layer
  // reached.
  void begin_gradients();
  void end_gradients();
  // Makes the gradients those of the optimizer's step: clipped, and of all batches that it takes
  // together. Returns false, with nothing changed, if `check` and a gradient is not finite.
  bool finish_gradients(bool check);
  // Of the optimizer, over all parameters that are trained now; or, in a batch that makes no
  // update, adds the gradients to the sum of those before.
  void step();
  // Replaces the trained parameters by their average, if the optimizer keeps one.
  void take_average();

  // Calls f(slot, owned, parameter, flat) for each slot of the parameters that are trained now,
  // slot by slot in the order of users' weight lists. `flat` is the slot as the owner's memory;
  // null of parameters that were not trainable at compile.
  template <class F>
  void for_slots(const Definition<T>& definition, F f) {
    for (std::size_t i = 0; i < optimizer->slots().size(); ++i) {
      for (const Owned<T>& each : definition.parameters) {
        if (!each.parameters->trainable()) continue;
        const auto* const place = layout.find(*each.parameters);
        T* const flat = place == nullptr ? nullptr : slot(i) + place->offset;
        for (const layers::Parameter& parameter : each.parameters->list()) {
          if (parameter.trained) f(optimizer->slots()[i], each, parameter, flat);
        }
      }
    }
  }

 private:
  // Parameters that are neighbours both in the gradients and in the values: one pass updates them.
  struct Span {
    T* values;
    index first, count;
    layers::TouchedRows* touched = nullptr;  // null: dense
    bool decays = true;                      // whether weight decay applies
  };
  static Span span_of(const typename layers::GradientLayout<T>::Entry& entry) {
    return {entry.parameters->values(), entry.offset, entry.parameters->trained_size(),
            entry.touched.get()};
  }
  void add_spans(const typename layers::GradientLayout<T>::Entry& entry);
  void add_span(const Span& span);
  void update(const Span& span, index from, index count);
  // Calls f(first, count) for the runs of gradients in a span that may differ from zero.
  template <class F>
  void for_touched(const Span& span, F f) {
    if (span.touched == nullptr) return f(span.first, span.count);
    span.touched->for_runs([&](index first, index count) { f(span.first + first, count); });
  }

  // Calls f(first, count) for those of all spans, neighbours as one.
  template <class F>
  void for_all_touched(F f) {
    index begin = 0, end = 0;
    const auto pass_on = [&] {
      if (end > begin) f(begin, end - begin);
    };
    for (const Span& span : spans_) {
      for_touched(span, [&](index first, index count) {
        if (first != end) {
          pass_on();
          begin = first;
        }
        end = first + count;
      });
    }
    pass_on();
  }

  bool decays(const layers::Parameter& parameter) const;

  std::vector<unsigned char> trained_;  // by entry of the layout, at the last refresh
  std::vector<Span> spans_;             // of the trained entries
};

// Keys, of a model with several outputs below "outputs.N.": loss and loss.OPTION, loss_weight,
// metrics (names with commas), and of the metric at place N metrics.N.OPTION and metrics.N.weighted
// (whether samples count by their weights in it); at the top optimizer.kind and optimizer.OPTION,
// optimizer.schedule.kind and optimizer.schedule.OPTION, optimizer.exclude_from_weight_decay (the
// numbers of weights in the order of users' lists); clip.value, clip.norm, clip.global_norm; seed.
// The loss "custom", which may have a loss.name of its own, the metrics "custom:0", "custom:1" ...,
// numbered through all outputs, and the schedule "custom" take their functions from `custom`. An
// output without a key "loss" has no loss; at least one output has one. Throws
// std::invalid_argument that names a key that is unknown, missing or wrong, or lacks its function.
template <class T>
std::unique_ptr<Training<T>> make_training(const Definition<T>& definition,
                                           const base::Options& config, Custom<T> custom = {});

}  // namespace lstmfast::model
