// Attention and AdditiveAttention: one head, without projections.
#include "layers/attention.h"

#include <algorithm>

#include "layers/list.h"

namespace lstmfast::layers {
namespace {

enum class ScoreMode { dot, concat, additive };

// With one head and without projections. Scores are scale * (query . key) (dot),
// concat_score_weight
// * sum of tanh(scale (query + key)) (concat), or the sum of scale tanh(query + key) (additive).
template <class T>
class Attention final : public AttentionBase<T, Attention<T>> {
 public:
  using State = typename AttentionBase<T, Attention<T>>::State;

  Attention(const base::Values& options, ScoreMode mode)
      : AttentionBase<T, Attention<T>>(options),
        mode_(mode),
        scales_(options["use_scale"].flag()) {}

  InputCount input_count() const override { return {3, 3}; }
  Shapes output_shapes(const Shapes& inputs) const override {
    check_three(label(), inputs, true);
    const Shape &query = inputs[kQuery], &value = inputs[kValue];
    LF_CHECK(size_ == 0 || query.sizes[1] == size_,
             "[" << label() << "] query of a sample has shape " << query.text() << "; expected "
                 << size_ << " features, for which the layer has weights");
    return {query.with_features(value.sizes[1]), query.with_features(value.sizes[0])};
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    this->plan_scores(my, planner, extent, with_sizes(extent.inputs));
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    T* const y = out[0].values;
    const index width = my.shapes[kValue].sizes[1];
    this->run(pass, my, attention(pass, my, in, out), y, width, out[1]);
    clear_masked(pass, my, in, y, width);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    ops::Attention<T> a = attention(pass, my, in, out);
    if (out[0].gradient != nullptr) clear_masked(pass, my, in, out[0].gradient, a.v.size);
    a.dy = out[0].gradient;
    a.dy_stride = a.v.size;
    ops::HeadRows<T>* const rows[] = {&a.q, &a.v, &a.k};
    for (std::size_t i = kQuery; i <= kKey; ++i) {
      rows[i]->gradient = in[i].gradient;
      rows[i]->gradient_stride = rows[i]->size;
    }
    T* const gradients = this->parameters_.list().empty() ? nullptr : this->gradients(pass, my);
    if (gradients != nullptr) a.sums = pass.arena->at(my.sums);
    ops::attend_backward(a);
    if (gradients == nullptr) return;
    const index count = ops::attention_sums(a);
    const auto add = [&](index first, index numbers, index block) {
      for (index n = 0; block >= 0 && n < numbers; ++n) {
        double sum = 0;
        for (index b = 0; b < pass.batch; ++b) sum += a.sums[b * count + first + n];
        gradients[block + n] += static_cast<T>(sum);
      }
    };
    if (mode_ == ScoreMode::additive) return add(2, size_, scale_);
    add(mode_ == ScoreMode::dot ? 0 : 1, 1, scale_);
    add(0, 1, concat_);
  }

 private:
  const char* label() const {
    return mode_ == ScoreMode::additive ? "additive_attention" : "attention";
  }

  void declare_parameters(const Shapes& inputs) override {
    const auto number = [&](const char* name) {
      const index block = this->parameters_.add_block(1);
      this->parameters_.add(name, {}, ops::plain_rows(1, 1), block);
      return block;
    };
    if (scales_ && mode_ == ScoreMode::additive) {
      size_ = inputs[kQuery].sizes[1];
      scale_ = this->parameters_.add_plain("scale", {size_});
    } else if (scales_) {
      scale_ = number("scale");
    }
    if (mode_ == ScoreMode::concat) concat_ = number("concat_score_weight");
  }

  ops::Attention<T> with_sizes(const Shapes& inputs) const {
    ops::Attention<T> a = this->sizes(inputs);
    a.additive = mode_ != ScoreMode::dot;
    const T* const values = this->values();
    static constexpr T kPlace = 0;  // before there are values, gains only say that there are any
    if (scale_ >= 0 && mode_ == ScoreMode::additive)
      a.gains = values == nullptr ? &kPlace : values + scale_;
    a.q.size = a.k.size = inputs[kQuery].sizes[1];
    a.v.size = inputs[kValue].sizes[1];
    return a;
  }

  ops::Attention<T> attention(const Pass<T>& pass, State& my, const Ins<T>& in,
                              const Outs<T>& out) const {
    const ops::Attention<T> own = with_sizes(my.shapes);
    ops::Attention<T> a = this->common(pass, my, in, out);
    a.additive = own.additive;
    a.gains = own.gains;
    a.q = {in[kQuery].values, own.q.size, own.q.size};
    a.k = {in[kKey].values, own.k.size, own.k.size};
    a.v = {in[kValue].values, own.v.size, own.v.size};
    const T scale = scale_ < 0 ? T(1) : this->values()[scale_];
    if (mode_ == ScoreMode::dot) a.outer = scale;
    if (mode_ == ScoreMode::concat) a.inner = scale, a.outer = this->values()[concat_];
    a.scores_dropped = true;
    return a;
  }

  // Sets rows of y to 0 where the query is masked.
  static void clear_masked(const Pass<T>& pass, const State& my, const Ins<T>& in, T* y,
                           index width) {
    const unsigned char* const mask = in[kQuery].mask;
    for (index r = 0; mask != nullptr && r < pass.batch * my.shapes[kQuery].sizes[0]; ++r) {
      if (mask[r] == 0) std::fill_n(y + r * width, width, T(0));
    }
  }

  ScoreMode mode_;
  bool scales_;
  index size_ = 0;                  // features that scale fits; 0: any
  index scale_ = -1, concat_ = -1;  // places of the weights; -1: there are none
};

template <class T>
std::unique_ptr<Layer<T>> make_attention(const base::Values& options, const Children&) {
  const bool concat = options["score_mode"].text() == "concat";
  return std::make_unique<Attention<T>>(options, concat ? ScoreMode::concat : ScoreMode::dot);
}
template <class T>
std::unique_ptr<Layer<T>> make_additive(const base::Values& options, const Children&) {
  return std::make_unique<Attention<T>>(options, ScoreMode::additive);
}

}  // namespace

Component attention() {
  return {base::OptionTable{{base::flag("use_scale", false),
                             base::text("score_mode", "dot", {"dot", "concat"})}} +
              attention_options(),
          make_attention<float>, make_attention<double>};
}
Component additive_attention() {
  return {base::OptionTable{{base::flag("use_scale", true)}} + attention_options(),
          make_additive<float>, make_additive<double>};
}

}  // namespace lstmfast::layers
