// MultiHeadAttention: heads attend to projections of the inputs, and are projected together.
#include <algorithm>
#include <cmath>

#include "layers/attention.h"
#include "layers/list.h"
#include "ops/linear.h"

namespace lstmfast::layers {
namespace {

// output(attention of the heads of query(x), key(x) and value(x)), each a linear map.
template <class T>
class MultiHead final : public AttentionBase<T, MultiHead<T>> {
 public:
  enum Map : std::size_t { kOfQuery, kOfKey, kOfValue, kOutput };
  static constexpr const char* kMaps[] = {"query", "key", "value", "attention_output"};
  static constexpr Port kPorts[] = {kQuery, kKey, kValue};

  struct State : AttentionBase<T, MultiHead<T>>::State {
    base::Slot<T> projected[4];      // the last: what the output's map takes
    base::Slot<T> gradients[4];      // of those, in whole panels; of the last without
    base::Slot<T> dy;                // in whole panels
    base::Slot<unsigned char> mask;  // of outputs with several rows for a query
    ops::LinearScratch<T> room;
  };

  explicit MultiHead(const base::Values& options)
      : AttentionBase<T, MultiHead<T>>(options),
        heads_(options["num_heads"].integer()),
        depth_(options["key_dim"].integer()),
        width_(options["value_dim"].none() ? depth_ : options["value_dim"].integer()),
        window_(options["sliding_window"].none() ? 0 : options["sliding_window"].integer()),
        use_bias_(options["use_bias"].flag()) {
    if (!options["output_shape"].none()) ending_ = options["output_shape"].extents();
    LF_CHECK(ending_.size() <= 3, "[multi_head_attention] output_shape has "
                                      << ending_.size() << " axes; expected at most 3");
  }

  // A fourth input says which pairs of a query and a key are seen.
  InputCount input_count() const override { return {3, 4, ": attention_mask"}; }
  Shapes output_shapes(const Shapes& inputs) const override {
    check_three("multi_head_attention", inputs, false);
    const Shape &query = inputs[kQuery], &value = inputs[kValue];
    for (std::size_t i = 0; this->built() && i < kOutput; ++i) {
      LF_CHECK(inputs[kPorts[i]].sizes[1] == maps_[i].shape.inputs,
               "[multi_head_attention] " << kMaps[i] << " of a sample has shape "
                                         << inputs[kPorts[i]].text() << "; expected "
                                         << maps_[i].shape.inputs
                                         << " features, for which the layer has weights");
    }
    if (inputs.size() > kPairs) {
      const Shape& pairs = inputs[kPairs];
      LF_CHECK(pairs.rank == 2 && may_equal(pairs.sizes[0], query.sizes[0]) &&
                   may_equal(pairs.sizes[1], value.sizes[0]),
               "[multi_head_attention] attention_mask of a sample has shape "
                   << pairs.text() << "; expected " << query.with_features(value.sizes[0]).text());
    }
    Shape out = query;
    if (!ending_.empty()) out = Shape{query.sizes[0]} + Shape(ending_);
    LF_CHECK(Shape(ending_).count() <= kMaxUnits,
             "[multi_head_attention] output_shape is "
                 << Shape(ending_).text() << "; expected at most " << kMaxUnits << " elements");
    return {out, {heads_, query.sizes[0], value.sizes[0]}};
  }
  double flops(const Shapes& inputs) const override {
    double maps = 0;
    for (std::size_t i = 0; i <= kOutput; ++i) {
      maps += static_cast<double>(inputs[i == kOutput ? kQuery : kPorts[i]].sizes[0]) * 2.0 *
              static_cast<double>(heads_ * std::max(depth_, width_)) *
              static_cast<double>(inputs[kQuery].sizes[1]);
    }
    return maps + AttentionBase<T, MultiHead<T>>::flops(inputs) *
                      static_cast<double>(heads_ * (depth_ + width_)) /
                      static_cast<double>(inputs[kQuery].sizes[1] + inputs[kValue].sizes[1]);
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    this->plan_scores(my, planner, extent, with_sizes(extent.inputs));
    for (std::size_t i = 0; i <= kOutput; ++i) {
      const index rows = extent.batch * rows_of(my, i);
      const ops::LinearShape<T>& map = maps_[i].shape;
      const bool last = i == kOutput;
      my.projected[i] = planner.add<T>(rows * (last ? map.inputs : map.outputs));
      const index gradient = rows * (last ? map.inputs : map.padded_outputs());
      my.gradients[i] = planner.add<T>(extent.training ? gradient : 0);
      if (last && rows_of_query() > 1) my.mask = planner.add<unsigned char>(rows * rows_of_query());
      if (last) my.dy = planner.add<T>(extent.training ? rows * map.padded_outputs() : 0);
    }
  }

