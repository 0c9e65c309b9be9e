// Runs a model one step at a time for some rows, with the same bits as a pass over the whole
// sequences. Knows no sampling and no language.
//
//   Stepper<float> stepper(model.definition().graph);
//   stepper.plan(rows);
//   stepper.in(0).ids = ids;  // [rows]: the next step of each row
//   stepper.step();           // stepper.out(0) [rows][...]: its output
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "base/no_copy.h"
#include "layers/graph.h"
#include "model/pass_memory.h"

namespace lstmfast::model {

// Owns the memory of its passes and the states of all rows: from the second step after plan() on,
// it allocates nothing. Steps that only continue what the step before did, in the same arrays, run
// as prepared calls of kernels, without a walk through the graph. Reads the weights of the layers,
// which must not change from plan() on. Stateful layers carry here what this object has, and keep
// what they carry themselves. Each object is for one thread at a time.
template <class T>
class Stepper : base::NoCopy {
 public:
  explicit Stepper(std::shared_ptr<const layers::Graph<T>> graph)
      : graph_(std::move(graph)), memory_(*graph_, nullptr) {
    pass_.carries = true;
  }

  // From now on there are so many rows, and all of them begin.
  // fixed: for each input the shape of its samples if it is the same at all steps, or nothing if it
  // has steps; empty: inputs of values with one axis, (features), are fixed.
  // Throws std::invalid_argument for a model with a layer that needs the whole sequence.
  void plan(index rows, const std::vector<std::optional<layers::Shape>>& fixed = {});
  // As plan() with the same inputs, for at most as many rows.
  void begin_first(index rows);

  // ---- A step ----

  // What the next step of input k is: the caller sets values, ids, or both, [rows][in_shape(k)],
  // and where it has one its mask.
  layers::In<T>& in(std::size_t k) { return memory_.in(k); }
  // Of a step with the axis of steps, which is 1; or of a fixed input.
  const layers::Shape& in_shape(std::size_t k) const { return inputs_[k]; }
  // [rows][out_shape(k)]: of the step, or, of an output without steps, of all steps so far.
  const T* out(std::size_t k) { return memory_.out(k).values; }
  const layers::Shape& out_shape(std::size_t k) const { return outputs_[k]; }
  layers::Along in_along(index input) const { return in_along_[input]; }
  layers::Along along(std::size_t output) const { return along_[output]; }

  // Runs the step for all rows. If it throws, all rows begin again. alone: on this thread.
  void step(bool alone = false);
  // Whether a step is prepared, no row begins and no other thread takes part. Then step_again() is
  // step() for a caller who flushes denormals and has left the inputs where they were.
  bool can_step_again() const { return !any_begins_ && !calls_.empty() && !calls_.may_share; }
  void step_again() noexcept { calls_.run(); }
  // Whether the latest step was prepared; for tests.
  bool prepared() const { return !calls_.empty(); }

  // ---- What is carried from step to step ----

  // Values of the state of one row: h, and c, of each recurrent layer in the order of the graph.
  index state_size() const { return state_size_; }
  // Of its parts, which follow one another.
  std::vector<index> state_sizes() const;
  // Of this object's memory, right to a factor of 2.
  std::size_t bytes() const { return bytes_with(memory_.bytes(), planned_); }
  // The same after plan(rows), before it: allocates no memory for steps. Throws as plan() does.
  std::size_t bytes_for(index rows);
  // The next step of the row, or of all rows, begins a sequence, with the initial states that the
  // model's inputs give, else zeros.
  void begin(index row) {
    begins_[static_cast<std::size_t>(row)] = 1;
    any_begins_ = true;
  }
  void begin() {
    std::fill(begins_.begin(), begins_.end(), static_cast<unsigned char>(1));
    any_begins_ = true;
  }
  // state [state_size()]; that of a row that begins is zeros, or the initial states that a layer
  // has learnt. After set the row continues.
  void get(index row, T* state) const;
  void set(index row, const T* state);
  // Row r takes the state of row from[r], r = 0 .. rows - 1; rows may come several times, or never.
  void gather(const index* from);
  // A row takes the state of a row of a stepper of the same model; it may be this one.
  void copy(index row, const Stepper& other, index from);

 private:
  struct Part {
    layers::CarriedState<T>* state;
    index number, size;
    T* row(index r) const { return state->part(number) + r * size; }
  };

  void describe(const std::vector<std::optional<layers::Shape>>& fixed);
  void place(index rows);
  // Next to what is planned: a recurrent layer allocates what it computes with in its first pass,
  // about 6 numbers for each of its state; a prepared step has a copy of the state.
  std::size_t bytes_with(std::size_t planned, index rows) const {
    constexpr index kOfState = 8, kOfLayer = 4096;
    const index values = (widest_ + kOfState * state_size_) * rows;
    return planned + static_cast<std::size_t>(values) * sizeof(T) +
           static_cast<std::size_t>(kOfLayer * graph_->runs());
  }
  bool same_ports() const;
  void prepare(bool alone);
  // What is prepared no longer fits.
  void forget() {
    before_.clear();
    calls_.clear();
  }

  const std::shared_ptr<const layers::Graph<T>> graph_;
  PassMemory<T> memory_;
  // Rows of the running pass, of the call at most, and of any call so far; 0: no plan is in force.
  index rows_ = 0, placed_ = 0, planned_ = 0;
  std::vector<std::optional<layers::Shape>> fixed_;
  layers::Shapes inputs_, outputs_;
  layers::Alongs in_along_, along_;
  std::vector<Part> parts_;
  index state_size_ = 0, widest_ = 0;              // of all parts; of the largest one
  std::vector<unsigned char> begins_, was_begun_;  // by row; the second is scratch
  bool any_begins_ = true;                         // may be true without need
  base::Buffer<T> gathered_;                       // scratch: a part of all rows
  layers::Pass<T> pass_;
  std::vector<layers::In<T>> before_;  // inputs of the step before; empty: there was none
  layers::StepCalls calls_;            // empty: the step is not prepared
};

}  // namespace lstmfast::model
