// An optimizer: one pass over flat blocks of parameters, gradients and its own slots. Knows no
// layers; a caller owns all memory.
//
// A slot is an array laid out as the parameters, filled with its initial value before the first
// step (moments, velocities). Padding of packed weights is zero in parameters and gradients and
// stays so.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/registry.h"
#include "kernels/table.h"
#include "optim/schedule.h"

namespace lstmfast::optim {

// Steps are counted no further: up to here a double counts exactly, and a file never holds more.
constexpr std::int64_t kMaxIterations = std::int64_t{1} << 53;

struct Slot {
  std::string name;  // in files: "velocity", "m", ...
  double initial = 0;
};
using Slots = std::vector<Slot>;
constexpr std::size_t kMaxSlots = kernels::kMaxSlots + 2;

using Factors = std::array<double, kernels::kMaxFactors>;

// What all optimizers do next to their steps, as Keras does.
struct CommonOptions {
  double weight_decay = 0;               // each step first takes rate * weight_decay of a parameter
  bool use_ema = false;                  // keep an exponential moving average of the parameters
  double ema_momentum = 0;               // share of the old average
  std::int64_t overwrite_frequency = 0;  // steps after which it replaces the parameters; 0: never
  std::int64_t accumulation = 1;         // batches whose mean gradient makes a step
};

template <class T>
class Optimizer {
 public:
  using Kernel = void (*kernels::Table<T>::*)(const kernels::Update<T>&);

  // Options of options(); at most kernels::kMaxSlots slots.
  Optimizer(const base::Values& options, Kernel kernel, Slots slots);
  virtual ~Optimizer() = default;

  const CommonOptions& common() const { return common_; }

  // Those of the kernel; then, as options ask for them, the average of the parameters and the sum
  // of gradients.
  const Slots& slots() const { return slots_; }
  std::size_t average_slot() const { return kernel_slots_; }
  std::size_t sum_slot() const { return kernel_slots_ + (common_.use_ema ? 1 : 0); }

  // Whether a step may change a parameter or a slot where the gradient is zero. `decays`: whether
  // weight decay applies.
  bool moves_without_gradient(bool decays) const {
    return keeps_moving() || (decays && common_.weight_decay > 0);
  }

  // A step on a batch: begin_step(), which reads the learning rate and may call the caller's
  // schedule; where makes_update(), update() once for each block of parameters; end_step().
  // `slots` holds an array of `count` elements a slot; none of the arrays overlap.
  void begin_step() { rate_ = current_rate(); }
  bool makes_update() const { return (iterations_ + 1) % common_.accumulation == 0; }
  void update(index count, T* parameters, const T* gradients, T* const* slots,
              bool decays = true) const;
  void end_step() { iterations_ = std::min(iterations_ + 1, kMaxIterations); }

  // Of the average, in this step: 0 in the first ones, which start it.
  double average_momentum() const { return updates() == 0 ? 0 : common_.ema_momentum; }
  bool overwrites_parameters() const {
    return common_.overwrite_frequency > 0 && (updates() + 1) % common_.overwrite_frequency == 0;
  }

  // Without a schedule.
  double learning_rate() const { return learning_rate_; }
  void set_learning_rate(double value);  // throws std::invalid_argument out of its option's range
  void set_schedule(Schedule schedule) { schedule_ = std::move(schedule); }
  // That of the next step. Throws std::invalid_argument where the schedule's value is out of range.
  double current_rate() const;

  // Batches done. Saved with the slots, so that a resumed training continues bit for bit.
  std::int64_t iterations() const { return iterations_; }
  void set_iterations(std::int64_t value) { iterations_ = value; }  // 0 to kMaxIterations
  std::int64_t updates() const { return iterations_ / common_.accumulation; }

 protected:
  double rate() const { return rate_; }
  double step() const { return static_cast<double>(updates() + 1); }  // counted from 1

 private:
  virtual Factors factors() const = 0;                // of the kernel, in this step
  virtual bool keeps_moving() const { return true; }  // without a gradient

  Kernel kernel_;
  std::size_t kernel_slots_;
  Slots slots_;
  CommonOptions common_;
  double learning_rate_;
  Schedule schedule_;  // null: the learning rate is constant
  double rate_ = 0;
  std::int64_t iterations_ = 0;
};

// All of optim/optimizers.def.
const base::Registry<Optimizer>& registry();

}  // namespace lstmfast::optim
