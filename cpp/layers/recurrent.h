// A layer of recurrent cells: one direction over a whole sequence. Knows no graph and no models.
// Inputs: x [, h0 [, c0]]. Outputs: y, which is h of every step or of the last one, and optionally
// h of the last step; of a cell with c also c of the last step, and of every step.
// Long, because passes of sequences, of single steps and of halves of Bidirectional begin here.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/check.h"
#include "layers/layer.h"
#include "layers/lstm_directions.h"
#include "ops/lstm_step.h"
#include "ops/vector.h"

namespace lstmfast::layers {

// The ports of one direction in a pass. Step t of row b of y is at b * row + t * step; a y of the
// last step alone has row b at b * row.
template <class T>
struct RecurrentPorts {
  In<T> x, h0, c0;
  Out<T> y, h, c, cells;
  T *carried_h = nullptr, *carried_c = nullptr;  // null: this pass carries no states
  index steps, row, step;
  bool against_time;  // y and cells begin with the last step
  T* last;            // [batch][O], scratch; null: y has all steps

  // Where the call's step 0 of values [steps][size] is stored.
  T* first_step(T* values, index size) const {
    return values + (against_time ? (steps - 1) * size : 0);
  }
};

template <class T>
class Recurrent : public LayerWith<T, Recurrent<T>> {
 public:
  struct State : LayerState {
    // If y is that of the last step alone: h of all steps, for backward; scratch.
    base::Slot<T> sequence, last;
    // If initial states are parameters: these for each row, and their gradients.
    base::Slot<T> start[2], start_gradient[2];
    LstmRun<T> run;
    // Of passes that continue a sequence; null: each pass is a sequence of its own.
    std::unique_ptr<CarriedState<T>> stepped;
    std::unique_ptr<ops::LstmStep<T>> step;  // null: none is prepared
  };

  // kind: for errors; values: of the table of that layer; cell: read from them.
  Recurrent(const char* kind, const base::Values& options, const LstmOptions& cell)
      : kind_(kind),
        direction_{
            {1, options["units"].integer(), cell.cell}, cell, options["go_backwards"].flag()},
        sequences_(read_sequences(options)),
        learns_start_(options["learn_initial_state"].flag()) {
    if (sequences_.stateful) this->make_stateful(Recurrent::state_sizes());
  }

  const Sequences& sequences() const { return sequences_; }
  const LstmDirection<T>& direction() const { return direction_; }
  index states() const { return direction_.options.cell.kind == CellKind::lstm ? 2 : 1; }
  // Outputs after y: the states, then c of every step.
  index more_outputs() const { return 2 * states() - 1; }

  InputCount input_count() const override {
    return {1, 1 + states(), states() > 1 ? " with the initial h and c" : " with the initial h"};
  }
  bool optional_output(index output) const override { return output > 0; }
  Shapes output_shapes(const Shapes& inputs) const override {
    check_input(inputs[0].rank == 2, kind_, inputs[0], "(steps, features)");
    check_features(kind_, inputs[0], this->built() ? shape().input : 0);
    const index O = shape().outputs(), H = shape().hidden;
    LF_CHECK(inputs.size() == 1 || !learns_start_,
             "[" << kind_ << "] initial_state is given; expected None, for the layer learns its "
                 << "initial state");
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const Shape expected{i == 1 ? O : H};
      LF_CHECK(inputs[i] == expected, "[" << kind_ << "] initial " << (i == 1 ? "h" : "c")
                                          << " of a sample has shape " << inputs[i].text()
                                          << "; expected " << expected.text());
    }
    const Shape y = sequences_.all ? inputs[0].with_features(O) : Shape{O};
    if (states() == 1) return {y, {O}};
    return {y, {O}, {H}, inputs[0].with_features(H)};
  }
  bool reduces() const override { return true; }
  std::size_t bias_rank() const override { return shape().apart() ? 2 : 1; }
  std::vector<index> state_sizes() const override {
    if (states() == 1) return {shape().outputs()};
    return {shape().outputs(), shape().hidden};
  }
  // As in Keras the mask is the input's, step for step, also if the layer runs backwards.
  bool masks(index output, const std::vector<bool>& masked) const override {
    return output == 0 && masked[0] && sequences_.all;
  }
  double flops(const Shapes& inputs) const override {
    // The cell's functions: about 20 operations a gate.
    const double cell = 20.0 * static_cast<double>(shape().gates * shape().hidden);
    return static_cast<double>(inputs[0].rows()) * (shape().flops() + cell);
  }

