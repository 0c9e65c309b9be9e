// Two recurrent layers over the same input, one of them backwards, with outputs merged step by
// step. Inputs: x [, the initial states of the forward layer, those of the backward one]. Outputs:
// y (without a merge, y of each layer), then optionally the states of the forward layer, of the
// backward one, and c of every step of each.
#include <algorithm>

#include "base/check.h"
#include "layers/list.h"
#include "layers/recurrent.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

enum class MergeMode { concat, sum, mul, ave, none };
const std::vector<std::string> kMergeModes = {"concat", "sum", "mul", "ave", "none"};

const std::vector<std::string> kHalves = {"lstm", "gru", "simple_rnn"};
const char* const kNames[] = {"forward", "backward"};

template <class T>
class Bidirectional final : public LayerWith<T, Bidirectional<T>> {
 public:
  struct State : LayerState {
    index rows = 0;  // of one sample of y
    // y of each half that is not written into the output; backward of the half reads it.
    base::Slot<T> outputs[2];
    base::Slot<T> gradient;  // for y of the second half of a product
    base::Slot<T> dx;        // of the second half
  };

  Bidirectional(const base::Values& options, const Children& children)
      : halves_{read_half(options, 0, children), read_half(options, 1, children)} {
    for (int d = 0; d < 2; ++d) this->children_.push_back({kNames[d], halves_[d]});
    const std::string& merge = options["merge_mode"].text();
    merge_ = static_cast<MergeMode>(std::find(kMergeModes.begin(), kMergeModes.end(), merge) -
                                    kMergeModes.begin());
    const Sequences &a = half(0).sequences(), &b = half(1).sequences();
    if (half(0).direction().reverse == half(1).direction().reverse) {
      options.fail("backward.go_backwards", "the opposite of forward.go_backwards");
    }
    if (half(0).states() != half(1).states()) {
      options.fail("backward.kind", "a backward_layer with as many states as layer");
    }
    const auto check_equal = [&](const std::string& name, bool forward, bool backward) {
      if (forward == backward) return;
      options.fail("backward." + name, base::shown(forward) + ", as forward." + name);
    };
    check_equal("return_sequences", a.all, b.all);
    check_equal("stateful", a.stateful, b.stateful);
    if (adds_up() && outputs(0) != outputs(1)) {
      options.fail("merge_mode", "\"concat\" for layers of different sizes");
    }
    if (!a.stateful) return;
    for (const auto& each : halves_) each->set_stateless();
    this->make_stateful(Bidirectional::state_sizes());
  }

  InputCount input_count() const override {
    return {1, 1 + 2 * half(0).states(),
            " with the initial states of the forward and of the backward layer"};
  }
  bool optional_output(index output) const override { return output >= first_state(); }
  Shapes output_shapes(const Shapes& inputs) const override {
    Shapes own[2], out;
    for (int d = 0; d < 2; ++d) own[d] = half(d).output_shapes(inputs_of(inputs, d));
    if (merge_ == MergeMode::none) {
      out = {own[0][0], own[1][0]};
    } else {
      out = {own[0][0].with_features(width())};
    }
    const auto states = static_cast<std::ptrdiff_t>(half(0).states());
    for (const auto& shapes : own)
      out.insert(out.end(), shapes.begin() + 1, shapes.begin() + 1 + states);
    for (const auto& shapes : own) out.insert(out.end(), shapes.begin() + 1 + states, shapes.end());
    return out;
  }
  std::vector<index> state_sizes() const override {
    std::vector<index> sizes = half(0).state_sizes();
    for (const index size : half(1).state_sizes()) sizes.push_back(size);
    return sizes;
  }
  bool masks(index output, const std::vector<bool>& masked) const override {
    return output < first_state() && half(0).masks(0, masked);
  }
  double flops(const Shapes& inputs) const override {
    return half(0).flops(inputs) + half(1).flops(inputs);
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const index B = extent.batch;
    const bool training = extent.training;
    my.rows = half(0).sequences().all ? my.shapes[0].rows() : 1;
    const auto slot = [&](bool wanted, index count) { return planner.add<T>(wanted ? count : 0); };
    for (int d = 0; d < 2; ++d) {
      // In inference the first half is written into the memory of the merged output.
      my.outputs[d] = slot(adds_up() && (training || d == 1), B * my.rows * width());
      half(d).declare(of_half(my, d), planner, {inputs_of(my.shapes, d), B, training});
    }
    my.gradient = slot(training && merge_ == MergeMode::mul, B * my.rows * width());
    my.dx = slot(training, B * my.shapes[0].count());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    for (index k = 0; k < first_state(); ++k) {
      out[k].mask = half(0).sequences().all ? in[0].mask : nullptr;
    }
    RecurrentPorts<T> p[2] = {ports(pass, my, in, out, 0), ports(pass, my, in, out, 1)};
    for (int d = 0; d < 2; ++d) half(d).begin_forward(pass, of_half(my, d), p[d]);
    runs(my).forward(pass.training);
    for (int d = 0; d < 2; ++d) half(d).end_forward(of_half(my, d), p[d]);
    if (!adds_up() || out[0].values == nullptr) return;
    const index count = pass.batch * my.rows * width();
    T* const y = out[0].values;
    if (merge_ == MergeMode::mul) return ops::multiply(count, p[0].y.values, p[1].y.values, y);
    ops::add(count, p[0].y.values, p[1].y.values, y);
    if (merge_ == MergeMode::ave) ops::scale(count, T(0.5), y, y);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    RecurrentPorts<T> p[2] = {ports(pass, my, in, out, 0), ports(pass, my, in, out, 1)};
    const index count = pass.batch * my.rows * width();
    T* const dy = out[0].gradient;
    if (dy != nullptr && merge_ == MergeMode::ave) ops::scale(count, T(0.5), dy, dy);
    if (dy != nullptr && merge_ == MergeMode::mul) {
      p[1].y.gradient = pass.arena->at(my.gradient);
      ops::multiply(count, dy, p[0].y.values, p[1].y.gradient);
      ops::multiply(count, dy, p[1].y.values, dy);
    }
    if (in[0].gradient != nullptr) p[1].x.gradient = pass.arena->at(my.dx);
    for (int d = 0; d < 2; ++d) half(d).begin_backward(pass, of_half(my, d), p[d]);
    runs(my).backward();
    for (int d = 0; d < 2; ++d) half(d).end_backward(of_half(my, d));
  }

