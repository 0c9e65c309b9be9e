// Two LSTM layers over the same input, one of them backwards; their outputs merged step by step.
#include <algorithm>

#include "layers/list.h"
#include "layers/lstm.h"
#include "ops/lstm_threads.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

enum class Merge { concat, sum, mul, ave };
const std::vector<std::string> kMerges = {"concat", "sum", "mul", "ave"};

base::Values read_half(const base::Values& options, const char* which) {
  const base::OptionReader part = options.part(which);
  part.read(base::text("kind", "lstm", {"lstm"}));
  part.read(base::text("name", ""));
  return part.read(lstm_layer_options());
}

void check_halves(const base::Values& options) {
  const base::Values a = read_half(options, "forward"), b = read_half(options, "backward");
  if (a["go_backwards"] == b["go_backwards"]) {
    options.fail("backward.go_backwards", "the opposite of forward.go_backwards");
  }
  for (const char* name : {"return_sequences", "stateful"}) {
    if (a[name] != b[name]) {
      options.fail(std::string("backward.") + name, base::shown(a[name]) + ", as forward." + name);
    }
  }
  const auto outputs = [](const base::Values& half) {
    return half[half["proj_size"].integer() > 0 ? "proj_size" : "units"].integer();
  };
  if (options["merge_mode"].text() != kMerges[0] && outputs(a) != outputs(b)) {
    options.fail("merge_mode", "\"concat\" for layers of different sizes");
  }
}

template <class T>
struct BidirectionalState : LayerState {
  std::unique_ptr<LayerState> halves[2];
  index input = 0, rows = 0;  // values of one sample of x, rows of one of y
  // y of each half where they do not share one; a half's own stays for its backward pass.
  base::Slot<T> outputs[2];
  base::Slot<T> gradient;  // for y of the second half of a product
  base::Slot<T> dx;        // of the second half
};

template <class T>
class Bidirectional : public Layer<T> {
 public:
  explicit Bidirectional(const base::Values& options)
      : halves_{Lstm<T>(read_half(options, "forward")), Lstm<T>(read_half(options, "backward"))} {
    const std::string& merge = options["merge_mode"].text();
    merge_ = static_cast<Merge>(std::find(kMerges.begin(), kMerges.end(), merge) - kMerges.begin());
  }

  void declare_parameters(const Shape& input, Declaration& declaration) override {
    const std::string path = declaration.path();
    for (int d = 0; d < 2; ++d) {
      declaration.set_path(path + (d == 0 ? ".forward" : ".backward"));
      halves_[d].declare_parameters(input, declaration);
    }
    declaration.set_path(path);
  }

  Shape output_shape(const Shape& input) const override {
    return halves_[0].output_shape(input).with_features(width());
  }
  bool has_parameters() const override { return true; }
  std::vector<index> carried() const override {
    std::vector<index> sizes = halves_[0].carried();
    for (const index size : halves_[1].carried()) sizes.push_back(size);
    return sizes;
  }
  bool stateful() const override { return halves_[0].stateful(); }
  bool masks(bool masked) const override { return halves_[0].masks(masked); }
  const unsigned char* mask_out(const Pass<T>& pass, const LayerState& state) const override {
    return halves_[0].mask_out(pass, state);
  }
  double flops(const Shape& input) const override {
    return halves_[0].flops(input) + halves_[1].flops(input);
  }