  Alongs begin_steps(LayerState& state, const Shapes& shapes, const Alongs& inputs,
                     std::vector<CarriedState<T>*>& carried) const override {
    State& my = this->own(state);
    my.stepped.reset();
    if (inputs[0] != Along::steps) return Layer<T>::begin_steps(state, shapes, inputs, carried);
    this->check_steps(!direction_.reverse, "begins at the last step", "go_backwards=False");
    this->check_steps(std::find(inputs.begin(), inputs.end(), Along::latest) == inputs.end(),
                      "begins with a state that all steps lead to", "one that does not change");
    my.stepped = std::make_unique<CarriedState<T>>(state_sizes());
    for (index k = 0; learns_start_ && this->values() != nullptr && k < states(); ++k) {
      my.stepped->set_start(k, this->values() + start_offset(k));
    }
    carried.push_back(my.stepped.get());
    Alongs out(static_cast<std::size_t>(1 + more_outputs()), Along::latest);
    if (sequences_.all) out[0] = Along::steps;
    if (states() > 1) out.back() = Along::steps;  // c of every step
    return out;
  }

  void prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out,
                    StepCalls& calls) const override {
    State& my = this->own(state);
    const double flops = shape().flops() * static_cast<double>(pass.batch);
    if (my.stepped == nullptr || my.shapes[0].rows() != 1 || !ops::LstmStep<T>::fits(shape()) ||
        ops::share_lstm(shape(), pass.batch, 1, flops).threads > 1) {
      return Layer<T>::prepare_step(pass, state, in, out, calls);
    }
    const RecurrentPorts<T> p = ports(pass, my, in, out, my.stepped.get());
    my.step = std::make_unique<ops::LstmStep<T>>(
        shape(), this->values(), this->parameters_.reduced(), pass.batch,
        ops::LstmStepArrays<T>{p.x.values, p.carried_h, p.carried_c, p.y.values, p.cells.values});
    calls.add([step = my.step.get()] { step->run(); });
    const auto copy = [&](const T* from, T* to, index size) {
      if (to == nullptr) return;
      calls.add([=, count = pass.batch * size] { std::copy_n(from, count, to); });
    };
    copy(p.carried_h, p.h.values, shape().outputs());
    copy(p.carried_c, p.c.values, shape().hidden);
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const index rows = sequences_.all ? 0 : extent.batch * shape().outputs();
    my.sequence = planner.add<T>(extent.training ? rows * my.shapes[0].rows() : 0);
    my.last = planner.add<T>(rows);
    for (index k = 0; learns_start_ && k < states(); ++k) {
      my.start[k] = planner.add<T>(extent.batch * start_size(k));
      my.start_gradient[k] = planner.add<T>(extent.training ? extent.batch * start_size(k) : 0);
    }
  }
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = sequences_.all ? in[0].mask : nullptr;
    const RecurrentPorts<T> p =
        ports(pass, my, in, out, my.stepped != nullptr ? my.stepped.get() : this->carried());
    begin_forward(pass, my, p);
    LstmRuns<T>(my.run).forward(pass.training);
    end_forward(my, p);
  }
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    begin_backward(pass, my, ports(pass, my, in, out, this->carried()));
    LstmRuns<T>(my.run).backward();
    end_backward(my);
  }

  // ---- Set-up and end of a direction's pass, also used by Bidirectional ----

  // As direction d of a layer that carries these states, with y as that of this layer alone.
  RecurrentPorts<T> ports(const Pass<T>& pass, const State& my, const Ins<T>& in,
                          const Outs<T>& out, CarriedState<T>* carried, index directions = 1,
                          index d = 0) const {
    RecurrentPorts<T> p;
    p.x = in[0];
    const index own = states() * d;  // states of the directions before this one
    const bool has_c = states() > 1, carries = pass.carries && carried != nullptr;
    if (carries) carried->begin(pass.batch);
    // The states follow y of all directions, or of each.
    const index first = static_cast<index>(out.size()) - more_outputs() * directions;
    p.y = out[std::min(d, first - 1)];
    p.h = out[first + own];
    if (in.size() > 1) p.h0 = in[1 + own];
    if (carries) p.carried_h = carried->part(own);
    if (has_c) {
      p.c = out[first + own + 1];
      p.cells = out[first + states() * directions + d];
      if (in.size() > 1) p.c0 = in[2 + own];
      if (carries) p.carried_c = carried->part(own + 1);
    }
    p.steps = my.shapes[0].rows();
    p.step = shape().outputs();
    p.row = sequences_.all ? p.steps * p.step : p.step;
    p.against_time = direction_.reverse;
    p.last = pass.arena->at(my.last);
    return p;
  }

  // Sets the call of the run.
  void begin_forward(const Pass<T>& pass, State& my, const RecurrentPorts<T>& ports) const {
    const index O = shape().outputs(), H = shape().hidden, sign = ports.against_time ? -1 : 1;
    ops::LstmCall<T>& call = my.run.begin(direction_, {});
    my.run.block = this->values();
    call.reduced = this->parameters_.reduced();
    LF_CHECK(!pass.training || !shape().is_reduced(),
             "[" << kind_ << "] training is True; expected False with kernels in "
                 << name_of(this->precision()));
    call.steps = ports.steps;
    call.batch = pass.batch;
    call.x = ports.x.values;
    call.x_row = ports.steps * shape().input;
    call.x_step = shape().input;
    LF_ASSERT(ports.y.values != nullptr || !sequences_.all || !pass.training);
    if (!sequences_.all) {
      call.y = pass.arena->at(my.sequence);
      call.y_row = ports.steps * O;
      call.y_step = O;
    } else if (ports.y.values != nullptr) {
      call.y = ports.first_step(ports.y.values, ports.step);
      call.y_row = ports.row;
      call.y_step = sign * ports.step;
    }
    if (ports.cells.values != nullptr) {
      call.cells = ports.first_step(ports.cells.values, H);
      call.cells_row = ports.steps * H;
      call.cells_step = sign * H;
    }
    const T *h0 = ports.h0.values, *c0 = ports.c0.values;
    if (learns_start_) {
      h0 = repeated_start(pass, my, 0);
      c0 = states() > 1 ? repeated_start(pass, my, 1) : nullptr;
    }
    if (my.stepped != nullptr) {
      begin_rows(pass, h0, O, ports.carried_h);
      begin_rows(pass, c0, H, ports.carried_c);
    }
    const bool given = my.stepped == nullptr;
    call.h0 = given && h0 != nullptr ? h0 : ports.carried_h;
    call.c0 = given && c0 != nullptr ? c0 : ports.carried_c;
    call.h_n = either(ports.h.values, either(ports.carried_h, ports.last));
    call.c_n = either(ports.c.values, ports.carried_c);
    call.mask = ports.x.mask;
    call.hold = !sequences_.zero_masked;
    call.noise.draw = !my.fixed;
    call.noise.seed = sequences_.seed.value_or(pass.seed);
    call.noise.stream = my.stream;
    call.noise.step = pass.step;
  }

  // Writes a y of the last step alone, and the carried states.
  void end_forward(const State& my, const RecurrentPorts<T>& ports) const {
    const ops::LstmCall<T>& call = my.run.call;
    const auto carry = [&](const T* state, index size, T* carried) {
      if (carried != nullptr && carried != state) std::copy_n(state, call.batch * size, carried);
    };
    carry(call.h_n, shape().outputs(), ports.carried_h);
    carry(call.c_n, shape().hidden, ports.carried_c);
    if (!sequences_.all && ports.y.values != nullptr) {
      copy_shown(call, call.h_n, shape().outputs(), ports.y.values, ports.row);
    }
    if (my.stepped != nullptr && call.mask != nullptr && call.hold) {
      hold(call, call.h_n, shape().outputs(), ports.y.values);
      hold(call, call.c_n, shape().hidden, ports.cells.values);
    }
  }

  void begin_backward(const Pass<T>& pass, State& my, const RecurrentPorts<T>& ports) const {
    const index O = shape().outputs();
    ops::LstmGradients<T>& gradients = my.run.gradients;
    gradients = {};
    gradients.dh_n = ports.h.gradient;
    gradients.dc_n = ports.c.gradient;
    T* const dy = ports.y.gradient;
    if (dy != nullptr && sequences_.all) gradients.dy = ports.first_step(dy, ports.step);
    if (dy != nullptr && !sequences_.all) {
      copy_shown(my.run.call, dy, ports.row, ports.last, O);
      T *const last = ports.last, *const dh = ports.h.gradient;
      if (dh != nullptr) ops::add(pass.batch * O, last, dh, last);
      gradients.dh_n = last;
    }
    if (ports.cells.gradient != nullptr) {
      gradients.dcells = ports.first_step(ports.cells.gradient, shape().hidden);
    }
    gradients.dx = ports.x.gradient;
    gradients.dh0 = ports.h0.gradient;
    gradients.dc0 = ports.c0.gradient;
    gradients.dblock = this->gradients(pass, my, &gradients.overwrites);
    if (gradients.overwrites) {  // the padding after the block too
      std::fill(gradients.dblock + shape().size(), gradients.dblock + this->parameters_.size(),
                T(0));
    }
    gradients.bias = direction_.options.use_bias;
    if (!learns_start_ || gradients.dblock == nullptr) return;
    gradients.dh0 = pass.arena->at(my.start_gradient[0]);
    gradients.dc0 = pass.arena->at(my.start_gradient[1]);
  }

  // Adds the gradients of the initial states up, in the order of the rows.
  void end_backward(const State& my) const {
    const ops::LstmGradients<T>& gradients = my.run.gradients;
    if (!learns_start_ || gradients.dblock == nullptr) return;
    const T* const of_rows[2] = {gradients.dh0, gradients.dc0};
    for (index k = 0; k < states(); ++k) {
      T* const sum = gradients.dblock + start_offset(k);
      const index size = start_size(k);
      for (index b = 0; b < my.run.call.batch; ++b) {
        for (index i = 0; i < size; ++i) sum[i] += of_rows[k][b * size + i];
      }
    }
  }

 private:
  // The initial h or c that is a parameter, for each row.
  const T* repeated_start(const Pass<T>& pass, const State& my, index k) const {
    T* const rows = pass.arena->at(my.start[k]);
    const index size = start_size(k);
    for (index b = 0; b < pass.batch; ++b) {
      std::copy_n(this->values() + start_offset(k), size, rows + b * size);
    }
    return rows;
  }
  // The initial states of rows that begin; null: zeros.
  static void begin_rows(const Pass<T>& pass, const T* from, index size, T* carried) {
    if (pass.begins == nullptr || carried == nullptr) return;
    for (index b = 0; b < pass.batch; ++b) {
      if (pass.begins[b] == 0) continue;
      T* const to = carried + b * size;
      from != nullptr ? std::copy_n(from + b * size, size, to) : std::fill_n(to, size, T(0));
    }
  }
  // Of the one step of a pass: a masked one has the values of the step before.
  static void hold(const ops::LstmCall<T>& call, const T* state, index size, T* values) {
    for (index b = 0; values != nullptr && b < call.batch; ++b) {
      if (call.mask[b] == 0) std::copy_n(state + b * size, size, values + b * size);
    }
  }
  static T* either(T* wanted, T* otherwise) { return wanted != nullptr ? wanted : otherwise; }

  void declare_parameters(const Shapes& inputs) override {
    direction_.shape = ops::LstmShape<T>(inputs[0].features(), shape().hidden,
                                         direction_.options.cell, this->precision());
    Parameters<T>& parameters = this->parameters_;
    const index block = parameters.add_block(shape().size());
    for (const ops::LstmPart& part : shape().parts()) {
      if (part.name == "bias" && !direction_.options.use_bias) continue;
      ops::check_reduced(part.reduced);
      parameters.add_kernel(part.name, part.shape, part.layout, block, part.reduced,
                            part.reduced_first, part.shares_scales);
    }
    for (index k = 0; learns_start_ && k < states(); ++k) {
      parameters.add_plain(k == 0 ? "initial_h" : "initial_c", {start_size(k)});
    }
  }
  // Of the initial h and c, if they are parameters: the last ones.
  index start_size(index k) const { return k == 0 ? shape().outputs() : shape().hidden; }
  index start_offset(index k) const {
    const auto& list = this->parameters_.list();
    return list[list.size() - static_cast<std::size_t>(states() - k)].block;
  }
  bool is_random() const override { return true; }

  const ops::LstmShape<T>& shape() const { return direction_.shape; }
  // Whether the last y of a row is its h and not 0: with zero_masked if the last step is real, else
  // if any step is.
  bool shows(const ops::LstmCall<T>& call, index row) const {
    if (call.mask == nullptr) return true;
    const unsigned char* const mask = call.mask + row * call.steps;
    if (sequences_.zero_masked) return mask[direction_.reverse ? 0 : call.steps - 1] != 0;
    return std::any_of(mask, mask + call.steps, [](auto m) { return m != 0; });
  }

  // Copies rows of O values; those that do not show become 0.
  void copy_shown(const ops::LstmCall<T>& call, const T* from, index from_row, T* to,
                  index to_row) const {
    const index O = shape().outputs();
    for (index b = 0; b < call.batch; ++b) {
      if (shows(call, b)) {
        std::copy_n(from + b * from_row, O, to + b * to_row);
      } else {
        std::fill_n(to + b * to_row, O, T(0));
      }
    }
  }

  const char* kind_;
  LstmDirection<T> direction_;  // has one input feature until the parameters are declared
  Sequences sequences_;
  bool learns_start_;  // the initial states are parameters
};

}  // namespace lstmfast::layers
