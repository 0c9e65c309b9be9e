// An optimizer: one pass over flat blocks of parameters, gradients and its own slots. Knows no
// layers; a caller owns all memory.
//
// A slot is an array laid out as the parameters, zero before the first step (moments, velocities).
// Padding of packed weights is zero in parameters and gradients and stays so in both and in the
// slots.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/registry.h"
#include "kernels/table.h"

namespace lstmfast::optim {

// Steps are counted no further: up to here a double counts exactly, and a file never holds more.
constexpr std::int64_t kMaxIterations = std::int64_t{1} << 53;

using SlotNames = std::vector<std::string>;
using Factors = std::array<double, kernels::kMaxFactors>;

template <class T>
class Optimizer {
 public:
  using Kernel = void (*kernels::Table<T>::*)(const kernels::Update<T>&);

  // Options of a table with learning_rate(); at most kernels::kMaxSlots slots.
  Optimizer(const base::Values& options, Kernel kernel, SlotNames slots)
      : kernel_(kernel),
        slots_(std::move(slots)),
        learning_rate_(options["learning_rate"].number()) {}
  virtual ~Optimizer() = default;

  const SlotNames& slots() const { return slots_; }  // as files name them: "velocity", "m", ...

  // Whether a parameter may change in a step in which its gradient is zero.
  virtual bool moves_without_gradient() const { return true; }

  // Parameters in several blocks: begin_step() once a step, then update() once a block. `slots`
  // holds an array of `count` elements a slot; none of the arrays overlap.
  void begin_step() { iterations_ = std::min(iterations_ + 1, kMaxIterations); }
  void update(index count, T* parameters, const T* gradients, T* const* slots) const;

  double learning_rate() const { return learning_rate_; }
  void set_learning_rate(double value);  // throws std::invalid_argument out of its option's range

  // Steps done. Saved with the slots, so that a resumed training continues bit for bit.
  std::int64_t iterations() const { return iterations_; }
  void set_iterations(std::int64_t value) { iterations_ = value; }  // 0 to kMaxIterations

 private:
  virtual Factors factors() const = 0;  // of the kernel, in this step

  Kernel kernel_;
  SlotNames slots_;
  double learning_rate_;
  std::int64_t iterations_ = 0;
};

// All of kernels/optimizers.def.
const base::Registry<Optimizer>& registry();

}  // namespace lstmfast::optim
