#include "ops/vector.h"
#include "regularizers/common.h"

namespace lstmfast::regularizers {
namespace {

// 0 for a kind that has no such option.
double factor_of(const base::Values& options, const std::string& name) {
  const auto at = options.all().find(name);
  return at == options.all().end() ? 0 : at->second.number();
}

// l1 sum of |x| + l2 sum of x^2; the slope of |x| at 0 is 0
template <class T>
class L1L2 final : public Regularizer<T> {
 public:
  explicit L1L2(const base::Values& options)
      : l1_(factor_of(options, "l1")), l2_(factor_of(options, "l2")) {}

  bool suits(const std::vector<index>&) const override { return true; }

  double value(const ops::PartLayout& part, const T* block) const override {
    double total = 0;
    for (index p = 0; p < part.panels; ++p) {
      const T* const run = block + part.place(p).first;
      if (l1_ > 0) total += l1_ * ops::sum_of_magnitudes(part.run_length(p), run);
      if (l2_ > 0) total += l2_ * ops::sum_of_squares(part.run_length(p), run);
    }
    return total;
  }

  void add_gradient(const ops::PartLayout& part, const T* block, T scale,
                    T* gradient) const override {
    for (index p = 0; p < part.panels; ++p) {
      const index first = part.place(p).first, n = part.run_length(p);
      if (l1_ > 0) ops::add_signs(n, static_cast<T>(l1_) * scale, block + first, gradient + first);
      if (l2_ > 0) ops::axpy(n, static_cast<T>(2 * l2_) * scale, block + first, gradient + first);
    }
  }

 private:
  double l1_, l2_;
};

}  // namespace

Component l1() { return Family::of<L1L2>({{factor("l1", 0.01)}}); }
Component l2() { return Family::of<L1L2>({{factor("l2", 0.01)}}); }
Component l1_l2() { return Family::of<L1L2>({{factor("l1", 0.0), factor("l2", 0.0)}}); }

}  // namespace lstmfast::regularizers