  // Rows of the output for one query.
  index rows_of_query() const {
    return ending_.empty() ? 1 : maps_[kOutput].shape.outputs / ending_.back();
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    for (std::size_t i = 0; i < kOutput; ++i) {
      maps_[i].shape.forward(this->values() + maps_[i].block, pass.batch * rows_of(my, i),
                             x_of(i, pass, my, in),
                             {pass.arena->at(my.projected[i]), nullptr, maps_[i].shape.outputs});
    }
    const LinearMap& last = maps_[kOutput];
    this->run(pass, my, attention(pass, my, in, out), pass.arena->at(my.projected[kOutput]),
              last.shape.inputs, out[1]);
    last.shape.forward(this->values() + last.block, pass.batch * rows_of(my, kOutput),
                       x_of(kOutput, pass, my, in), {out[0].values, nullptr, last.shape.outputs});
    const unsigned char* const masked = in[kQuery].mask;
    if (masked == nullptr || rows_of_query() == 1) return;
    unsigned char* const mask = pass.arena->at(my.mask);
    for (index r = 0; r < pass.batch * rows_of(my, kOutput); ++r) {
      std::fill_n(mask + r * rows_of_query(), rows_of_query(), masked[r]);
    }
    out[0].mask = mask;
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    ops::Attention<T> a = attention(pass, my, in, out);
    base::Arena& arena = *pass.arena;
    T* const block = this->gradients(pass, my);
    const auto backward = [&](std::size_t i, const T* dz, T* dx) {
      const ops::LinearShape<T>& map = maps_[i].shape;
      map.backward(this->values() + maps_[i].block, pass.batch * rows_of(my, i),
                   x_of(i, pass, my, in), {dz, nullptr, map.padded_outputs()},
                   {dx, nullptr, map.inputs}, block == nullptr ? nullptr : block + maps_[i].block,
                   use_bias_, my.room);
    };
    if (const T* const dy = out[0].gradient) {
      const ops::LinearShape<T>& map = maps_[kOutput].shape;
      const index rows = pass.batch * rows_of(my, kOutput), padded = map.padded_outputs();
      T* const dz = arena.at(my.dy);
      for (index r = 0; r < rows; ++r) {
        std::copy_n(dy + r * map.outputs, map.outputs, dz + r * padded);
        std::fill(dz + r * padded + map.outputs, dz + (r + 1) * padded, T(0));
      }
      T* const context = arena.at(my.gradients[kOutput]);
      backward(kOutput, dz, context);
      a.dy = context;
      a.dy_stride = map.inputs;
    }
    ops::HeadRows<T>* const of_maps[] = {&a.q, &a.k, &a.v};
    for (std::size_t i = 0; i < kOutput; ++i) {
      if (block == nullptr && in[kPorts[i]].gradient == nullptr) continue;
      const ops::LinearShape<T>& map = maps_[i].shape;
      of_maps[i]->gradient = arena.at(my.gradients[i]);
      of_maps[i]->gradient_stride = map.padded_outputs();
      const index rows = pass.batch * rows_of(my, i);
      std::fill_n(of_maps[i]->gradient, rows * map.padded_outputs(), T(0));
    }
    ops::attend_backward(a);
    for (std::size_t i = 0; i < kOutput; ++i) {
      if (of_maps[i]->gradient != nullptr)
        backward(i, of_maps[i]->gradient, in[kPorts[i]].gradient);
    }
    if (in.size() > kPairs && in[kPairs].gradient != nullptr)
      std::fill_n(in[kPairs].gradient, pass.batch * a.queries * a.keys, T(0));
  }

