// An optimizer: one pass over flat blocks of parameters, gradients and its own slots. Knows no
// layers; a caller owns all memory.
//
// A slot is an array laid out as the parameters, zero before the first step (moments, velocities).
// Padding of packed weights is zero in parameters and gradients and stays so in both and in the
// slots.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/plain.h"
#include "base/registry.h"

namespace lstmfast::optim {

// Steps are counted no further: up to here a double counts exactly, and a file never holds more.
constexpr std::int64_t kMaxIterations = std::int64_t{1} << 53;

constexpr int kMaxSlots = 4;

template <class T>
class Optimizer {
 public:
  // Of a table with learning_rate().
  explicit Optimizer(const base::Values& options)
      : learning_rate_(options["learning_rate"].number()) {}
  virtual ~Optimizer() = default;

  virtual int slots() const = 0;                      // up to kMaxSlots
  virtual const char* slot_name(int slot) const = 0;  // for files: "velocity", "m", ...

  // Whether a parameter may change in a step in which its gradient is zero.
  virtual bool moves_without_gradient() const { return true; }

  // Parameters in several blocks: begin_step() once a step, then update() once a block. `slots`
  // holds slots() arrays of `count` elements; none of the arrays overlap.
  void begin_step() { iterations_ = std::min(iterations_ + 1, kMaxIterations); }
  virtual void update(index count, T* parameters, const T* gradients, T* const* slots) const = 0;

  double learning_rate() const { return learning_rate_; }
  void set_learning_rate(double value);  // throws std::invalid_argument out of its option's range

  // Steps done. Saved with the slots, so that a resumed training continues bit for bit.
  std::int64_t iterations() const { return iterations_; }
  void set_iterations(std::int64_t value) { iterations_ = value; }  // 0 to kMaxIterations

 private:
  double learning_rate_;
  std::int64_t iterations_ = 0;
};

// All of optimizers.def.
const base::Registry<Optimizer>& registry();

}  // namespace lstmfast::optim