 private:
  static std::shared_ptr<Recurrent<T>> read_half(const base::Values& options, int d,
                                                 const Children& children) {
    if (children.count(kNames[d]) == 0) {
      options.part(kNames[d]).read(base::text("kind", base::kRequired, kHalves));
    }
    const std::shared_ptr<Layer<T>> layer =
        Layer<T>::make_child(options.given(), kNames[d], children);
    const auto half = std::dynamic_pointer_cast<Recurrent<T>>(layer);
    LF_CHECK(half != nullptr, "[bidirectional] the " << kNames[d] << " layer is of kind "
                                                     << layer->kind() << "; expected "
                                                     << base::one_of(kHalves));
    return half;
  }

  void declare_parameters(const Shapes& inputs) override {
    for (int d = 0; d < 2; ++d) halves_[d]->connect(inputs_of(inputs, d));
  }

  const Recurrent<T>& half(int d) const { return *halves_[d]; }
  static auto& of_half(const State& my, int d) {
    return static_cast<typename Recurrent<T>::State&>(*my.inner[d]);
  }
  static LstmRuns<T> runs(const State& my) {
    return LstmRuns<T>(of_half(my, 0).run, &of_half(my, 1).run);
  }
  index outputs(int d) const { return half(d).direction().shape.outputs(); }
  // Whether y merges both halves unit by unit.
  bool adds_up() const { return merge_ != MergeMode::concat && merge_ != MergeMode::none; }
  index width() const {  // of a row of y
    return merge_ == MergeMode::concat ? outputs(0) + outputs(1) : outputs(0);
  }
  index first_state() const { return merge_ == MergeMode::none ? 2 : 1; }  // among the outputs

  Shapes inputs_of(const Shapes& inputs, int d) const {
    if (inputs.size() == 1) return inputs;
    Shapes own = {inputs[0]};
    const auto states = static_cast<std::ptrdiff_t>(half(0).states());
    const auto first = inputs.begin() + 1 + d * states;
    own.insert(own.end(), first, first + states);
    return own;
  }

  RecurrentPorts<T> ports(const Pass<T>& pass, const State& my, const Ins<T>& in,
                          const Outs<T>& out, int d) const {
    RecurrentPorts<T> p = half(d).ports(pass, of_half(my, d), in, out, this->carried(), 2, d);
    if (merge_ != MergeMode::none) p.step = width();
    p.row = my.rows * p.step;
    if (merge_ == MergeMode::concat && d == 1) {
      if (p.y.values != nullptr) p.y.values += outputs(0);
      if (p.y.gradient != nullptr) p.y.gradient += outputs(0);
    }
    if (my.outputs[d].count > 0) p.y.values = pass.arena->at(my.outputs[d]);
    p.against_time = half(0).direction().reverse;  // y of both in one order of steps
    return p;
  }

  std::shared_ptr<Recurrent<T>> halves_[2];
  MergeMode merge_ = MergeMode::concat;
};

// Throws if the options describe both halves and the halves do not fit together.
void check_halves(const base::Values& options) {
  if (options.part(kNames[0]).has("kind")) Bidirectional<float>(options, {});
}

}  // namespace

Component bidirectional() {
  return Family::of<Bidirectional>(
      {{base::text("merge_mode", "concat", kMergeModes)}, check_halves});
}

}  // namespace lstmfast::layers