 private:
  bool knows_places() const override {
    return window_ > 0 || AttentionBase<T, MultiHead<T>>::knows_places();
  }

  struct LinearMap {
    ops::LinearShape<T> shape{1, 1};
    index block = 0;
  };

  void declare_parameters(const Shapes& inputs) override {
    const base::Extents ending = ending_.empty() ? base::Extents{inputs[kQuery].sizes[1]} : ending_;
    for (std::size_t i = 0; i <= kOutput; ++i) {
      const index size = i == kOfValue || i == kOutput ? width_ : depth_;
      base::Extents kernel{heads_, size}, bias = kernel;
      if (i == kOutput) {
        bias = ending;
        kernel.insert(kernel.end(), bias.begin(), bias.end());
        maps_[i].shape = {heads_ * size, Shape(bias).count()};
      } else {
        const index features = inputs[kPorts[i]].sizes[1];
        kernel.insert(kernel.begin(), features);
        maps_[i].shape = {features, heads_ * size};
      }
      Parameters<T>& parameters = this->parameters_;
      const ops::LinearShape<T>& shape = maps_[i].shape;
      maps_[i].block = parameters.add_block(shape.size());
      const std::string name = std::string(kMaps[i]) + ".";
      parameters.add(name + "kernel", kernel, shape.kernel(), maps_[i].block);
      if (use_bias_) parameters.add(name + "bias", bias, shape.bias(), maps_[i].block);
    }
  }

  static index rows_of(const State& my, std::size_t map) {
    return my.shapes[map == kOutput ? kQuery : kPorts[map]].sizes[0];
  }
  ops::Rows<const T> x_of(std::size_t map, const Pass<T>& pass, State& my, const Ins<T>& in) const {
    const T* const x = map == kOutput ? pass.arena->at(my.projected[map]) : in[kPorts[map]].values;
    return {x, nullptr, maps_[map].shape.inputs};
  }

  ops::Attention<T> with_sizes(const Shapes& inputs) const {
    ops::Attention<T> a = this->sizes(inputs);
    a.heads = heads_;
    a.q.size = a.k.size = depth_;
    a.v.size = width_;
    return a;
  }

  ops::Attention<T> attention(const Pass<T>& pass, State& my, const Ins<T>& in,
                              const Outs<T>& out) const {
    ops::Attention<T> a = this->common(pass, my, in, out);
    a.heads = heads_;
    a.outer = static_cast<T>(1 / std::sqrt(static_cast<double>(depth_)));
    a.excludes = true;
    a.window = window_;
    a.query_mask = in[kQuery].mask;
    a.key_mask = in[kKey].mask;
    if (in.size() > kPairs) a.pairs = in[kPairs].values;
    ops::HeadRows<T>* const of_maps[] = {&a.q, &a.k, &a.v};
    for (std::size_t i = 0; i < kOutput; ++i) {
      const index size = i == kOfValue ? width_ : depth_;
      *of_maps[i] = {pass.arena->at(my.projected[i]), heads_ * size, size};
    }
    return a;
  }

  index heads_, depth_, width_, window_;
  bool use_bias_;
  base::Extents ending_;  // of the output's shape; empty: the query's features
  LinearMap maps_[4];
};

}  // namespace

Component multi_head_attention() {
  constexpr index kMaxHeads = 1024, kMaxSize = kMaxUnits / kMaxHeads;
  return Family::of<MultiHead>(
      base::OptionTable{{base::integer("num_heads", base::kRequired, 1, kMaxHeads),
                         base::integer("key_dim", base::kRequired, 1, kMaxSize),
                         base::integer("value_dim", base::none(), 1, kMaxSize),
                         base::flag("use_bias", true),
                         base::extents("output_shape", base::none(), 1, kMaxUnits),
                         base::integer("sliding_window", base::none(), 1)}} +
      attention_options());
}

}  // namespace lstmfast::layers
