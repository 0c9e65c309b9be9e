// A sequence, or several side by side, computed step by step as it comes. Knows no files and no
// Python.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "model/model.h"
#include "model/stepper.h"

namespace lstmfast::model {

// One input of a step: values, or ids where the model takes these.
template <class T>
struct StepInput {
  const T* values = nullptr;
  const std::int32_t* ids = nullptr;
};

// Throws std::invalid_argument where a layer always draws random numbers.
template <class T>
void check_draws(const layers::Graph<T>& graph);

// Has the states of its rows alone; the weights are the model's, which must not change while a
// stream runs (Model::frozen makes such a model). After construction, step, process, reset, get and
// set allocate nothing, take no lock and call no system function; all of a step runs on the
// caller's thread. An object is for one thread at a time.
template <class T>
class Stream {
 public:
  // Throws std::invalid_argument that names a layer that needs the whole sequence, and as
  // check_draws does.
  Stream(std::shared_ptr<const Model<T>> model, index rows);
  // Continues on its own from the state of another.
  explicit Stream(const Stream& other);
  Stream& operator=(const Stream&) = delete;

  const std::shared_ptr<const Model<T>>& model() const { return model_; }
  index rows() const { return rows_; }
  index inputs() const { return static_cast<index>(ports_.size()); }
  index outputs() const { return static_cast<index>(made_.size()); }

  bool is_plain() const { return is_plain_; }  // one input, of numbers, and one output

  // What one row's step takes and makes, without the axis of steps.
  const layers::Shape& in_shape(index input) const { return port(input).shape; }
  index ids(index input) const { return port(input).ids; }        // their bound; 0: it takes values
  bool in_steps(index input) const { return port(input).steps; }  // else the same at all steps
  const layers::Shape& out_shape(index output) const { return made(output).shape; }
  // Whether there is an output for each step; else it is that of all steps so far.
  bool out_steps(index output) const { return made(output).steps; }

  // x[k] [rows][steps][in_shape(k)], without the axis of steps unless in_steps(k); y[k] likewise.
  // y[k] may be null: not wanted. Throws std::invalid_argument, with nothing changed, for an id out
  // of range.
  void process(index steps, const StepInput<T>* x, T* const* y) {
    is_plain_row_ ? process_row(0, steps, x->values, *y) : process_part(steps, 0, steps, x, y);
  }
  // Steps begin .. end of these, the parts of a call in turn.
  void process_part(index steps, index begin, index end, const StepInput<T>* x, T* const* y);
  void step(const StepInput<T>* x, T* const* y) { process(1, x, y); }

  // The next step of the row begins a sequence.
  void reset(index row) { stepper_->begin(row); }
  void reset() { stepper_->begin(); }
  // Of one row: the values that each layer carries, one after the other.
  index state_size() const { return stepper_->state_size(); }
  std::vector<index> state_sizes() const { return stepper_->state_sizes(); }
  // Of the memory that is this stream's alone, right to a factor of 2.
  std::size_t bytes() const;
  void get(index row, T* state) const { stepper_->get(row, state); }
  void set(index row, const T* state) { stepper_->set(row, state); }

  // Continues with the weights of another model. Throws std::invalid_argument, with nothing
  // changed, unless it has the same layers.
  void take_weights(std::shared_ptr<const Model<T>> model);

 private:
  struct Port {
    layers::Shape shape;
    index ids, count;  // count: elements of a row's step
    bool steps, takes_values;
    base::Buffer<T> values;  // [rows][shape]; the stepper reads here
    base::Buffer<std::int32_t> id_values;
  };
  struct Made {
    layers::Shape shape;
    index count;
    bool steps;
  };

  const Port& port(index k) const { return ports_[static_cast<std::size_t>(k)]; }
  const Made& made(index k) const { return made_[static_cast<std::size_t>(k)]; }
  std::unique_ptr<Stepper<T>> stepper_of(const Model<T>& model) const;
  void connect();
  void copy_states(const Stepper<T>& from);
  // What most streams are, and where each instruction counts: one row with one input of numbers and
  // one output, both for each step.
  void process_row(index begin, index end, const T* x, T* y);
  void check_ids(index steps, const StepInput<T>* x) const;
  void read(index t, index steps, const StepInput<T>& x, Port& to) const;

  std::shared_ptr<const Model<T>> model_;
  const index rows_;
  std::unique_ptr<Stepper<T>> stepper_;
  std::vector<Port> ports_;
  std::vector<Made> made_;
  bool any_ids_ = false, is_plain_ = false, is_plain_row_ = false;
};

}  // namespace lstmfast::model
