// What compile() adds to a model: loss, optimizer with its slots, clipping, metrics, and the
// counters that a resumed training needs. Knows no loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "model/custom_functions.h"
#include "model/definition.h"
#include "model/kept_memory.h"
#include "model/pass_memory.h"
#include "model/thread_trial.h"
#include "optim/clip.h"
#include "optim/optimizer.h"

namespace lstmfast::model {

// Epochs are counted no further, so that a file never holds more.
constexpr std::uint64_t kMaxEpochs = std::uint64_t{1} << 53;

template <class T>
struct Training {
  base::Options config;  // as given
  std::unique_ptr<losses::Loss<T>> loss;
  std::unique_ptr<optim::Optimizer<T>> optimizer;
  optim::Clip<T> clip;
  std::vector<MetricChoice<T>> metrics;

  Activation last = Activation::linear;  // of the model, where the loss computes it
  bool fused = false;

  std::vector<optim::ParameterRuns> runs;
  base::Buffer<T> gradients;  // laid out as the parameters
  base::Buffer<T> slots;      // the optimizer's, one block after the other
  std::vector<T*> slot_blocks;

  std::uint64_t seed = 0;    // of the order of samples and of random masks
  std::uint64_t epochs = 0;  // begun since compile, up to kMaxEpochs: names the next one's order

  KeptMemory<PassMemory<T>> memory;  // of training steps
  ThreadTrial trial;                 // of training steps

  explicit Training(const layers::Chain<T>& chain)
      : memory([&chain] { return std::make_unique<PassMemory<T>>(chain); }) {}
};

// Keys: loss and loss.OPTION; optimizer.kind and optimizer.OPTION; metrics (names with commas);
// clip.value, clip.norm, clip.global_norm; seed. With the loss "custom", which may have a loss.name
// of its own, and with metrics "custom:0", "custom:1" ... come the functions in `custom`. Throws
// std::invalid_argument naming the key that is unknown, missing or wrong, or that has no function.
template <class T>
std::unique_ptr<Training<T>> make_training(const Definition<T>& definition,
                                           const base::Options& config, Custom<T> custom = {});

}  // namespace lstmfast::model