  std::unique_ptr<LayerState> make_state() const override {
    auto state = std::make_unique<BidirectionalState<T>>();
    for (int d = 0; d < 2; ++d) state->halves[d] = halves_[d].make_state();
    return state;
  }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    auto& my = static_cast<BidirectionalState<T>&>(state);
    my.input = extent.input.count();
    my.rows = output_shape(extent.input).rows();
    for (int d = 0; d < 2; ++d) {
      halves_[d].declare(*my.halves[d], planner, extent);
      // Inference writes the first half where the merged output goes.
      const bool apart = merge_ != Merge::concat && (extent.training || d == 1);
      my.outputs[d] = planner.add<T>(apart ? extent.batch * my.rows * width() : 0);
    }
    const bool product = extent.training && merge_ == Merge::mul;
    my.gradient = planner.add<T>(product ? extent.batch * my.rows * width() : 0);
    my.dx = planner.add<T>(extent.training ? extent.batch * my.input : 0);
  }

  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override {
    auto& my = static_cast<BidirectionalState<T>&>(state);
    T* outputs[2] = {y, y + halves_[0].shape().outputs()};
    for (int d = 0; d < 2; ++d) {
      if (my.outputs[d].count > 0) outputs[d] = pass.arena->at(my.outputs[d]);
    }
    for_halves(pass, my, [&](int d) {
      Pass<T> mine = pass;
      const index H = halves_[0].shape().hidden;
      if (d == 1 && pass.carried) mine.carried += pass.batch * (halves_[0].shape().outputs() + H);
      if (d == 1 && pass.cells) mine.cells += my.input / halves_[0].shape().input * pass.batch * H;
      halves_[d].forward_into(mine, *my.halves[d], x, place(my, d, outputs[d]));
    });
    const index count = pass.batch * my.rows * width();
    const T* const first = outputs[0];
    if (merge_ == Merge::concat) return;
    if (merge_ == Merge::mul) return ops::multiply(count, first, outputs[1], y);
    ops::add(count, first, outputs[1], y);
    if (merge_ == Merge::ave) ops::scale(count, T(0.5), y, y);
  }

  void backward(const Pass<T>& pass, LayerState& state, const T*, const T*, T* dy,
                T* dx) const override {
    auto& my = static_cast<BidirectionalState<T>&>(state);
    const index count = pass.batch * my.rows * width();
    T* gradients[2] = {dy, dy};
    if (merge_ == Merge::concat) {
      gradients[1] += halves_[0].shape().outputs();
    } else if (merge_ == Merge::ave) {
      ops::scale(count, T(0.5), dy, dy);
    } else if (merge_ == Merge::mul) {
      gradients[1] = pass.arena->at(my.gradient);
      ops::multiply(count, static_cast<const T*>(dy), pass.arena->at(my.outputs[0]), gradients[1]);
      ops::multiply(count, static_cast<const T*>(dy), pass.arena->at(my.outputs[1]), dy);
    }
    // Added up here whether the halves ran side by side or not: the same bits.
    T* const second = dx == nullptr ? nullptr : pass.arena->at(my.dx);
    for_halves(pass, my, [&](int d) {
      halves_[d].backward_from(pass, *my.halves[d], place<const T>(my, d, gradients[d]),
                               d == 0 ? dx : second);
    });
    if (dx != nullptr) ops::add(pass.batch * my.input, static_cast<const T*>(dx), second, dx);
  }

 private:
  index width() const {  // of a row of y
    const index first = halves_[0].shape().outputs();
    return merge_ == Merge::concat ? first + halves_[1].shape().outputs() : first;
  }

  // The second half's steps go beside those of the first.
  template <class U>
  typename Lstm<T>::template Place<U> place(const BidirectionalState<T>& my, int d, U* y) const {
    return {y, my.rows * width(), width(), d == 1};
  }

  // f(d) for both, which touch nothing of each other.
  template <class F>
  void for_halves(const Pass<T>& pass, const BidirectionalState<T>& my, F f) const {
    const ops::LstmShape<T>& shape = halves_[0].shape();
    const base::team::Request threads =
        ops::direction_threads(shape, pass.batch, my.input / shape.input);
    base::team::parallel_for(threads, 2, 1, [&](index begin, index end) {
      for (index d = begin; d < end; ++d) f(static_cast<int>(d));
    });
  }

  Lstm<T> halves_[2];
  Merge merge_ = Merge::concat;
};

template <class T>
std::unique_ptr<Layer<T>> make(const base::Values& options) {
  return std::make_unique<Bidirectional<T>>(options);
}

}  // namespace

Component bidirectional() {
  return {{{base::text("merge_mode", "concat", kMerges)}, check_halves}, make<float>, make<double>};
}

}  // namespace lstmfast::layers
